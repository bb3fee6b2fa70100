"""Every list reads a page's worth of rows off an index, whatever it is filtered by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from killreport.db.database import Connection, Database, open_pool
from killreport.eve.universe import Universe
from killreport.killmail.filters.table import FILTERS
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.of_many import list_related
from killreport.killmail.lists.page import Order, cursor_of
from killreport.killmail.lists.pages import list_killmails
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from killreport.sim.world.generator import Generator
from killreport.sim.world.people import World
from tests.databases import create_database, drop_databases, with_database_name

FACTS = {"killmail", "posting"}
KILLMAILS = 4_000
PAGE = 20
# The killmails of a day, one a minute, of which some are held back; some postings; a page and the row beyond.
MAX_ROWS = 24 * 60 + 25 * PAGE

# SQL for the value a filter is tried with: a busy one, which has far more killmails than a page.
BUSIEST = {
    "character": "select character_id from attacker where character_id is not null group by 1 order by count(*) desc",
    "corporation": "select corporation_id from attacker where character_id > 0 group by 1 order by count(*) desc",
    "alliance": "select alliance_id from attacker where alliance_id is not null group by 1 order by count(*) desc",
    "faction": "select faction_id from attacker where faction_id is not null group by 1 order by count(*) desc",
    "shipType": "select ship_type_id from killmail where is_solo group by 1 order by count(*) desc",
    "shipGroup": "select ship_group_id from killmail group by 1 order by count(*) desc",
    "type": "select type_id from item group by 1 order by count(*) desc",
    "fitted": "select type_id from item where flag between 11 and 34 group by 1 order by count(*) desc",
    "weapon": "select weapon_type_id from attacker where weapon_type_id is not null group by 1 order by count(*) desc",
    "solarSystem": "select solar_system_id from killmail group by 1 order by count(*) desc",
    "constellation": "select constellation_id from killmail group by 1 order by count(*) desc",
    "region": "select region_id from killmail group by 1 order by count(*) desc",
    "war": "select war_id from killmail where war_id is not null group by 1 order by count(*) desc",
}
PLAIN: dict[str, Any] = {
    "weapon": "weapon",
    "itemFitted": "fitted",
    "attackersMin": 30,
    "attackersMax": 1,
    "playersMin": 30,
    "playersMax": 1,
    "shipCategory": [6],
    "location": [40_009_082],
    "space": ["w-space"],
    "from": "2021-12-02T00:00:00Z",
    "to": "2021-12-02T00:00:00Z",
    "hours": {"from": 22, "to": 2},
    "valueMin": 500_000_000,
    "valueMax": 1_000_000,
    "pointsMin": 100,
    "pointsMax": 1,
    "solo": True,
    "npc": True,
    "awox": True,
    "labels": ["loc:lowsec"],
    "labelsAny": ["capital", "isk:10b+"],
    "labelsNone": ["pvp"],
}
COMBINATIONS: list[dict[str, Any]] = [
    {},
    {"alliance": "alliance", "from": "2021-12-01T00:00:00Z"},
    {"attackerAlliance": "alliance", "to": "2021-12-02T00:00:00Z"},
    {"region": "region", "valueMin": 100_000_000},
    {"shipType": "shipType", "solo": True},
    {"attackerAlliance": "alliance", "region": "region"},
    {"attackerCorporation": "corporation", "attackerShipGroup": "shipGroup"},
    {"or": [{"alliance": "alliance"}, {"system": "solarSystem"}], "npc": False},
    {"itemFitted": "fitted", "region": "region"},
]


class Explaining:
    """A connection that keeps the plan of every statement it was asked to run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, statement: str, *arguments: object) -> Any:
        """Run a statement that connections keep; its plan is the one that is made once for all arguments."""
        rows = await self._connection.fetch(statement, *arguments)
        given = ", ".join(f"'{_literal(argument)}'" for argument in arguments)
        await self._connection.execute(f"prepare kept as {statement}; set plan_cache_mode = force_generic_plan")
        explained = await self._connection.prepare(
            f"explain (analyze, format json) execute kept{f'({given})' if given else ''}", name=""
        )
        self.plans.append(json.loads(await explained.fetchval())[0]["Plan"])
        await self._connection.execute("deallocate kept; reset plan_cache_mode")
        return rows

    async def prepare(self, statement: str, name: str) -> Any:
        """Return something that explains the statement and then runs it."""
        prepared = await self._connection.prepare(statement, name=name)
        return _Explained(self, prepared, self._connection, statement)


def _literal(argument: object) -> str:
    return f"{{{','.join(map(str, argument))}}}" if isinstance(argument, list | tuple) else str(argument)


