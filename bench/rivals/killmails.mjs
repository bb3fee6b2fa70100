// The list and the page of `bench/api_queries.py` and the lists of `bench/differing.py` on node-postgres, as a careful
// developer writes them: prepared statements over a pool, DataLoaders a request for names, and the static data of EVE kept
// by the process. For servers on Node. Environment: DATABASE_URL.
import DataLoader from "dataloader";
import pg from "pg";

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5, idleTimeoutMillis: 0 });
const query = async (name, text, values) => (await pool.query({ name, text, values })).rows;

// One statement a batch; the answer is in the order of the keys.
const byId = (name, table, id, columns) => async (ids) => {
  const rows = await query(name, `select ${id} as id, ${columns} from ${table} where ${id} = any($1::bigint[])`, [ids]);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((key) => found.get(key) ?? null);
};
const types = new DataLoader(byId("types", "eve_type", "type_id", "name, group_id"));
const groups = new DataLoader(byId("groups", "eve_group", "group_id", "name"));
const systems = new DataLoader(byId("systems", "eve_system", "solar_system_id", "name, security_status"));
const regions = new DataLoader(byId("regions", "eve_region", "region_id", "name"));
const factions = new DataLoader(byId("factions", "eve_faction", "faction_id", "name"));
const npcCorporations = new DataLoader(byId("npc", "eve_corporation", "corporation_id", "name, ticker"));

const loadNamed = {
  character: byId("characters", "character", "character_id", "name"),
  corporation: byId("corporations", "corporation", "corporation_id", "name, ticker"),
  alliance: byId("alliances", "alliance", "alliance_id", "name, ticker"),
};
const grouped = (name, text) => async (ids) => {
  const found = new Map(ids.map((id) => [id, []]));
  for (const row of await query(name, text, [ids])) found.get(row.killmail_id).push(row);
  return ids.map((id) => found.get(id));
};
export const context = () => ({
  character: new DataLoader(loadNamed.character),
  corporation: new DataLoader(loadNamed.corporation),
  alliance: new DataLoader(loadNamed.alliance),
  attackers: new DataLoader(grouped("attackers",
    "select * from attacker where killmail_id = any($1::bigint[]) order by killmail_id, ordinal")),
  items: new DataLoader(grouped("items",
    "select * from item where killmail_id = any($1::bigint[]) order by killmail_id, ordinal")),
});

const isk = (cents) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
const known = async (loader, id) => (id == null ? null : ((await loader.load(id)) ?? { id }));
const isNpc = (id) => id >= 1_000_000 && id < 2_000_000;
// The names of the columns differ between victim, final blow and attackers by their prefix alone.
const party = (prefix) => ({
  character: (row, _, context) => known(context.character, row[`${prefix}character_id`]),
  corporation: (row, _, context) => {
    const id = row[`${prefix}corporation_id`];
    return known(id != null && isNpc(id) ? npcCorporations : context.corporation, id);
  },
  alliance: (row, _, context) => known(context.alliance, row[`${prefix}alliance_id`]),
  faction: (row) => known(factions, row[`${prefix}faction_id`]),
});
const shown = (raw) => (raw > 0 && raw < 0.05 ? 0.1 : Math.floor(raw * 10 + 0.5) / 10);

// A filter's columns have an index each, with the order of the list in it; who killed stands in a table of its own.
const columns = {
  victimAlliance: "victim_alliance_id", region: "region_id", system: "solar_system_id",
  victimShipGroup: "ship_group_id", victimShipType: "ship_type_id",
};
const ALLIANCE = 3;
const UNKNOWN_PRICE = 99;
const cursor = (row) => row && Buffer.from(`${row.killmail_time.getTime()}.${row.killmail_id}`).toString("base64url");
const list = (filter, limit, after) => {
  const values = [];
  const conditions = [];
  const bind = (value) => `$${values.push(value)}`;
  let from = "killmail k";
  let by = "k";
  for (const [name, ids] of Object.entries(filter)) {
    const wanted = name === "attackerAlliance" ? ids.map((id) => id * 16 + ALLIANCE) : ids;
    if (name === "attackerAlliance") {
      from = "killed_by b join killmail k using (killmail_id)";
      by = "b";
    }
    const column = name === "attackerAlliance" ? "b.code" : `k.${columns[name]}`;
    // One id is compared as it is, so that the index gives the order.
    conditions.push(wanted.length === 1 ? `${column} = ${bind(wanted[0])}` : `${column} = any(${bind(wanted)})`);
  }
  if (after) {
    const [time, id] = Buffer.from(after, "base64url").toString().split(".").map(Number);
    conditions.push(`(${by}.killmail_time, ${by}.killmail_id) < (${bind(new Date(time))}, ${bind(id)})`);
  }
  const where = conditions.length ? `where ${conditions.join(" and ")}` : "";
  const order = `order by ${by}.killmail_time desc, ${by}.killmail_id desc limit ${limit}`;
  const shape = [...Object.entries(filter).map(([name, ids]) => `${name}${ids.length === 1}`), Boolean(after), limit];
  return query(`list ${shape}`, `select k.* from ${from} ${where} ${order}`, values);
};

