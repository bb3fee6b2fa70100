"""A search finds what was meant, in the order one expects, and no text harms it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from killreport.db.database import Connection, Database
from killreport.eve.load import load_universe
from killreport.search import queries
from killreport.search.model import Hit, Match, SearchKind
from killreport.search.search import Search, load_search


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """Yield a connection to a database with some names."""
    async with database.connection() as connection:
        await connection.executemany(
            "insert into character (character_id, name) values ($1, $2)",
            [(1, "Alice Rifterpilot"), (2, "alice"), (3, "Alicia 100%_sure"), (4, "Bob the Alice"), (5, None)],
        )
        await connection.execute(
            "insert into corporation (corporation_id, name, ticker) values (10, 'Goonswarm Logistics', 'ALICE')"
        )
        await connection.execute(
            "insert into alliance (alliance_id, name, ticker) values (20, 'Goonswarm Federation', 'CONDI')"
        )
        await connection.execute(
            """insert into total_stat select 1, id, kills, 0, 0, 0, 0, 0, 0, 0, 0, 0
               from (values (1, 5), (3, 9)) as known (id, kills)"""
        )
        yield connection


@pytest.fixture
async def search(connection: Connection) -> Search:
    """Return a search over the packaged static data and that database."""
    return await load_search(connection, await load_universe(connection))


def ids(hits: list[Hit], *kinds: SearchKind) -> list[int]:
    return [hit.id for hit in hits if hit.kind in kinds]


async def test_exact_names_come_first_then_tickers_then_beginnings_by_kills_then_parts(
    search: Search, connection: Connection
) -> None:
    hits = await search.find(connection, "  ALICE ", kinds=[SearchKind.CHARACTER, SearchKind.CORPORATION])
    assert [(hit.id, hit.match) for hit in hits] == [
        (2, Match.EXACT),
        (10, Match.TICKER),
        (1, Match.PREFIX),
        (4, Match.PART),
    ]
    assert (hits[1].ticker, hits[2].kills) == ("ALICE", 5)
    assert ids(await search.find(connection, "alic"), SearchKind.CHARACTER)[:2] == [3, 1]


async def test_everything_with_a_name_is_found(search: Search, connection: Connection) -> None:
    for text, kind, id_ in (
        ("rifter", SearchKind.SHIP_TYPE, 587),
        ("tritanium", SearchKind.TYPE, 34),
        ("frigate", SearchKind.GROUP, 25),
        ("jita", SearchKind.SOLAR_SYSTEM, 30000142),
        ("kimotoro", SearchKind.CONSTELLATION, 20000020),
        ("the forge", SearchKind.REGION, 10000002),
        ("caldari state", SearchKind.FACTION, 500001),
        ("goonswarm f", SearchKind.ALLIANCE, 20),
        ("condi", SearchKind.ALLIANCE, 20),
    ):
        first = (await search.find(connection, text))[0]
        assert (first.kind, first.id) == (kind, id_), text


async def test_the_beginning_of_a_ticker_is_found(search: Search, connection: Connection) -> None:
    await connection.execute(
        """insert into corporation (corporation_id, name, ticker) values
           (11, 'Perspective', 'PRSPI'), (12, 'Prsper', 'X'), (13, 'Empty', null), (14, 'Other', 'PR%PI')"""
    )
    await connection.execute("insert into total_stat select 2, 11, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0")
    hits = await search.find(connection, "prsp", kinds=[SearchKind.CORPORATION])
    assert [(hit.id, hit.match) for hit in hits[:2]] == [(11, Match.TICKER_PREFIX), (12, Match.PREFIX)]
    assert ids(await search.find(connection, "PR%", kinds=[SearchKind.CORPORATION]), SearchKind.CORPORATION)[0] == 14
    # An exact one still comes before who has more kills.
    await connection.execute("insert into corporation (corporation_id, name, ticker) values (15, 'Short', 'PRSP')")
    assert ids(await search.find(connection, "PRSP"), SearchKind.CORPORATION)[:3] == [15, 11, 12]


async def test_a_part_and_a_misspelling_are_found_where_there_are_trigrams(
    search: Search, connection: Connection
) -> None:
    assert ids(await search.find(connection, "swarm fed"), SearchKind.ALLIANCE) == [20]
    hits = await search.find(connection, "Gonswarm Federatoin", kinds=[SearchKind.ALLIANCE])
    assert [(hit.id, hit.match) for hit in hits] == [(20, Match.SIMILAR)]


async def test_without_trigrams_beginnings_and_tickers_are_still_found(connection: Connection) -> None:
    await connection.execute("drop extension pg_trgm cascade")
    search = await load_search(connection, await load_universe(connection))
    assert ids(await search.find(connection, "goonswarm"), SearchKind.CORPORATION, SearchKind.ALLIANCE) == [20, 10]
    assert ids(await search.find(connection, "swarm"), SearchKind.CORPORATION, SearchKind.ALLIANCE) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0",
        "%",
        "_",
        "%%%",
        "\\",
        "'; drop table character; --",
        "x" * 10_000,
        "\ud800abc",
        "\U0010ffff",
        "a\nb",
    ],
)
async def test_hostile_text_finds_nothing_it_should_not(search: Search, connection: Connection, text: str) -> None:
    assert (
        ids(await search.find(connection, text), SearchKind.CHARACTER, SearchKind.CORPORATION, SearchKind.ALLIANCE)
        == []
    )


async def test_wildcards_are_letters(search: Search, connection: Connection) -> None:
    assert ids(await search.find(connection, "100%_s"), SearchKind.CHARACTER) == [3]
    assert ids(await search.find(connection, "10__"), SearchKind.CHARACTER) == []


async def test_kinds_and_limit_narrow_the_hits(search: Search, connection: Connection) -> None:
    hits = await search.find(connection, "a", kinds=[SearchKind.CHARACTER], limit=2)
    assert ids(hits, SearchKind.CHARACTER) == [3, 1]
    assert len(hits) == 2
    assert len(await search.find(connection, "a", limit=10_000)) == 50


async def test_names_that_too_many_are_like_are_not_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_TRIGRAMS", "select pg_sleep(60), $1::text, $2::text")
    async with database.connection() as connection:
        assert await queries.find_alike(connection, "corp") == []
        assert await connection.fetchval("show statement_timeout") == "0"
