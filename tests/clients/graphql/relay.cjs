// Reads a pilot's kills page by page through Relay's own store, as its hooks for pages do. Arguments: host, pilot's id.
const {
  commitLocalUpdate,
  ConnectionHandler,
  createOperationDescriptor,
  Environment,
  fetchQuery,
  Network,
  RecordSource,
  Store,
} = require("relay-runtime");

const [, , host, pilot] = process.argv;

async function ask({ text }, variables) {
  const response = await fetch(`${host}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: text, variables }),
  });
  return await response.json();
}

const environment = new Environment({
  network: Network.create(ask),
  store: new Store(new RecordSource()),
  getDataID: (record) => record.nodeId,
});

async function load(query, variables) {
  environment.retain(createOperationDescriptor(query, variables));
  return await fetchQuery(environment, query, variables).toPromise();
}

function connection(owner, key, read) {
  let found;
  commitLocalUpdate(environment, (store) => {
    const page = ConnectionHandler.getConnection(owner(store), key);
    found = read(page.getLinkedRecord("pageInfo"), page.getLinkedRecords("edges"));
  });
  return found;
}

async function main() {
  const fragment = require("./made/Pilot_character.graphql.js");
  const { identifierField, identifierQueryVariableName } = fragment.metadata.refetch.identifierInfo;
  await load(require("./made/PilotQuery.graphql.js"), { id: Number(pilot) });
  let pilotId;
  commitLocalUpdate(environment, (store) => {
    pilotId = store.getRoot().getLinkedRecord("character", { id: Number(pilot) }).getValue(identifierField);
  });
  const pages = [];
  for (;;) {
    const page = connection((store) => store.get(pilotId), "Pilot_kills", (info, edges) => ({
      hasNext: info.getValue("hasNextPage"),
      after: info.getValue("endCursor"),
      kills: edges.map((edge) => edge.getLinkedRecord("node").getValue("id")),
      ships: edges.map((edge) => edge.getLinkedRecord("node").getLinkedRecord("victim").getLinkedRecord("shipType").getDataID()),
    }));
    pages.push(page.kills);
    if (!page.hasNext) {
      console.log(JSON.stringify({ pilotId, pages, ships: [...new Set(page.ships)] }));
      return;
    }
    await load(require("./made/PilotPageQuery.graphql.js"), {
      [identifierQueryVariableName]: pilotId,
      first: 2,
      after: page.after,
    });
  }
}

main();
