"""How long nobody asks for who is gone, what ends that before its time, and what is kept meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from killreport.db.database import Database
from killreport.entity.facts import CharacterFacts, CorporationFacts, list_facts
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import note_gone, note_seen
from killreport.entity.naming import find_unnamed, has_name, store_names
from killreport.entity.queries import list_ids, list_periods_of, list_stale_ids, names_of
from killreport.entity.refresh import claim_refresh
from killreport.entity.snapshots import snapshot_alliances, snapshot_corporations
from killreport.entity.store import TABLES, mark_gone, settle, store_entity
from killreport.esi.model import EsiCharacter, EsiCorporation

PILOT, HOME, UNION = 90_000_001, 98_000_001, 99_000_001
WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)
KINDS = list(TABLES)


def now() -> datetime:
    return datetime.now(UTC)


def pilot(**others: Any) -> EsiCharacter:
    return EsiCharacter(
        **{"name": "Ana Vell", "corporation_id": HOME, "alliance_id": UNION, "faction_id": 500_001, **others}
    )


async def fetchval(database: Database, query: str, *arguments: object) -> Any:
    async with database.connection() as connection:
        return await connection.fetchval(query, *arguments)


async def mark(database: Database, kind: EntityKind = EntityKind.CHARACTER, entity_id: int = PILOT) -> bool:
    async with database.transaction() as connection:
        return await mark_gone(connection, kind, entity_id)


async def seen(database: Database, kind: EntityKind, at: datetime | None, entity_id: int = PILOT) -> bool:
    """Note the entity, seen at that moment; return whether it is to be asked for, and leave the ledger empty."""
    async with database.transaction() as connection:
        moments = None if at is None else {entity_id: at}
        found = await note_seen(connection, kind, [entity_id], WEEK, seen_at=moments)
        await settle(connection, kind, [entity_id])
    return found == [entity_id]


async def due(database: Database, limit: int = 10) -> int:
    async with database.transaction() as connection:
        return await note_gone(connection, limit)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_pauses_grow_and_have_an_end(database: Database, kind: EntityKind) -> None:
    table = TABLES[kind]
    news = []
    hours = []
    for _ in range(9):
        news.append(await mark(database, kind))
        span = await fetchval(database, f"select ask_again_at - now() from {table}")
        hours.append(span / timedelta(hours=1))
    assert news == [True] + [False] * 8
    for measured, least in zip(hours, (1, 4, 16, 64, 256, 720, 720, 720, 720), strict=True):
        assert least - 0.05 <= measured <= least * 1.25
    assert await fetchval(database, f"select misses from {table}") == 9


@pytest.mark.parametrize("kind", KINDS)
async def test_who_is_gone_is_due_again_after_the_pause_and_not_before(database: Database, kind: EntityKind) -> None:
    table = TABLES[kind]
    await mark(database, kind)
    assert await due(database) == 0
    assert not await seen(database, kind, None)
    async with database.connection() as connection:
        await connection.execute(f"update {table} set ask_again_at = now()")
    assert await seen(database, kind, None)
    assert [await due(database), await due(database)] == [1, 0]
    await mark(database, kind)
    assert await due(database) == 0


async def test_who_was_gone_before_pauses_were_kept_is_due_at_once(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into character (character_id, gone_at) values ($1, now())", PILOT)
    assert await due(database) == 1


async def test_only_so_many_come_due_at_once_the_longest_waiting_first(database: Database) -> None:
    async with database.connection() as connection:
        for number in range(5):
            await connection.execute(
                """insert into character (character_id, gone_at, ask_again_at)
                   values ($1, now(), now() - make_interval(hours => $2))""",
                PILOT + number,
                number,
            )
    assert await due(database, 2) == 2
    assert await fetchval(database, "select array_agg(entity_id order by entity_id) from refresh_ledger") == [
        PILOT + 3,
        PILOT + 4,
    ]
    assert await due(database, 10) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_a_younger_killmail_ends_the_pause_and_an_older_one_does_not(
    database: Database, kind: EntityKind
) -> None:
    await mark(database, kind)
    assert not await seen(database, kind, now() - timedelta(hours=1))
    assert not await seen(database, kind, now() + WEEK)
    assert await seen(database, kind, now() + timedelta(seconds=5))
    # Asked for, and missing again: the same killmail does not end the next pause.
    at = now()
    await mark(database, kind)
    assert not await seen(database, kind, at)


async def test_who_is_back_is_as_if_nothing_had_been(database: Database) -> None:
    async with database.transaction() as connection:
        await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(), at=now() - WEEK)
    await mark(database)
    async with database.transaction() as connection:
        assert await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(), at=now())
        periods = (await list_periods_of(connection, EntityKind.CHARACTER, [PILOT]))[PILOT]
        row = await connection.fetchrow("select gone_at, misses, ask_again_at from character")
    assert [(period.corporation_id, period.until) for period in periods] == [(HOME, None)]
    assert tuple(row) == (None, 0, None)


async def test_who_is_gone_is_nowhere_now_and_was_where_it_was(database: Database) -> None:
    async with database.transaction() as connection:
        await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(), at=now() - WEEK)
        corporation = EsiCorporation(name="Ana Co", ticker="ANA", alliance_id=UNION, faction_id=500_001)
        await store_entity(EntityKind.CORPORATION, connection, HOME, corporation, at=now() - WEEK)
    await mark(database)
    await mark(database, EntityKind.CORPORATION, HOME)
    async with database.connection() as connection:
        facts = (await list_facts(connection, EntityKind.CHARACTER, [PILOT]))[PILOT]
        group = (await list_facts(connection, EntityKind.CORPORATION, [HOME]))[HOME]
        (period,) = (await list_periods_of(connection, EntityKind.CHARACTER, [PILOT]))[PILOT]
        (membership,) = (await list_periods_of(connection, EntityKind.CORPORATION, [HOME]))[HOME]
    assert isinstance(facts, CharacterFacts)
    assert isinstance(group, CorporationFacts)
    assert (facts.name, facts.corporation_id, facts.alliance_id, facts.faction_id) == ("Ana Vell", None, None, None)
    assert (group.name, group.alliance_id, group.faction_id) == ("Ana Co", None, None)
    assert (period.corporation_id, period.until) == (HOME, facts.gone_at)
    assert (membership.alliance_id, membership.until) == (UNION, group.gone_at)


async def test_lists_of_everybody_have_the_gone_where_they_are_asked_for(database: Database) -> None:
    async with database.transaction() as connection:
        await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(), at=now())
    await mark(database, entity_id=PILOT + 1)
    async with database.connection() as connection:
        assert await list_ids(connection, EntityKind.CHARACTER) == [PILOT]
        assert await list_ids(connection, EntityKind.CHARACTER, with_gone=True) == [PILOT, PILOT + 1]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_name_alone_is_kept_and_shown_and_the_rest_is_still_to_be_asked_for(
    database: Database, kind: EntityKind
) -> None:
    async with database.transaction() as connection:
        assert await note_seen(connection, kind, [PILOT], WEEK) == [PILOT]
        assert await find_unnamed(connection, limit=10, retry_after=WEEK) == [(kind, PILOT)]
        assert await store_names(connection, kind, {PILOT: "Ana"}) == [PILOT]
        assert await store_names(connection, kind, {PILOT: "Bea"}) == []
        assert await find_unnamed(connection, limit=10, retry_after=WEEK) == []
        assert await has_name(connection, kind, PILOT)
        names = await names_of(connection, [PILOT], [PILOT], [PILOT])
        (facts,) = (await list_facts(connection, kind, [PILOT])).values()
        await settle(connection, kind, [PILOT])
        assert await list_stale_ids(connection, kind, [PILOT], timedelta(days=90)) == [PILOT]
        assert await note_seen(connection, kind, [PILOT], WEEK) == [PILOT]
        request = await claim_refresh(connection, kind, PILOT, fresh_for=MINUTE)
    shown = [
        *names.characters.values(),
        *(group.name for group in (*names.corporations.values(), *names.alliances.values())),
    ]
    assert (shown, facts.name, facts.refreshed_at, request.refreshed_at) == (["Ana"], "Ana", None, None)


async def test_groups_that_were_only_named_have_snapshots_too(database: Database) -> None:
    async with database.transaction() as connection:
        await store_names(connection, EntityKind.CORPORATION, {HOME: "Ana Co"})
        await store_names(connection, EntityKind.ALLIANCE, {UNION: "Ana Union"})
        assert await snapshot_corporations(connection, now().date()) == 1
        assert await snapshot_alliances(connection, now().date()) == 1


async def test_one_that_is_gone_and_has_no_name_is_in_no_batch_of_names(database: Database) -> None:
    await mark(database)
    async with database.transaction() as connection:
        await connection.execute("update character set ask_again_at = now()")
        assert await note_gone(connection, 10) == 1
        assert await find_unnamed(connection, limit=10, retry_after=WEEK) == []


async def test_an_empty_name_or_birthday_takes_nothing_away(database: Database) -> None:
    born = datetime(2010, 1, 1, tzinfo=UTC)
    async with database.transaction() as connection:
        await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(birthday=born), at=now() - WEEK)
        await store_entity(EntityKind.CHARACTER, connection, PILOT, pilot(name="", birthday=None), at=now())
        await store_entity(
            EntityKind.CORPORATION, connection, HOME, EsiCorporation(name="Ana Co", ticker="ANA"), at=now() - WEEK
        )
        await store_entity(EntityKind.CORPORATION, connection, HOME, EsiCorporation(name="", ticker=""), at=now())
        row = await connection.fetchrow("select name, birthday from character")
        group = await connection.fetchrow("select name, ticker from corporation")
    assert (tuple(row), tuple(group)) == (("Ana Vell", born), ("Ana Co", "ANA"))


async def test_words_that_are_still_a_literal_are_read_again(database: Database) -> None:
    async with database.transaction() as connection:
        for number, words in enumerate(("plain", r"u'\xe4'", 'u"it\'s"')):
            await store_entity(EntityKind.CHARACTER, connection, PILOT + number, pilot(), at=now())
            await connection.execute(
                "update character set description = $2 where character_id = $1", PILOT + number, words
            )
        ids = range(PILOT, PILOT + 3)
        assert await list_stale_ids(connection, EntityKind.CHARACTER, ids, WEEK) == [PILOT + 1, PILOT + 2]
