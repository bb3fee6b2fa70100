"""Gaps and owed days as they are stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from killreport.db.database import Database
from killreport.zkillboard import progress

FIRST, SECOND = date(2026, 7, 1), date(2026, 7, 2)


def test_a_feed_may_publish_killmails_of_up_to_three_days_before() -> None:
    days = progress.list_days_between(datetime(2026, 7, 9, 23, 59, tzinfo=UTC), datetime(2026, 7, 10, 0, 1, tzinfo=UTC))

    assert days == [date(2026, 7, day) for day in (6, 7, 8, 9, 10)]


def test_days_are_those_of_utc_wherever_the_clock_stands() -> None:
    late_in_new_york = datetime(2026, 7, 9, 23, 0, tzinfo=timezone(timedelta(hours=-4)))

    assert progress.list_days_between(late_in_new_york, late_in_new_york)[-1] == date(2026, 7, 10)


async def test_a_day_is_owed_until_it_is_settled(database: Database) -> None:
    async with database.connection() as connection:
        await progress.owe_days(connection, [SECOND, FIRST, FIRST])
        owed = await progress.list_owed_days(connection)
        await progress.settle_days(connection, {FIRST: owed[FIRST]})
        left = await progress.list_owed_days(connection)

    assert list(owed) == [FIRST, SECOND]
    assert list(left) == [SECOND]


async def test_a_day_that_is_owed_anew_meanwhile_stays_owed(database: Database) -> None:
    async with database.connection() as connection:
        await progress.owe_days(connection, [FIRST, SECOND])
        owed = await progress.list_owed_days(connection)
        await progress.owe_days(connection, [FIRST])
        await progress.settle_days(connection, owed)
        left = await progress.list_owed_days(connection)

    assert list(left) == [FIRST]


async def test_owed_days_are_no_gaps_of_the_feed(database: Database) -> None:
    async with database.connection() as connection:
        await progress.owe_days(connection, [FIRST])
        await connection.execute(
            "insert into feed_gap (feed, sequence, noted_at) values ('r2z2', 7, now() - interval '90 seconds')"
        )
        gaps = await progress.list_gaps(connection, "r2z2")

    assert list(gaps) == [7]
    assert 90 <= gaps[7] < 900


async def test_a_jump_moves_the_cursor_and_owes_the_days_together(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into feed_cursor (feed, next_sequence, updated_at) values ('r2z2', 5, $1)",
            datetime(2026, 7, 1, tzinfo=UTC),
        )
        before = await progress.find_last_move(connection, "r2z2")
        await progress.note_jump(connection, "r2z2", 900, [FIRST, SECOND])
        cursor = await connection.fetchval("select next_sequence from feed_cursor where feed = 'r2z2'")
        owed = await progress.list_owed_days(connection)

    assert before == datetime(2026, 7, 1, tzinfo=UTC)
    assert (cursor, list(owed)) == (900, [FIRST, SECOND])


async def test_a_feed_that_never_stood_anywhere_never_moved(database: Database) -> None:
    async with database.connection() as connection:
        assert await progress.find_last_move(connection, "r2z2") is None


async def test_a_gap_that_is_given_up_is_forgotten_and_its_days_are_owed(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into feed_gap (feed, sequence) values ('r2z2', 7), ('r2z2', 8)")
        await progress.give_up_gaps(connection, "r2z2", [7], [FIRST])
        gaps = await progress.list_gaps(connection, "r2z2")
        owed = await progress.list_owed_days(connection)

    assert (list(gaps), list(owed)) == ([8], [FIRST])
