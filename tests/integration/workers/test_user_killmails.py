"""worker-user-killmails: the recent killmails of players who logged in, against the simulated ESI."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import Transient
from killreport.esi.client import EsiClient
from killreport.esi.model import KillmailPage
from killreport.eve.universe import Universe
from killreport.ingest.reading import load_writer, read_body
from killreport.queueing.messages import UserKillmailsMessage
from killreport.sim.access.tokens import Token, TokenMint
from killreport.sim.esi import recent as esi_recent
from killreport.sim.server import run_simulator
from killreport.workers import user_killmails
from killreport.workers.storing import store_bodiless, store_entries
from killreport.workers.tokens import AccountToken, FixedTokens, TokenSource
from tests.integration.workers.lines import Lines
from tests.integration.workers.queues import (
    dead_letters,
    drain,
    fetch,
    post,
    publish,
    ready_counts,
    requests_by_route,
)
from tests.integration.workers.simulated import busiest, published

NAME = "worker-user-killmails"
QUEUE = "user_killmail_queue"
ACCOUNT = 7
LIST = "/characters/{id}/killmails/recent"
PAGE = 3


@pytest.fixture
async def sim(tmp_path: Path, universe: Universe, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(esi_recent, "_PAGE_SIZE", PAGE)
    async with run_simulator(tmp_path / "sim", universe=universe, seed=1) as url:
        await post(url, "/control/publish", {"count": 300})
        yield url


@pytest.fixture
def at_sim(settings: Settings, sim: str) -> Settings:
    return settings.replace(esi_url=sim, esi_requests_per_second=5000.0)


@pytest.fixture
async def pilot(sim: str) -> tuple[int, list[int]]:
    """Return somebody with several pages of killmails, and their ids, the newest first."""
    found = busiest(await published(sim), most=4 * PAGE)
    assert len(found[1]) > 2 * PAGE
    return found


def token_of(character_id: int) -> str:
    """Return a token of the simulator's, whose seed is 1; it does not end."""
    return TokenMint(1).issue(Token(character_id, (esi_recent.KILLMAIL_SCOPE,), 2**40))


def tokens_of(character_id: int) -> TokenSource:
    return FixedTokens({ACCOUNT: AccountToken(character_id, token_of(character_id))})


async def sync(settings: Settings, database: Database, character_id: int) -> None:
    await publish(settings, database, UserKillmailsMessage(ACCOUNT))
    await drain(settings, database, NAME, tokens=tokens_of(character_id))


async def stored(database: Database) -> set[int]:
    return {row[0] for row in await fetch(database, "select killmail_id from killmail")}


async def lists_read(url: str) -> int:
    return (await requests_by_route(url)).get(LIST, 0)


async def test_what_a_pilot_had_is_history_beyond_the_age_that_is_set(
    at_sim: Settings, database: Database, pilot: tuple[int, list[int]]
) -> None:
    character_id, ids = pilot
    await sync(at_sim.replace(history_after_hours=0), database, character_id)

    assert await stored(database) >= set(ids)
    assert await fetch(database, "select distinct kind from event") == [("history",)]


