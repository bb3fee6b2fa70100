"""No read of rankings, statistics, lists or names scans a table of facts or of names, whatever it is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyroaring import BitMap64

from killreport.db.database import Connection, Database
from killreport.entity.history import list_members_of
from killreport.entity.kind import EntityKind
from killreport.eve.universe import Universe
from killreport.killmail.mail.model import Attacker
from killreport.killmail.postings.packing import pack_ids
from killreport.killmail.stored.packed import pack_attackers, pack_items
from killreport.leaderboard.by_group import count_groups
from killreport.leaderboard.dearest import list_dearest
from killreport.leaderboard.model import Metric, Window
from killreport.leaderboard.own import list_own_tops
from killreport.leaderboard.places import list_hours_of
from killreport.leaderboard.queries import get_ranking, get_ranking_of_place
from killreport.leaderboard.scope import Scope
from killreport.leaderboard.statistics import Counted, list_activity, list_months_of, list_totals, list_totals_between
from killreport.leaderboard.tops import list_tops_of
from killreport.leaderboard.types import find_totals
from killreport.search.search import load_search

TODAY = datetime(2021, 12, 31, tzinfo=UTC).date()
LARGE = {
    *("killmail", "posting", "total_stat", "system_figures"),
    *("character", "corporation", "alliance"),
}
SUMS_OF_POSTING = ("isk_cents", "npc_isk_cents", "max_isk_cents", "points", "max_points", "solo", "npc", "final_blows")
# Many rows by few statements: enough that a scan of all is the dearer plan wherever an index can be used.
FILL = """
select make_killmail_partition(1);
insert into killmail (killmail_id, killmail_time, solar_system_id, constellation_id, region_id,
    victim_character_id, victim_corporation_id, victim_alliance_id, ship_type_id, ship_group_id, damage_taken,
    attacker_count, player_count, ship_value_cents, ship_price_rule, fitted_value_cents, dropped_value_cents,
    destroyed_value_cents, total_value_cents, points, is_value_complete, is_npc, is_solo, is_awox, labels, source,
    attackers, items)
select n, '2021-01-01Z'::timestamptz + n * interval '25 minutes',
    30000000 + n % 5000, 20000000, 10000000, 90000000 + n % 3000, 98000000 + n % 300, 99000000 + n % 30, 587, 25, 1,
    1, 1, 1, 1, 1, 1, 1, n * 7919 % 100003, 1, true, false, true, false, 0, 'test', '', ''
from generate_series(1, 20000) n;
insert into posting (code, day, side, killmail_ids, killmails, isk_cents, npc_isk_cents, max_isk_cents, points,
    max_points, solo, npc, final_blows)
select (90000000 + entity)::bigint << 4 | kind, '2021-01-01'::date + day, side, '\\x0101', 1, 1, 0, 1, 1, 1, 1, 0, 1
from unnest('{1,2,3,6}'::int[]) kind, generate_series(1, 50) entity, generate_series(1, 364, 2) day,
    generate_series(0, 1) side;
insert into total_stat select kind, 90000000 + entity, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0
from generate_series(1, 9) kind, generate_series(1, 5000) entity;
insert into system_figures (solar_system_id, day, part, figures)
select 30000000 + system, '2021-01-01'::date + day, 0,
    pack_system_figures('{1}', '{90000000}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}')
from generate_series(1, 300) system, generate_series(1, 364, 2) day;
update total_stat set activity = pack_activity(13, 1, 1) where entity_kind = 1;
insert into character (character_id, name, corporation_id) select n, md5(n::text), 98000000 + n % 300
from generate_series(1, 20000) n;
insert into corporation (corporation_id, name, ticker, alliance_id)
select n, md5(n::text), left(md5(n::text), 5), 99000000 + n % 30 from generate_series(1, 20000) n;
insert into alliance (alliance_id, name, ticker) select n, md5(n::text), left(md5(n::text), 5)
from generate_series(1, 20000) n;
analyze;
"""


# By whom and where the killmails above were: what the lists are read from.
POSTED = """
select entity_id << 4 | kind, (killmail_time at time zone 'UTC')::date, array_agg(killmail_id)
from killmail cross join lateral (values
    (3, 99000000 + killmail_id % 30), (6, 25), (7, solar_system_id)) as part (kind, entity_id)
