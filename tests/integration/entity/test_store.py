"""Entities as stored: what ESI leaves out is gone, an older answer changes nothing, periods follow each other."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from killreport.db.database import Connection, Database
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import count_waiting, find_due, mark_queued, note_seen
from killreport.entity.queries import list_missing_corporation_ids, list_periods_of, list_stale_ids, names_of
from killreport.entity.store import apply_affiliations, mark_gone, store_entity
from killreport.esi.model import EsiAffiliation, EsiAlliance, EsiCharacter, EsiCorporation
from tests.integration.workers.queues import eventually

PILOT, HOME, AWAY, UNION = 90_000_001, 98_000_001, 98_000_002, 99_000_001
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def pilot(corporation_id: int = HOME, alliance_id: int | None = UNION, **others: object) -> EsiCharacter:
    return EsiCharacter(
        **{  # type: ignore[arg-type]
            "name": "Ana Vell",
            "corporation_id": corporation_id,
            "alliance_id": alliance_id,
            "birthday": NOON,
            "security_status": 1.5,
            "title": "Captain",
            **others,
        }
    )


async def row_of(database: Database, table: str, entity_id: int) -> dict[str, object]:
    async with database.connection() as connection:
        return dict(await connection.fetchrow(f"select * from {table} where {table}_id = $1", entity_id))


async def store(database: Database, character: EsiCharacter, at: datetime = NOON) -> None:
    async with database.transaction() as connection:
        await store_entity(EntityKind.CHARACTER, connection, PILOT, character, at=at)


async def is_somebody_blocked(database: Database) -> bool:
    """Whether somebody waits for a lock that another holds."""
    query = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with database.connection() as connection:
        return await connection.fetchrow(query) is not None


async def test_a_write_tells_whether_it_changed_anything_that_is_shown(database: Database) -> None:
    corporation = EsiCorporation(name="Ana Co", ticker="ANA", member_count=3, ceo_id=PILOT, tax_rate=0.1)
    alliance = EsiAlliance(
        name="Ana Union", ticker="UNI", creator_id=PILOT, creator_corporation_id=HOME, date_founded=NOON
    )
    told: list[bool] = []
    async with database.transaction() as connection:
        for days, character in ((0, pilot()), (1, pilot()), (2, pilot(name="Bea Vell")), (1, pilot()), (3, pilot())):
            told.append(
                await store_entity(EntityKind.CHARACTER, connection, PILOT, character, at=NOON + timedelta(days=days))
            )
        assert told == [True, False, True, False, True]
        for days, ticker in enumerate(("ANA", "ANA", "BEA")):
            renamed = msgspec.structs.replace(corporation, ticker=ticker)
            told.append(
                await store_entity(EntityKind.CORPORATION, connection, HOME, renamed, at=NOON + timedelta(days=days))
            )
        for days, faction_id in enumerate((None, None, 500_001)):
            enlisted = msgspec.structs.replace(alliance, faction_id=faction_id)
            told.append(
                await store_entity(EntityKind.ALLIANCE, connection, UNION, enlisted, at=NOON + timedelta(days=days))
            )
    assert told[5:] == [True, False, True] * 2


async def test_being_gone_and_being_back_are_told_once(database: Database) -> None:
    told: list[bool] = []
    for _ in range(2):
        async with database.transaction() as connection:
            told.append(await mark_gone(connection, EntityKind.CHARACTER, PILOT))
    for _ in range(2):
        async with database.transaction() as connection:
            told.append(await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(), at=datetime.now(UTC)))
    async with database.transaction() as connection:
        told.append(await mark_gone(connection, EntityKind.SHIP_TYPE, 587))
    assert told == [True, False, True, False, False]


async def test_of_two_writers_at_once_the_second_compares_with_what_the_first_left(database: Database) -> None:
    await store(database, pilot())

    async def write(connection: Connection, name: str) -> bool:
        return await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(name=name), at=NOON + WEEK)

    async def write_back() -> bool:
        async with database.transaction() as second:
            return await write(second, "Ana Vell")

    async with database.transaction() as first:
        assert await write(first, "Bea Vell")
        second = asyncio.create_task(write_back())
        await eventually(lambda: is_somebody_blocked(database))
    assert await second


async def test_a_member_who_left_an_alliance_shows_none_and_the_period_is_closed(database: Database) -> None:
    await store(database, pilot())
    await store(database, pilot(alliance_id=None, title=None), NOON + WEEK)

    row = await row_of(database, "character", PILOT)
    assert (row["corporation_id"], row["alliance_id"], row["title"]) == (HOME, None, None)
    async with database.connection() as connection:
        periods = (await list_periods_of(connection, EntityKind.CHARACTER, [PILOT]))[PILOT]
    assert [(period.since, period.until, period.alliance_id) for period in periods] == [
        (NOON, NOON + WEEK, UNION),
        (NOON + WEEK, None, None),
    ]


async def test_an_older_answer_changes_nothing(database: Database) -> None:
    await store(database, pilot(AWAY, None), NOON + WEEK)
    await store(database, pilot(HOME, UNION), NOON)

    assert (await row_of(database, "character", PILOT))["corporation_id"] == AWAY
    async with database.connection() as connection:
        assert len((await list_periods_of(connection, EntityKind.CHARACTER, [PILOT]))[PILOT]) == 1


async def test_storing_the_same_twice_changes_nothing(database: Database) -> None:
    await store(database, pilot())
    before = await row_of(database, "character", PILOT)
    await store(database, pilot())

    assert await row_of(database, "character", PILOT) == before


async def test_two_writers_of_one_entity_at_once_leave_one_present_period(database: Database) -> None:
    moments = [NOON + timedelta(hours=hour) for hour in range(8)]
    await asyncio.gather(*(store(database, pilot(HOME + hour), at) for hour, at in enumerate(moments)))

    async with database.connection() as connection:
        periods = (await list_periods_of(connection, EntityKind.CHARACTER, [PILOT]))[PILOT]
    assert [period.corporation_id for period in periods if period.until is None] == [HOME + 7]


@pytest.mark.parametrize("seed", range(3))
async def test_periods_follow_each_other_without_gap_and_end_with_the_present(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    at = NOON
    for _ in range(30):
        at += timedelta(hours=chance.randint(1, 50))
        corporation, alliance = chance.choice((HOME, AWAY)), chance.choice((UNION, None))
        if chance.random() < 0.5:
            await store(database, pilot(corporation, alliance), at)
        else:
            seen = EsiAffiliation(character_id=PILOT, corporation_id=corporation, alliance_id=alliance)
            async with database.transaction() as connection:
                await apply_affiliations(connection, [seen], at=at)

    async with database.connection() as connection:
        periods = (await list_periods_of(connection, EntityKind.CHARACTER, [PILOT]))[PILOT]
    present = await row_of(database, "character", PILOT)
    assert all(one.until == two.since for one, two in itertools.pairwise(periods))
    assert all(
        (one.corporation_id, one.alliance_id) != (two.corporation_id, two.alliance_id)
        for one, two in itertools.pairwise(periods)
    )
    assert periods[-1].until is None
    assert (periods[-1].corporation_id, periods[-1].alliance_id) == (present["corporation_id"], present["alliance_id"])


async def test_affiliations_in_bulk_return_who_moved_and_leave_strangers_out(database: Database) -> None:
    await store(database, pilot())
    stays = EsiAffiliation(character_id=PILOT, corporation_id=HOME, alliance_id=UNION)
    moves = EsiAffiliation(character_id=PILOT, corporation_id=AWAY)
    stranger = EsiAffiliation(character_id=PILOT + 1, corporation_id=AWAY)

    async with database.transaction() as connection:
        assert await apply_affiliations(connection, [stays, stranger], at=NOON + WEEK) == []
        assert await apply_affiliations(connection, [moves, stranger], at=NOON + WEEK) == [PILOT]
    assert (await row_of(database, "character", PILOT))["alliance_id"] is None


async def test_an_entity_is_on_the_ledger_from_the_sight_to_the_answer(database: Database) -> None:
    async with database.transaction() as connection:
        assert await note_seen(connection, EntityKind.CHARACTER, [PILOT, PILOT], WEEK) == [PILOT]
        assert await note_seen(connection, EntityKind.CHARACTER, [PILOT], WEEK) == []
        due = await find_due(connection, limit=10, retry_after=WEEK)
        await mark_queued(connection, due)
        assert due == [(EntityKind.CHARACTER, PILOT)]
    async with database.transaction() as connection:
        assert await find_due(connection, limit=10, retry_after=WEEK) == []
        assert await find_due(connection, limit=10, retry_after=timedelta(0)) == due
    await store(database, pilot(), datetime.now(UTC))
    async with database.connection() as connection:
        assert await count_waiting(connection) == []
        assert await note_seen(connection, EntityKind.CHARACTER, [PILOT], WEEK) == []


async def test_one_that_was_not_refreshed_for_long_is_noted_again_and_one_that_is_gone_is_not(
    database: Database,
) -> None:
    await store(database, pilot(), datetime.now(UTC) - WEEK)
    async with database.transaction() as connection:
        assert await note_seen(connection, EntityKind.CHARACTER, [PILOT], WEEK) == [PILOT]
        assert await list_stale_ids(connection, EntityKind.CHARACTER, [PILOT], WEEK) == [PILOT]
        await mark_gone(connection, EntityKind.CHARACTER, PILOT)
        assert await note_seen(connection, EntityKind.CHARACTER, [PILOT], timedelta(0)) == []


async def test_two_sweeps_at_once_take_different_rows(database: Database) -> None:
    async with database.transaction() as connection:
        await note_seen(connection, EntityKind.CHARACTER, [PILOT, PILOT + 1], WEEK)
    async with database.transaction() as one, database.transaction() as two:
        first = await find_due(one, limit=1, retry_after=WEEK)
        second = await find_due(two, limit=10, retry_after=WEEK)
    assert sorted(first + second) == [(EntityKind.CHARACTER, PILOT), (EntityKind.CHARACTER, PILOT + 1)]


async def test_one_that_was_gone_before_it_was_known_has_no_name_and_is_shown_by_its_id(database: Database) -> None:
    async with database.transaction() as connection:
        for kind in (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE):
            await mark_gone(connection, kind, PILOT)
        names = await names_of(connection, [PILOT], [PILOT], [PILOT])
    assert (names.characters, names.corporations, names.alliances) == ({}, {}, {})


async def test_a_corporation_and_its_alliance_keep_what_esi_told(database: Database) -> None:
    corporation = EsiCorporation(
        name="Vell Works", ticker="VELL", member_count=7, ceo_id=PILOT, alliance_id=UNION, tax_rate=0.1
    )
    alliance = EsiAlliance(
        name="Vell Union", ticker="VU", creator_id=PILOT, creator_corporation_id=HOME, date_founded=NOON
    )
    async with database.transaction() as connection:
        await store_entity(EntityKind.CORPORATION, connection, HOME, corporation, at=NOON)
        await store_entity(EntityKind.ALLIANCE, connection, UNION, alliance, at=NOON)
        await store_entity(
            EntityKind.CORPORATION,
            connection,
            HOME,
            EsiCorporation(name="Vell Works", ticker="VELL", member_count=0),
            at=NOON + WEEK,
        )
        periods = (await list_periods_of(connection, EntityKind.CORPORATION, [HOME]))[HOME]

    row = await row_of(database, "corporation", HOME)
    assert (row["member_count"], row["ceo_id"], row["alliance_id"], row["tax_rate"]) == (0, None, None, None)
    assert [(period.alliance_id, period.until) for period in periods] == [(UNION, NOON + WEEK), (None, None)]
    assert (await row_of(database, "alliance", UNION))["executor_corporation_id"] is None


async def test_corporations_of_characters_that_are_not_stored_are_found_and_the_games_own_are_not(
    database: Database,
) -> None:
    await store(database, pilot(AWAY))
    async with database.transaction() as connection:
        await store_entity(EntityKind.CHARACTER, connection, PILOT + 1, pilot(1_000_125), at=NOON)
        assert await list_missing_corporation_ids(connection) == [AWAY]
