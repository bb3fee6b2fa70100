// graphql-yoga. Environment: PORT, JIT=1 for compiled documents, CACHE=1 for yoga's own response cache; DATABASE_URL.
import { createServer } from "node:http";
import { useGraphQlJit } from "@envelop/graphql-jit";
import { createInMemoryCache, useResponseCache } from "@graphql-yoga/plugin-response-cache";
import { createSchema, createYoga } from "graphql-yoga";
import { context, resolvers, typeDefs } from "./killmails.mjs";

const plugins = [];
if (process.env.JIT === "1") plugins.push(useGraphQlJit());
// Longer than a run, and for all that a run asks.
const cache = createInMemoryCache({ max: 10_000 });
if (process.env.CACHE === "1") plugins.push(useResponseCache({ session: () => null, ttl: 600_000, cache }));
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), context, plugins, logging: false, graphiql: false });
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
