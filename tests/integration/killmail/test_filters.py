"""A list from the database holds exactly the killmails that the same filter lets pass in memory, in exact order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from killreport.db.database import Connection, Database
from killreport.eve.load import load_universe
from killreport.killmail.filters.predicates import SPACES, Facts
from killreport.killmail.filters.table import FILTERS
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.filters.values import Count, Hours, Ids, Instant, Isk, YesNo
from killreport.killmail.lists import newest
from killreport.killmail.lists import walk as walk_by_figure
from killreport.killmail.lists.count import ListCount, count_killmails
from killreport.killmail.lists.page import Cursor, Order, cursor_of
from killreport.killmail.lists.pages import list_killmails
from killreport.killmail.stored.queries import KillmailRow, get_killmails, list_attackers, list_items
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.killmail import population

KILLMAILS = 300
EXAMPLES = 300
LABELS = ["pvp", "npc", "solo", "awox", "tz:eu", "tz:use", "loc:highsec", "loc:abyssal", "cat:6", "#:2+", "isk:1b+"]
IDS: dict[str, list[int]] = {
    "character": population.CHARACTERS,
    "corporation": population.CORPORATIONS,
    "alliance": population.ALLIANCES,
    "faction": population.FACTIONS,
    "shipType": population.SHIP_TYPES,
    "shipGroup": population.SHIP_GROUPS,
    "type": [*population.TYPES, *population.WEAPONS],
    "solarSystem": population.SYSTEMS,
    "constellation": population.CONSTELLATIONS,
    "region": population.REGIONS,
    "war": population.WARS,
    "location": population.LOCATIONS,
    "category": [6, 65, 22],
}
NUMBERS = {"attackersMin": 12, "attackersMax": 12, "playersMin": 12, "playersMax": 12, "pointsMin": 10, "pointsMax": 10}


def _value(name: str) -> st.SearchStrategy[Any]:
    kind = FILTERS[name].kind
    if isinstance(kind, Ids):
        return st.lists(st.sampled_from(IDS[kind.refers_to]), min_size=1, max_size=3)
    if isinstance(kind, Count):
        return st.integers(0, NUMBERS[name])
    if isinstance(kind, Isk):
        return st.sampled_from([0, 1_000_000, 30_000_000.25, 10**9, 10**10])
    return st.booleans() if isinstance(kind, YesNo) else _time_or_words(name)


def _time_or_words(name: str) -> st.SearchStrategy[Any]:
    kind = FILTERS[name].kind
    if isinstance(kind, Instant):
        minutes = st.integers(0, population.HOURS * 60)
        return minutes.map(lambda number: population.BEGIN + timedelta(minutes=number))
    if isinstance(kind, Hours):
        hours = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] != pair[1])
        return hours.map(lambda pair: {"from": pair[0], "to": pair[1]})
    return st.lists(st.sampled_from(SPACES if name == "space" else LABELS), min_size=1, max_size=3)


def _nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"and": parts}),
        several.map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
        st.tuples(inner, inner).map(lambda pair: {**pair[0], "or": [pair[1], {"npc": True}]}),
    )


CONDITION = st.sampled_from(sorted(FILTERS)).flatmap(lambda name: _value(name).map(lambda value: {name: value}))
PAIR = st.tuples(CONDITION, CONDITION).map(lambda pair: {**pair[0], **pair[1]})
FILTER = st.recursive(st.one_of(CONDITION, PAIR), _nested, max_leaves=4)


class Bounds(NamedTuple):
    """What decides between two ways to read a list."""

    step: int
    walked: int
    days: int


BOUNDS = (
    Bounds(walk_by_figure.FIRST_STEP, walk_by_figure.MAX_WALKED, newest.FEW_DAYS),
    Bounds(8, 10_000, 0),
    Bounds(8, 0, 0),
)


async def _walk(
    connection: Connection, wanted: KillmailFilter, order: Order, size: int, *, is_forward: bool
) -> list[KillmailRow]:
    """Return the whole list, read page by page from its begin on, or from its end back."""
    found: list[KillmailRow] = []
    cursor: Cursor | None = None
    while True:
        if is_forward:
            page = await list_killmails(connection, wanted, order, first=size, after=cursor)
            found += page.rows
        else:
            page = await list_killmails(connection, wanted, order, last=size, before=cursor)
            found = page.rows + found
        if not page.has_more:
            return found
        cursor = cursor_of(page.rows[-1 if is_forward else 0], order)


async def _all_facts(database: Database) -> list[Facts]:
    ids = range(1000, 1000 + KILLMAILS)
    async with database.connection() as connection:
        universe = await load_universe(connection)
        rows = await get_killmails(connection, ids)
        attackers = await list_attackers(connection, ids)
        items = await list_items(connection, ids)
    return [Facts(row, attackers[row.killmail_id], items.get(row.killmail_id, ()), universe) for row in rows]


def _expected(everything: Sequence[Facts], wanted: KillmailFilter, order: Order) -> list[int]:
    passing = [facts.killmail for facts in everything if wanted.matches(facts)]
    return [row.killmail_id for row in sorted(passing, key=lambda row: cursor_of(row, order), reverse=True)]


async def test_a_list_holds_exactly_what_passes_the_filter_in_memory(
    database: Database, writer: KillmailWriter
) -> None:
    await writer.store(database, population.make_arrivals(KILLMAILS, seed=1))
    everything = await _all_facts(database)
    assert len(everything) == KILLMAILS
    loop = asyncio.get_running_loop()
    hits = []

    @settings(max_examples=EXAMPLES)
    @given(FILTER, st.sampled_from(Order), st.sampled_from([60, 200]), st.booleans(), st.sampled_from(BOUNDS))
    def check(plain: dict[str, Any], order: Order, size: int, is_forward: bool, bounds: Bounds) -> None:
        wanted = KillmailFilter.read(plain)
        expected = _expected(everything, wanted, order)

        async def walk() -> list[KillmailRow]:
            async with database.connection() as connection:
                (count,) = await count_killmails(connection, [wanted])
                assert count == ListCount(len(expected))
                return await _walk(connection, wanted, order, size, is_forward=is_forward)

        # So few killmails would always be walked to their end, and their days always be looked at one by one.
        with (
            patch.multiple(walk_by_figure, FIRST_STEP=bounds.step, MAX_WALKED=bounds.walked),
            patch.object(newest, "FEW_DAYS", bounds.days),
        ):
            found = asyncio.run_coroutine_threadsafe(walk(), loop).result()
        assert [row.killmail_id for row in found] == expected
        hits.append(0 < len(expected) < KILLMAILS)

    await asyncio.to_thread(check)
    assert sum(hits) > EXAMPLES / 2  # most filters let some pass and hold others back
