"""Reads of what a type was worth, day by day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from killreport.db.database import Connection

MAX_DAYS = 1000


@dataclass(frozen=True, slots=True)
class DayPrice:
    """The average of a day where the type is traded, in hundredths of an ISK. source: who said so, for people."""

    day: date
    average_cents: int
    source: str


async def list_prices(connection: Connection, type_id: int, *, first: date, last: date) -> list[DayPrice]:
    """Return the market days of a type from `first` to `last`, the oldest first; of more than MAX_DAYS the newest."""
    rows = await connection.fetch(
        f"""select day, average_cents, source from price_day where type_id = $1 and day between $2 and $3
            order by day desc limit {MAX_DAYS}""",  # noqa: S608 - a number of ours
        type_id,
        first,
        last,
    )
    return [DayPrice(*row) for row in reversed(rows)]


async def list_prices_of(
    connection: Connection, type_ids: Collection[int], *, first: date, last: date
) -> dict[int, list[DayPrice]]:
    """Return the market days of several types from `first` to `last`, the oldest first, by type."""
    wanted = sorted(set(type_ids))
    rows = await connection.fetch(
        """select type_id, day, average_cents, source from price_day
           where type_id = any($1::bigint[]) and day between $2 and $3 order by type_id, day""",
        wanted,
        first,
        last,
    )
    found: dict[int, list[DayPrice]] = {type_id: [] for type_id in wanted}
    for type_id, *price in rows:
        found[type_id].append(DayPrice(*price))
    return found