async def test_all_pages_are_stored_at_first_and_then_only_what_is_new(
    at_sim: Settings, sim: str, database: Database, pilot: tuple[int, list[int]]
) -> None:
    character_id, ids = pilot
    await sync(at_sim, database, character_id)
    first = await lists_read(sim)
    await sync(at_sim, database, character_id)

    assert await stored(database) == set(ids)
    assert (first, await lists_read(sim)) == (-(-len(ids) // PAGE), first + 1)
    assert await fetch(
        database,
        "select account_id, character_id, newest_killmail_id, last_killmail_sync_at > now() - interval '1 minute' "
        "from killmail_sync",
    ) == [(ACCOUNT, character_id, max(ids), True)]


async def test_killmails_the_feed_had_before_do_not_end_the_first_reading(
    at_sim: Settings, sim: str, database: Database, pilot: tuple[int, list[int]]
) -> None:
    character_id, ids = pilot
    mails = await published(sim)
    entries = [read_body(json.dumps(mails[mail_id]).encode(), mail_id, "test", "") for mail_id in ids[:PAGE]]
    await store_entries(database, await load_writer(database), entries)

    await sync(at_sim, database, character_id)

    assert await stored(database) == set(ids)


async def test_a_reading_that_was_cut_off_is_made_whole_by_the_next(
    at_sim: Settings, sim: str, database: Database, pilot: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    character_id, ids = pilot
    calls = 0

    async def fail_at_the_second_page(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Transient("ESI has trouble")
        return await store_bodiless(*arguments)

    monkeypatch.setattr(user_killmails, "store_bodiless", fail_at_the_second_page)
    await publish(at_sim, database, UserKillmailsMessage(ACCOUNT))
    await drain(at_sim, database, NAME, tokens=tokens_of(character_id))
    after_the_cut = (await stored(database), await fetch(database, "select * from killmail_sync"))
    async with database.connection() as connection:
        await connection.execute("update queue_message set ready_at = null")
    await drain(at_sim, database, NAME, tokens=tokens_of(character_id))

    assert after_the_cut == (set(ids[:PAGE]), [])
    assert await stored(database) == set(ids)


async def test_pages_of_two_lists_are_read_again_from_the_first(
    at_sim: Settings, sim: str, database: Database, pilot: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    character_id, ids = pilot
    pages = -(-len(ids) // PAGE)
    asked: list[int] = []
    ask = EsiClient.character_killmails

    async def ask_a_list_made_anew_after_its_first_page(
        esi: EsiClient, who: int, token: str, page: int
    ) -> KillmailPage:
        asked.append(page)
        found = await ask(esi, who, token, page)
        return msgspec.structs.replace(found, modified="before" if len(asked) == 1 else "after")

    monkeypatch.setattr(EsiClient, "character_killmails", ask_a_list_made_anew_after_its_first_page)
    await sync(at_sim, database, character_id)

    assert asked == [1, 2, *range(1, pages + 1)]
    assert await stored(database) == set(ids)


async def test_a_list_that_became_shorter_ends_where_it_ends(
    at_sim: Settings, sim: str, database: Database, pilot: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    character_id, ids = pilot
    ask = EsiClient.character_killmails

    async def ask_as_if_there_were_one_more(*arguments: Any) -> KillmailPage:
        found = await ask(*arguments)
        return msgspec.structs.replace(found, pages=found.pages + 1)

    monkeypatch.setattr(EsiClient, "character_killmails", ask_as_if_there_were_one_more)
    await sync(at_sim, database, character_id)

    assert await dead_letters(at_sim, database, QUEUE) == []
    assert await stored(database) == set(ids)


async def test_another_character_of_the_account_is_read_from_its_beginning(
    at_sim: Settings, sim: str, database: Database, pilot: tuple[int, list[int]]
) -> None:
    character_id, ids = pilot
    async with database.connection() as connection:
        await connection.execute("insert into killmail_sync values ($1, 99, now(), $2)", ACCOUNT, max(ids) + 10**6)

    await sync(at_sim, database, character_id)

    assert await stored(database) == set(ids)


async def test_a_token_that_esi_refuses_ends_the_message_and_is_shown_nowhere(
    at_sim: Settings, database: Database, lines: Lines, pilot: tuple[int, list[int]]
) -> None:
    secret = token_of(pilot[0] + 1)
    tokens = FixedTokens({ACCOUNT: AccountToken(pilot[0], secret)})
    await publish(at_sim, database, UserKillmailsMessage(ACCOUNT))

    await drain(at_sim, database, NAME, tokens=tokens)

    (letter,) = await dead_letters(at_sim, database, QUEUE)
    assert letter.reason.startswith("Refused: ESI answered 403")
    everything = repr((letter, lines.lines, tokens.__dict__, await fetch(database, "select h::text from heartbeat h")))
    assert secret not in everything
    assert await stored(database) == set()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "Permanent: This installation has no login, so account 7 has no token."),
        ({"tokens": FixedTokens({})}, "NotFound: There is no account 7."),
    ],
    ids=["nobody can log in", "no such account"],
)
async def test_an_account_without_a_token_is_a_dead_letter_that_says_so(
    at_sim: Settings, database: Database, arguments: dict[str, Any], reason: str
) -> None:
    await publish(at_sim, database, UserKillmailsMessage(ACCOUNT))

    await drain(at_sim, database, NAME, **arguments)

    (letter,) = await dead_letters(at_sim, database, QUEUE)
    assert letter.reason.startswith(reason)
    assert await ready_counts(at_sim, database) == {}
