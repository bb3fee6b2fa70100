// The words of a GraphQL document, also of one that is not finished.

export const PATTERN =
  /(?<comment>#[^\n]*)|(?<string>"""(?:\\"""|[^])*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?)|(?<variable>\$\w*)|(?<directive>@\w*)|(?<number>-?\b\d[\w.+-]*)|(?<keyword>\b(?:query|mutation|subscription|fragment|on)\b)|(?<name>[A-Za-z_]\w*)|(?<mark>\.\.\.|[{}()[\]:=!|&])/g;

const OPERATIONS = ["query", "mutation", "subscription"];

/** Return the tokens as {kind, text, start, end}; a keyword is a name that may mean more. */
export function tokenise(text) {
  return [...text.matchAll(PATTERN)].map((match) => ({
    kind: Object.keys(match.groups).find((name) => match.groups[name] !== undefined),
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** Return the operations of a document as {type, name, start, end}, in order. */
export function operations(text) {
  const found = [];
  let depth = 0;
  let current = null;
  for (const { kind, text: word, start, end } of tokenise(text)) {
    if (kind === "mark" && "{([".includes(word)) {
      if (word === "{") current ??= { type: "query", start };
      depth += 1;
    } else if (kind === "mark" && "})]".includes(word)) {
      depth = Math.max(0, depth - 1);
      if (depth > 0 || word !== "}" || current === null) continue;
      found.push({ ...current, end });
      current = null;
    } else if (depth === 0 && (kind === "name" || kind === "keyword")) {
      if (current === null) current = { type: word, start };
      else current.name ??= word;
    }
  }
  // One that is not closed yet is for the API to complain about.
  if (current !== null) found.push({ ...current, end: text.length });
  return found.filter(({ type }) => OPERATIONS.includes(type));
}

/** Return the operation the caret is in, or the first; null where there is none. */
export function chosenOperation(text, caret) {
  const found = operations(text);
  return found.find((one) => one.start <= caret && caret <= one.end) ?? found[0] ?? null;
}
