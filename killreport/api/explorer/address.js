// The query in the fragment of the address: a link shares it, a reload keeps it, and no server or log sees it.

/** Return {query, variables} from the fragment, or null where it has no query. */
export function fromAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  if (!location.hash.startsWith("#query=")) return null;
  return { query: parameters.get("query"), variables: parameters.get("variables") ?? "" };
}

/** Put them into the fragment, without a step in the history. */
export function toAddress({ query, variables }) {
  const parameters = new URLSearchParams({ query });
  if (variables.trim() !== "") parameters.set("variables", variables);
  history.replaceState(null, "", `#${parameters}`);
}