group by 1, 2
"""


async def _pack(connection: Connection) -> None:
    """Give every killmail an attacker of its alliance, and no items."""
    alliances = range(99000000, 99000030)
    pilots = [
        Attacker(
            damage_done=1,
            final_blow=True,
            character_id=91000000,
            corporation_id=98000000,
            alliance_id=alliance_id,
            ship_type_id=587,
            weapon_type_id=587,
        )
        for alliance_id in alliances
    ]
    await connection.execute(
        """update killmail set attackers = packed.attackers, items = $3
           from unnest($1::bigint[], $2::bytea[]) as packed (alliance_id, attackers)
           where victim_alliance_id = packed.alliance_id""",
        list(alliances),
        [pack_attackers([pilot]) for pilot in pilots],
        pack_items([], []),
    )


async def _post(connection: Connection) -> None:
    await connection.copy_records_to_table(
        "posting",
        columns=("code", "day", "side", "killmail_ids", "killmails", *SUMS_OF_POSTING),
        records=[
            (code, day, 0, pack_ids(BitMap64(ids)), len(ids), *[1] * len(SUMS_OF_POSTING))
            for code, day, ids in await connection.fetch(POSTED)
        ],
    )
    await connection.execute("analyze posting")


class Planning:
    """A connection that explains every statement before it runs it, and keeps the nodes of the plans."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.nodes: list[dict[str, Any]] = []

    async def _explain(self, statement: str, arguments: tuple[object, ...]) -> None:
        plan = await self._connection.fetchval(f"explain (format json) {statement}", *arguments)
        waiting = [json.loads(plan)[0]["Plan"]]
        while waiting:
            node = waiting.pop()
            self.nodes.append(node)
            waiting += node.get("Plans", [])

    async def fetch(self, statement: str, *arguments: object) -> Any:
        await self._explain(statement, arguments)
        return await self._connection.fetch(statement, *arguments)

    async def fetchrow(self, statement: str, *arguments: object) -> Any:
        await self._explain(statement, arguments)
        return await self._connection.fetchrow(statement, *arguments)

    def transaction(self, **options: Any) -> Any:
        return self._connection.transaction(**options)

    async def cursor(self, statement: str, *arguments: object) -> Any:
        await self._explain(statement, arguments)
        return await self._connection.cursor(statement, *arguments)

    async def execute(self, statement: str) -> None:
        await self._connection.execute(statement)

    async def fetchval(self, statement: str, *arguments: object) -> Any:
        return await self._connection.fetchval(statement, *arguments)

    def scans(self) -> set[str]:
        read = {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}
        # A partition is named after its table and its first id.
        return {re.sub(r"_\d+$", "", name) for name in read} & LARGE

    def indexed(self) -> list[str]:
        return [node["Node Type"] for node in self.nodes if re.search("Index", node["Node Type"])]


Read = Callable[[Any, Universe], Awaitable[object]]
ALLIANCE, CHARACTER = EntityKind.ALLIANCE, EntityKind.CHARACTER
SCOPE = Scope(EntityKind.REGION, 10000000, list(range(30000001, 30000050)))


async def _search(connection: Any, universe: Universe) -> None:
    search = await load_search(connection, universe)
    for text in ("a", "c4ca", "c4ca4238a0b923820dcc509a6f75849x", "0dcc5"):
        await search.find(connection, text)