export const resolvers = {
  Query: {
    killmails: async (_, { first, after, filter }) => {
      const rows = await list(filter ?? {}, first + 1, after);
      const nodes = rows.slice(0, first);
      return { nodes, pageInfo: { hasNextPage: rows.length > first, endCursor: cursor(nodes.at(-1)) } };
    },
    killmail: async (_, { id }) => (await query("one", "select * from killmail where killmail_id = $1", [id]))[0],
  },
  Killmail: {
    id: (row) => row.killmail_id,
    hash: (row) => row.hash.toString("hex"),
    time: (row) => row.killmail_time.toISOString().replace(".000Z", "Z"),
    attackerCount: (row) => row.attacker_count,
    solarSystem: (row) => row,
    victim: (row) => row,
    finalBlow: (row) => row,
    values: (row) => row,
    attackers: (row, _, context) => context.attackers.load(row.killmail_id),
    items: async (row, _, context) => {
      const rows = await context.items.load(row.killmail_id);
      for (const item of rows) item.contents = rows.filter((other) => other.parent_ordinal === item.ordinal);
      return rows.filter((item) => item.parent_ordinal === null);
    },
  },
  KillmailValues: {
    total: (row) => isk(row.total_value_cents),
    fitted: (row) => isk(row.fitted_value_cents),
    dropped: (row) => isk(row.dropped_value_cents),
    destroyed: (row) => isk(row.destroyed_value_cents),
  },
  SolarSystem: {
    id: (row) => row.solar_system_id,
    name: async (row) => (await systems.load(row.solar_system_id))?.name,
    security: async (row) => shown((await systems.load(row.solar_system_id)).security_status),
    region: (row) => known(regions, row.region_id),
  },
  Type: { group: (type) => known(groups, type.group_id) },
  Victim: {
    ...party("victim_"),
    shipType: (row) => known(types, row.ship_type_id),
    damageTaken: (row) => row.damage_taken,
    position: (row) => (row.position_x === null ? null : { x: row.position_x, y: row.position_y, z: row.position_z }),
  },
  FinalBlow: { ...party("final_blow_"), shipType: (row) => known(types, row.final_blow_ship_type_id) },
  Attacker: {
    ...party(""),
    shipType: (row) => known(types, row.ship_type_id),
    weaponType: (row) => known(types, row.weapon_type_id),
    damageDone: (row) => row.damage_done,
    finalBlow: (row) => row.is_final_blow,
    securityStatus: (row) => (row.security_status === null ? null : Math.round(row.security_status * 100) / 100),
  },
  Item: {
    type: (row) => known(types, row.type_id),
    quantityDropped: (row) => row.quantity_dropped,
    quantityDestroyed: (row) => row.quantity_destroyed,
    unitPrice: (row) => (row.price_rule === UNKNOWN_PRICE ? null : isk(row.unit_price_cents)),
    items: (row) => row.contents,
  },
};

export const typeDefs = /* GraphQL */ `
  scalar ID64
  scalar Isk
  scalar DateTime
  type Query {
    killmails(first: Int = 50, after: String, filter: KillmailFilter): KillmailConnection!
    killmail(id: ID64!): Killmail
  }
  input KillmailFilter {
    attackerAlliance: [ID64!] victimAlliance: [ID64!] region: [ID64!] system: [ID64!] victimShipGroup: [ID64!]
    victimShipType: [ID64!]
  }
  type KillmailConnection { nodes: [Killmail!]! pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Killmail {
    id: Int! hash: String! time: DateTime! points: Int! attackerCount: Int! labels: [String!]!
    solarSystem: SolarSystem! victim: Victim! finalBlow: FinalBlow! values: KillmailValues!
    attackers: [Attacker!]! items: [Item!]!
  }
  type KillmailValues { total: Isk! fitted: Isk! dropped: Isk! destroyed: Isk! }
  type Named { id: Int! name: String }
  type Character { id: ID64! name: String }
  type Corporation { id: ID64! name: String ticker: String }
  type Alliance { id: ID64! name: String ticker: String }
  type Type { id: Int! name: String group: Named }
  type SolarSystem { id: Int! name: String security: Float region: Named }
  type Position { x: Float! y: Float! z: Float! }
  type Victim {
    character: Character corporation: Corporation alliance: Alliance faction: Named
    shipType: Type! damageTaken: ID64! position: Position
  }
  type FinalBlow {
    character: Character corporation: Corporation alliance: Alliance faction: Named shipType: Type
  }
  type Attacker {
    ordinal: Int! character: Character corporation: Corporation alliance: Alliance faction: Named
    shipType: Type weaponType: Type damageDone: ID64! finalBlow: Boolean! securityStatus: Float
  }
  type Item {
    type: Type! flag: Int! quantityDropped: ID64! quantityDestroyed: ID64! unitPrice: Isk items: [Item!]!
  }
`;
