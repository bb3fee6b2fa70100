// Queries and subscribes with graphql-ws; the address of the API is the first argument. Prints a line for each: the
// answer to the query, "following" once the subscription has begun, and the first event.
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const { createClient } = require("graphql-ws");

const client = createClient({
  url: process.argv[2].replace("http", "ws") + "/graphql",
  webSocketImpl: require("ws"),
});
for await (const answer of client.iterate({ query: "{ status { killmailCount } }" })) {
  console.log(JSON.stringify(answer));
}
const events = client.iterate({ query: "subscription { killmails(filter: { solo: true }) { id solo } }" });
const first = events.next();
// Operations of one connection begin in the order they were sent.
for await (const _answer of client.iterate({ query: "{ __typename }" })) {
  console.log("following");
}
console.log(JSON.stringify((await first).value));
await events.return();
await client.dispose();