class _Explained:
    def __init__(self, owner: Explaining, prepared: Any, connection: Connection, statement: str) -> None:
        self._owner, self._prepared, self._connection, self._statement = owner, prepared, connection, statement

    async def fetch(self, *arguments: object) -> Any:
        rows = await self._prepared.fetch(*arguments)
        explained = await self._connection.prepare(f"explain (analyze, format json) {self._statement}", name="")
        self._owner.plans.append(json.loads(await explained.fetchval(*arguments))[0]["Plan"])
        return rows


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _rows_read(plan: dict[str, Any]) -> float:
    """Return how many rows of the facts were read off tables and indexes, thrown away ones too."""
    read = 0.0
    for node in _nodes(plan):
        if "Relation Name" in node or node["Node Type"] == "Bitmap Index Scan":
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read += (node["Actual Rows"] + removed) * node["Actual Loops"]
    return read


def _assert_bounded(plans: list[dict[str, Any]]) -> None:
    assert plans
    for plan in plans:
        sequential = [node["Relation Name"] for node in _nodes(plan) if node["Node Type"] == "Seq Scan"]
        assert not FACTS & set(sequential), json.dumps(plan, indent=1)
    read = sum(map(_rows_read, plans))
    assert read <= MAX_ROWS, (read, json.dumps(plans, indent=1))


@pytest.fixture(scope="module")
def template_database(server_url: str, template_database: str, universe: Universe) -> Iterator[str]:
    """Yield the name of a template that has some thousand made-up killmails too, with fresh statistics."""
    name = asyncio.run(create_database(server_url, template_database))
    asyncio.run(_fill(with_database_name(server_url, name), universe))
    yield name
    asyncio.run(drop_databases(server_url, name))


async def _fill(url: str, universe: Universe) -> None:
    generator = Generator(universe, World(1))
    begin = 1_638_360_000
    arrivals = [
        Arrival(decode_killmail(msgspec.json.encode(generator.generate(number, begin + 60 * number))), "test")
        for number in range(KILLMAILS)
    ]
    async with open_pool(url, 1, "test") as database:
        async with database.connection() as connection:
            prices = await load_price_book(connection, universe)
        await KillmailWriter(universe, prices).store(database, arrivals)
        async with database.connection() as connection:
            await connection.execute("vacuum analyze killmail, posting")


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """Yield a connection to the made-up killmails."""
    async with database.connection() as connection:
        # Some thousand killmails are read in order of time almost for free; on a disk where a random page costs hardly
        # more than the next one, the plans of so few are those of many.
        await connection.execute("set random_page_cost = 1.1")
        yield connection


async def _with_busiest(connection: Connection, plain: Any) -> Any:
    if isinstance(plain, list):
        return [await _with_busiest(connection, part) for part in plain]
    if not isinstance(plain, dict):
        return plain
    found = {}
    for name, value in plain.items():
        is_kind = isinstance(value, str) and value in BUSIEST
        found[name] = [await connection.fetchval(BUSIEST[value])] if is_kind else await _with_busiest(connection, value)
    return found


def _alone() -> list[dict[str, Any]]:
    return [{name: PLAIN.get(name, getattr(entry.kind, "refers_to", None))} for name, entry in FILTERS.items()]


async def test_every_filter_and_the_common_combinations_read_a_page_off_an_index(connection: Connection) -> None:
    for plain in (*_alone(), *COMBINATIONS):
        wanted = KillmailFilter.read(await _with_busiest(connection, plain))
        explaining = Explaining(connection)
        page = await list_killmails(explaining, wanted, first=PAGE)
        if page.has_more:
            explaining = Explaining(connection)
            await list_killmails(explaining, wanted, first=PAGE, after=cursor_of(page.rows[-1]))
            _assert_bounded(explaining.plans)


@pytest.mark.parametrize("order", Order)
async def test_every_order_reads_a_page_off_an_index(connection: Connection, order: Order) -> None:
    explaining = Explaining(connection)
    await list_killmails(explaining, order=order, first=PAGE)
    page = await list_killmails(explaining, order=order, last=PAGE)
    _assert_bounded(explaining.plans)
    middle = cursor_of(page.rows[0], order)
    explaining = Explaining(connection)
    await list_killmails(explaining, order=order, first=PAGE, after=middle)
    await list_killmails(explaining, order=order, last=PAGE, before=middle)
    _assert_bounded(explaining.plans)


async def test_related_kills_are_read_off_the_systems_index(connection: Connection) -> None:
    (row,) = (await list_killmails(connection, first=1)).rows
    explaining = Explaining(connection)
    (page,) = await list_related(explaining, [row], PAGE)
    assert row in page.rows
    _assert_bounded(explaining.plans)
