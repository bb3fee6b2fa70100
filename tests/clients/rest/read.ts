// Reads a board with types made by openapi-typescript; compiled by tsc --strict, so a wrong type fails the test.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };

const board = createClient<paths>({ baseUrl: process.argv[2] });

function known<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const totals: Record<string, number> = known(await board.GET("/history/totals.json"));
const [day] = Object.keys(totals);
const params = { path: { day: day ?? "" } };
const hashes: Record<string, string> = known(await board.GET("/history/{day}.json", { params }));
const bodies: Record<string, components["schemas"]["Killmail"]> = known(
  await board.GET("/history/raw/{day}.json", { params }),
);
const victims: (number | undefined)[] = Object.values(bodies).map((body) => body.victim.character_id);
const page = known(await board.GET("/feed", { params: { query: { limit: 2 } } }));
const stats = known(
  await board.GET("/api/stats/{kind}/{id}", { params: { path: { kind: "shipTypeID", id: 587 } } }),
);
const months: string[] = "months" in stats ? Object.keys(stats.months) : [];
const refused = await board.GET("/feed", { params: { query: { limit: 0 } } });
console.log(
  JSON.stringify({
    totals,
    hashes: Object.keys(hashes),
    victims,
    packages: typeof page === "object" ? page.packages.length : 0,
    months,
    error: refused.error?.error,
  }),
);
