"""The list and the page of `bench/api_queries.py` on strawberry, asyncpg and uvicorn, carefully written.

DataLoaders a request for names; the static data of EVE is kept by the process. Runs in an environment of its own, with
nothing of KillReport in it. Environment: DATABASE_URL, PORT.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC
from functools import partial
from typing import Any, NewType

import asyncpg
import orjson
import strawberry
import uvicorn
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

ID64 = NewType("ID64", int)
Isk = NewType("Isk", int)
Instant = NewType("Instant", object)


def _isk(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


SCALARS = {
    ID64: strawberry.scalar(name="ID64", serialize=int),
    Isk: strawberry.scalar(name="Isk", serialize=_isk),
    Instant: strawberry.scalar(
        name="DateTime", serialize=lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    ),
}
Row = Mapping[str, Any]
UNKNOWN_PRICE = 99
pool: Any = None


def _named(table: str, column: str, columns: str) -> Any:
    statement = f"select {column} as id, {columns} from {table} where {column} = any($1::bigint[])"

    async def load(ids: list[int]) -> list[Row | None]:
        found = {row["id"]: row for row in await pool.fetch(statement, ids)}
        return [found.get(key) for key in ids]

    return load


def _grouped(table: str) -> Any:
    statement = f"select * from {table} where killmail_id = any($1::bigint[]) order by killmail_id, ordinal"

    async def load(ids: list[int]) -> list[list[Row]]:
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for row in await pool.fetch(statement, ids):
            found[row["killmail_id"]].append(row)
        return [found[key] for key in ids]

    return load


STATIC = {
    "type": _named("eve_type", "type_id", "name, group_id"),
    "group": _named("eve_group", "group_id", "name"),
    "system": _named("eve_system", "solar_system_id", "name, security_status"),
    "region": _named("eve_region", "region_id", "name"),
    "faction": _named("eve_faction", "faction_id", "name"),
    "npc": _named("eve_corporation", "corporation_id", "name, ticker"),
}
FRESH = {
    "character": _named("character", "character_id", "name"),
    "corporation": _named("corporation", "corporation_id", "name, ticker"),
    "alliance": _named("alliance", "alliance_id", "name, ticker"),
    "attackers": _grouped("attacker"),
    "items": _grouped("item"),
}
kept: dict[str, Any] = {}
_KEPT: defaultdict[str, dict[int, Any]] = defaultdict(dict)


async def _static(name: str, key: int) -> Any:
    """Return static data; it is kept from the first request on."""
    if key not in _KEPT[name]:
        _KEPT[name][key] = await kept[name].load(key)
    return _KEPT[name][key]


@strawberry.type
class Named:
    id: int
    name: str | None


@strawberry.type
class Character:
    id: ID64
    name: str | None


@strawberry.type
class Corporation:
    id: ID64
    name: str | None
    ticker: str | None


@strawberry.type
class Alliance:
    id: ID64
    name: str | None
    ticker: str | None


def _view(kind: Any, identity: int, row: Row | None) -> Any:
    if kind in (Corporation, Alliance):
        return kind(id=identity, name=row and row["name"], ticker=row and row["ticker"])
    return kind(id=identity, name=row and row["name"])


@strawberry.type
class Type:
    id: int
    name: str | None
    group_id: strawberry.Private[int | None]

    @strawberry.field
    async def group(self) -> Named | None:
        return None if self.group_id is None else _view(Named, self.group_id, await _static("group", self.group_id))


async def _type(identity: int | None) -> Any:
    if identity is None:
        return None
    row = await _static("type", identity)
    return Type(id=identity, name=row and row["name"], group_id=row and row["group_id"])


@strawberry.interface
class Party:
    row: strawberry.Private[Any]
    prefix: strawberry.Private[str]

    @strawberry.field
    async def character(self, info: strawberry.Info) -> Character | None:
        key = self.row[self.prefix + "character_id"]
        return None if key is None else _view(Character, key, await info.context["character"].load(key))

    @strawberry.field
    async def corporation(self, info: strawberry.Info) -> Corporation | None:
        key = self.row[self.prefix + "corporation_id"]
        if key is None:
            return None
        is_npc = 1_000_000 <= key < 2_000_000
        found = await (_static("npc", key) if is_npc else info.context["corporation"].load(key))
        return _view(Corporation, key, found)

    @strawberry.field
    async def alliance(self, info: strawberry.Info) -> Alliance | None:
        key = self.row[self.prefix + "alliance_id"]
        return None if key is None else _view(Alliance, key, await info.context["alliance"].load(key))

    @strawberry.field
    async def faction(self) -> Named | None:
        key = self.row[self.prefix + "faction_id"]
        return None if key is None else _view(Named, key, await _static("faction", key))


@strawberry.type
class Position:
    x: float
    y: float
    z: float


@strawberry.type
class Victim(Party):
    @strawberry.field
    async def ship_type(self) -> Type:
        return await _type(self.row["ship_type_id"])

    @strawberry.field
    def damage_taken(self) -> ID64:
        return self.row["damage_taken"]

    @strawberry.field
    def position(self) -> Position | None:
        row = self.row
        if row["position_x"] is None:
            return None
        return Position(x=row["position_x"], y=row["position_y"], z=row["position_z"])


@strawberry.type
class FinalBlow(Party):
    @strawberry.field
    async def ship_type(self) -> Type | None:
        return await _type(self.row["final_blow_ship_type_id"])


@strawberry.type
class Attacker(Party):
    ordinal: int
    damage_done: ID64
    final_blow: bool
    security_status: float | None

    @strawberry.field
    async def ship_type(self) -> Type | None:
        return await _type(self.row["ship_type_id"])

    @strawberry.field
    async def weapon_type(self) -> Type | None:
        return await _type(self.row["weapon_type_id"])


@strawberry.type
class Item:
    type_id: strawberry.Private[int]
    flag: int
    quantity_dropped: ID64
    quantity_destroyed: ID64
    unit_price: Isk | None
    items: list[Item]

    @strawberry.field
    async def type(self) -> Type:
        return await _type(self.type_id)


def _item(row: Row, rows: list[Row]) -> Item:
    inside = [_item(other, rows) for other in rows if other["parent_ordinal"] == row["ordinal"]]
    return Item(
        type_id=row["type_id"],
        flag=row["flag"],
        quantity_dropped=row["quantity_dropped"],
        quantity_destroyed=row["quantity_destroyed"],
        unit_price=None if row["price_rule"] == UNKNOWN_PRICE else row["unit_price_cents"],
        items=inside,
    )


@strawberry.type
class KillmailValues:
    total: Isk
    fitted: Isk
    dropped: Isk
    destroyed: Isk


@strawberry.type
class SolarSystem:
    id: int
    region_id: strawberry.Private[int | None]

    @strawberry.field
    async def name(self) -> str | None:
        return (await _static("system", self.id))["name"]

    @strawberry.field
    async def security(self) -> float | None:
        raw = (await _static("system", self.id))["security_status"]
        return 0.1 if 0 < raw < 0.05 else math.floor(raw * 10 + 0.5) / 10

    @strawberry.field
    async def region(self) -> Named | None:
        key = self.region_id
        return None if key is None else _view(Named, key, await _static("region", key))


@strawberry.type
class Killmail:
    row: strawberry.Private[Any]
    id: int
    hash: str
    time: Instant
    points: int
    attacker_count: int
    labels: list[str]
    solar_system: SolarSystem
    victim: Victim
    final_blow: FinalBlow
    values: KillmailValues

    @strawberry.field
    async def attackers(self, info: strawberry.Info) -> list[Attacker]:
        return [
            Attacker(
                row=row,
                prefix="",
                ordinal=row["ordinal"],
                damage_done=row["damage_done"],
                final_blow=row["is_final_blow"],
                security_status=None if row["security_status"] is None else round(row["security_status"], 2),
            )
            for row in await info.context["attackers"].load(self.id)
        ]

    @strawberry.field
    async def items(self, info: strawberry.Info) -> list[Item]:
        rows = await info.context["items"].load(self.id)
        return [_item(row, rows) for row in rows if row["parent_ordinal"] is None]


def _killmail(row: Row) -> Killmail:
    return Killmail(
        row=row,
        id=row["killmail_id"],
        hash=row["hash"].hex(),
        time=row["killmail_time"],
        points=row["points"],
        attacker_count=row["attacker_count"],
        labels=row["labels"],
        solar_system=SolarSystem(id=row["solar_system_id"], region_id=row["region_id"]),
        victim=Victim(row=row, prefix="victim_"),
        final_blow=FinalBlow(row=row, prefix="final_blow_"),
        values=KillmailValues(
            **{name: row[f"{name}_value_cents"] for name in ("total", "fitted", "dropped", "destroyed")}
        ),
    )


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class KillmailConnection:
    nodes: list[Killmail]
    page_info: PageInfo


@strawberry.type
class Query:
    @strawberry.field
    async def killmails(self, first: int = 50) -> KillmailConnection:
        rows = await pool.fetch(
            f"select * from killmail order by killmail_time desc, killmail_id desc limit {int(first) + 1}"
        )
        return KillmailConnection(
            nodes=[_killmail(row) for row in rows[:first]], page_info=PageInfo(has_next_page=len(rows) > first)
        )

    @strawberry.field
    async def killmail(self, id: int) -> Killmail | None:
        row = await pool.fetchrow("select * from killmail where killmail_id = $1", id)
        return None if row is None else _killmail(row)


class Application(GraphQL):
    async def get_context(self, request: Any, response: Any) -> Any:
        return {name: DataLoader(load) for name, load in FRESH.items()}

    def encode_json(self, data: Any) -> bytes:
        return orjson.dumps(data)


async def _start() -> None:
    global pool
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=5, server_settings={"jit": "off"})
    kept.update({name: DataLoader(load) for name, load in STATIC.items()})


class Lifespan:
    def __init__(self, _app: Any) -> None:
        pass

    async def __aenter__(self) -> None:
        await _start()

    async def __aexit__(self, *_: object) -> None:
        await pool.close()


def _itself(extension: Any) -> Any:
    return extension


schema = strawberry.Schema(
    Query,
    # One of each for all requests: what they remember is in the instance.
    extensions=[partial(_itself, ParserCache(maxsize=100)), partial(_itself, ValidationCache(maxsize=100))],
    config=StrawberryConfig(scalar_map=SCALARS),
)
application = Starlette(lifespan=Lifespan)
application.add_route("/graphql", Application(schema, graphql_ide=None), methods=["POST"])

if __name__ == "__main__":
    uvicorn.run(application, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False, log_level="warning")
