"""Market days as a price is made of them: the latest ones stored up to a day, and how old they are by then.

A price has an age. Days that lie far apart are never averaged with each other, and an average that is old by the day it
is asked for loses against a reference from nearer that day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from killreport.db.database import Connection
from killreport.market.average import WINDOW_DAYS

# A type that is traded every week or month keeps its market; one that has left it is seen to be gone in a quarter.
FRESH_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class MarketDays:
    """Daily averages in cents, the newest of `newest`; none is older than that by more than FRESH_FOR.

    average_of_day: that of the day asked for, None where it is not stored.
    """

    averages: list[int]
    average_of_day: int | None
    newest: date

    def is_fresh(self, day: date) -> bool:
        """Tell whether the market was alive on the UTC day."""
        return day - self.newest <= FRESH_FOR

    def is_nearer(self, day: date, other: date | None) -> bool:
        """Tell whether the newest of the days is at least as near to the UTC day as the other; None is never near."""
        return other is None or abs(day - self.newest) <= abs(day - other)


async def fetch_market(
    connection: Connection, wanted: Collection[tuple[int, date]]
) -> dict[tuple[int, date], MarketDays]:
    """Return the market days of each type up to each day, at most WINDOW_DAYS; what was never traded is left out."""
    pairs = sorted(wanted)
    rows = await connection.fetch(
        """select wanted.type_id, wanted.day, newest.day as newest, array_agg(stored.average_cents) as averages,
                  max(stored.average_cents) filter (where stored.day = wanted.day) as average_of_day
           from unnest($1::bigint[], $2::date[]) as wanted (type_id, day)
           cross join lateral (
               select price_day.day from price_day
               where price_day.type_id = wanted.type_id and price_day.day <= wanted.day
               order by price_day.day desc limit 1
           ) as newest
           cross join lateral (
               select price_day.day, price_day.average_cents from price_day
               where price_day.type_id = wanted.type_id
                 and price_day.day between newest.day - $4::integer and newest.day
               order by price_day.day desc limit $3
           ) as stored
           group by wanted.type_id, wanted.day, newest.day""",
        [type_id for type_id, _ in pairs],
        [day for _, day in pairs],
        WINDOW_DAYS,
        FRESH_FOR.days,
    )
    return {
        (row["type_id"], row["day"]): MarketDays(row["averages"], row["average_of_day"], row["newest"]) for row in rows
    }
