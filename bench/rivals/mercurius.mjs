// mercurius on Fastify, documents compiled at their second request and kept. Environment: PORT, CACHE=1 for its own cache
// of what resolvers give (mercurius-cache); DATABASE_URL.
import Fastify from "fastify";
import mercurius from "mercurius";
import cache from "mercurius-cache";
import { context, resolvers, typeDefs } from "./killmails.mjs";

const app = Fastify();
app.register(mercurius, { schema: typeDefs, resolvers, context, jit: 1 });
// What comes from the database by an argument; seconds longer than a run.
const policy = { Query: { killmails: true, killmail: true } };
if (process.env.CACHE === "1") app.register(cache, { ttl: 600, storage: { type: "memory", options: { size: 10_000 } }, policy });
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
