"""Where a feed stands, as stored: its gaps, and the days that are still to be made good from the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

from killreport.db.database import Connection

# Days owed are kept beside the gaps, as numbers YYYYMMDD of a feed of this name.
HISTORY = "history"
# A killmail may be held back by its pilot this long before zKillboard publishes it.
MAX_DELAY = timedelta(days=3)


async def list_gaps(connection: Connection, feed: str) -> dict[int, float]:
    """Return the numbers of the feed that are to be read again, each with the seconds since it was noted."""
    rows = await connection.fetch(
        """select sequence, extract(epoch from now() - noted_at)::double precision as age
           from feed_gap where feed = $1 order by sequence""",
        feed,
    )
    return {row["sequence"]: row["age"] for row in rows}


async def find_last_move(connection: Connection, feed: str) -> datetime | None:
    """Return when the feed's cursor was last stored, None where it never was."""
    moved_at: datetime | None = await connection.fetchval("select updated_at from feed_cursor where feed = $1", feed)
    return moved_at


def list_days_between(earlier: datetime, later: datetime) -> list[date]:
    """Return the UTC days whose killmails a feed may have published between two instants, first to last.

    It publishes no killmail before it happened, and one held back for up to three days after it did.
    """
    first = (earlier.astimezone(UTC) - MAX_DELAY).date()
    last = later.astimezone(UTC).date()
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]


async def owe_days(connection: Connection, days: Collection[date]) -> None:
    """Note days that must be compared with the history once it holds them; a day owed already is owed anew."""
    await connection.execute(
        """insert into feed_gap (feed, sequence) select $1, unnest($2::bigint[])
           on conflict (feed, sequence) do update set noted_at = now()""",
        HISTORY,
        sorted({day_number(day) for day in days}),
    )


async def list_owed_days(connection: Connection) -> dict[date, datetime]:
    """Return the days that are still to be compared with the history, first to last, and since when."""
    rows = await connection.fetch("select sequence, noted_at from feed_gap where feed = $1 order by sequence", HISTORY)
    return {
        datetime.strptime(str(row["sequence"]), "%Y%m%d").replace(tzinfo=UTC).date(): row["noted_at"] for row in rows
    }


async def settle_days(connection: Connection, days: Mapping[date, datetime]) -> None:
    """Forget that these days were owed since then; a day that is owed anew since stays."""
    await connection.execute(
        """delete from feed_gap using unnest($2::bigint[], $3::timestamptz[]) as settled(day, since)
           where feed = $1 and sequence = settled.day and noted_at = settled.since""",
        HISTORY,
        [day_number(day) for day in days],
        list(days.values()),
    )


async def note_jump(connection: Connection, feed: str, next_sequence: int, days: Collection[date]) -> None:
    """Move the feed's cursor past numbers that are not to be had, and owe the days for them, in one transaction."""
    async with connection.transaction():
        await owe_days(connection, days)
        await connection.execute(
            "update feed_cursor set next_sequence = $2, updated_at = now() where feed = $1", feed, next_sequence
        )


async def give_up_gaps(connection: Connection, feed: str, sequences: Collection[int], days: Collection[date]) -> None:
    """Forget numbers of the feed that have expired, and owe the days for them, in one transaction."""
    async with connection.transaction():
        await owe_days(connection, days)
        await connection.execute(
            "delete from feed_gap where feed = $1 and sequence = any($2::bigint[])", feed, list(sequences)
        )


def day_number(day: date) -> int:
    """Return the day as the history names it: YYYYMMDD."""
    return int(day.strftime("%Y%m%d"))