READS: dict[str, Read] = {
    "a day's ranking": lambda c, _: get_ranking(c, CHARACTER, Metric.KILLS, Window.DAY, today=TODAY),
    "a ranking of systems": lambda c, _: get_ranking_of_place(
        c, CHARACTER, Metric.KILLS, Window.DAYS_7, scope=SCOPE, today=TODAY
    ),
    "a quiet place's ranking of all time": lambda c, _: get_ranking_of_place(
        c, CHARACTER, Metric.KILLS, Window.ALL_TIME, scope=SCOPE, today=TODAY
    ),
    "dearest of a day": lambda c, _: list_dearest(c, Window.DAY, today=TODAY),
    "dearest of 90 days": lambda c, _: list_dearest(c, Window.DAYS_90, today=TODAY),
    "dearest of all": lambda c, _: list_dearest(c, Window.ALL_TIME, today=TODAY),
    "dearest of systems": lambda c, _: list_dearest(c, Window.DAYS_30, today=TODAY, scope=SCOPE),
    "dearest of a quiet place": lambda c, _: list_dearest(c, Window.ALL_TIME, today=TODAY, scope=SCOPE),
    "totals": lambda c, _: list_totals(c, [Counted(ALLIANCE, 90000001)]),
    "totals of days": lambda c, _: list_totals_between(c, [Counted(ALLIANCE, 90000001)], TODAY, TODAY),
    "months": lambda c, _: list_months_of(c, [Counted(ALLIANCE, 90000001)]),
    "activity": lambda c, _: list_activity(c, [Counted(CHARACTER, 90000001)]),
    "lists": lambda c, u: list_tops_of(c, ALLIANCE, [99000001], Window.ALL_TIME, today=TODAY, universe=u),
    "lists of 7 days": lambda c, u: list_tops_of(c, ALLIANCE, [99000001], Window.DAYS_7, today=TODAY, universe=u),
    "own lists of an alliance": lambda c, u: list_own_tops(
        c, ALLIANCE, 99000001, Window.DAYS_7, today=TODAY, universe=u
    ),
    "own lists of hulls": lambda c, u: list_own_tops(
        c, EntityKind.SHIP_GROUP, 25, Window.DAYS_7, today=TODAY, universe=u
    ),
    "own lists of a region": lambda c, u: list_own_tops(
        c, EntityKind.REGION, 10000002, Window.DAYS_7, today=TODAY, universe=u
    ),
    "groups of an alliance": lambda c, _: count_groups(c, ALLIANCE, 99000001),
    "groups of a system": lambda c, _: count_groups(c, EntityKind.SOLAR_SYSTEM, 30000001),
    "hours": lambda c, _: list_hours_of(
        c, {1: [30000001]}, now=datetime(2021, 12, 31, tzinfo=UTC), span=timedelta(days=7)
    ),
    "a category": lambda c, _: find_totals(c, EntityKind.SHIP_GROUP, [25, 26, 27]),
    "members": lambda c, _: list_members_of(c, EntityKind.CORPORATION, [98000001], beyond=100),
    "corporations": lambda c, _: list_members_of(c, ALLIANCE, [99000001]),
    "search": _search,
}


async def test_no_read_scans_a_large_table(database: Database, universe: Universe) -> None:
    found = {}
    async with database.connection() as connection:
        await connection.execute(FILL)
        await _pack(connection)
        await _post(connection)
        for name, read in READS.items():
            planning = Planning(connection)
            await read(planning, universe)
            assert planning.indexed(), name
            found[name] = planning.scans()
    assert {name: tables for name, tables in found.items() if tables} == {}


async def test_a_scan_would_be_seen(database: Database) -> None:
    async with database.connection() as connection:
        planning = Planning(connection)
        await connection.execute("select make_killmail_partition(1)")
        await planning.fetch("select * from killmail where damage_taken = 1")
    assert planning.scans() == {"killmail"}


@pytest.mark.parametrize("window", [Window.DAYS_90, Window.ALL_TIME])
async def test_a_counted_ranking_reads_its_places_alone(database: Database, window: Window) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into ranking_run values ($1, null, $2, now())", window.value, TODAY)
        planning = Planning(connection)
        await get_ranking(planning, CHARACTER, Metric.KILLS, window, today=TODAY)
    assert {node["Relation Name"] for node in planning.nodes if "Relation Name" in node} == {"ranking", "ranking_run"}


async def test_a_busy_place_reads_what_was_counted_alone(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into place_run values ($1, $2, $3, now())", int(SCOPE.kind), SCOPE.place_id, TODAY
        )
        planning = Planning(connection)
        await get_ranking_of_place(planning, CHARACTER, Metric.KILLS, Window.ALL_TIME, scope=SCOPE, today=TODAY)
        await list_dearest(planning, Window.ALL_TIME, today=TODAY, scope=SCOPE)
    read = {node["Relation Name"] for node in planning.nodes if "Relation Name" in node}
    assert read == {"place_run", "place_head", "place_dearest"}
