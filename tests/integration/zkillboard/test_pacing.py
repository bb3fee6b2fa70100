"""Turns at a host that is asked slowly, and the pages of a character that are done, as the database keeps them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from killreport.db.database import Database
from killreport.errors import Unavailable
from killreport.zkillboard.character_progress import is_page_done, note_page
from killreport.zkillboard.pacing import postpone_requests, reserve_request

INTERVAL = timedelta(seconds=10)
HOUR = timedelta(hours=1)


async def take(database: Database, endpoint: str = "lists", most_wait: timedelta = HOUR) -> float:
    async with database.connection() as connection:
        return await reserve_request(connection, endpoint, INTERVAL, most_wait)


async def test_the_first_turn_is_at_once_and_each_next_one_an_interval_later(database: Database) -> None:
    waits = [await take(database) for _ in range(3)]

    assert waits[0] == 0.0
    assert waits[1:] == pytest.approx([10.0, 20.0], abs=2.0)


async def test_turns_asked_for_at_the_same_time_are_all_apart(database: Database) -> None:
    waits = sorted(await asyncio.gather(*(take(database) for _ in range(8))))

    assert waits == pytest.approx([10.0 * place for place in range(8)], abs=2.0)


async def test_endpoints_have_turns_of_their_own(database: Database) -> None:
    assert [await take(database, "lists"), await take(database, "stats")] == [0.0, 0.0]


async def test_no_turn_is_taken_that_is_too_far_away(database: Database) -> None:
    async with database.connection() as connection:
        await postpone_requests(connection, "lists", HOUR)

    with pytest.raises(Unavailable, match="over 60 s away"):
        await take(database, most_wait=timedelta(seconds=60))
    assert await take(database, most_wait=2 * HOUR) == pytest.approx(3600.0, abs=2.0)


async def test_a_shorter_pause_does_not_end_a_longer_one(database: Database) -> None:
    async with database.connection() as connection:
        await postpone_requests(connection, "lists", HOUR)
        await postpone_requests(connection, "lists", INTERVAL)

    assert await take(database, most_wait=2 * HOUR) == pytest.approx(3600.0, abs=2.0)


async def test_a_page_counts_as_done_once_noted_and_those_before_it_too(database: Database) -> None:
    async with database.connection() as connection:
        await note_page(connection, 7, 3, is_last=False)
        found = [await is_page_done(connection, 7, page) for page in (2, 3, 4)]
        other = await is_page_done(connection, 8, 2)

    assert (found, other) == ([True, True, False], False)


async def test_the_first_page_begins_a_new_walk_whatever_was_done_before(database: Database) -> None:
    async with database.connection() as connection:
        await note_page(connection, 7, 3, is_last=True)
        first_is_done = await is_page_done(connection, 7, 1)
        await note_page(connection, 7, 1, is_last=False)
        second_is_done = await is_page_done(connection, 7, 2)
        finished_at = await connection.fetchval("select finished_at from character_history")

    assert (first_is_done, second_is_done, finished_at) == (False, False, None)
