// Prints what graphql-http's audit suite finds, as JSON; the address of the API is the first argument.
import { createRequire } from "node:module";
const { auditServer } = createRequire(process.cwd() + "/")("graphql-http");
const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
