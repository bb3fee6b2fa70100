"""Writes prices. The only writer of `price_*`: it also counts the write for who remembers prices, and notes whom a
price that came late concerns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from killreport.db.database import Connection
from killreport.market.average import WINDOW_DAYS
from killreport.market.price import PriceRule


@dataclass(frozen=True, slots=True)
class PriceDay:
    """The average at which a type was traded on a UTC day in the region that has its market, in hundredths of an ISK.

    source: who said so, for people.
    """

    type_id: int
    day: date
    average_cents: int
    source: str


@dataclass(frozen=True, slots=True)
class PriceReference:
    """What a type is worth where no market day is stored. day: of the observation."""

    type_id: int
    cents: int
    rule: PriceRule
    day: date
    source: str


async def store_prices(connection: Connection, rows: Iterable[PriceDay]) -> int:
    """Insert or replace the days, and return how many were new or different.

    The days whose killmails the change concerns, theirs and those of the window behind, become due to be valued again.
    Of rows for the same type and day the last counts. Idempotent. Runs in a transaction of its own, or as part of the
    one the connection is in; every `PriceBook` sees the change at its next prefetch after the commit.
    """
    last = {(row.type_id, row.day): row for row in rows}
    if not last:
        return 0
    # Sorted, so that two writers of the same days wait for each other instead of locking each other out.
    kept = [last[key] for key in sorted(last)]
    async with connection.transaction():
        changed = await connection.fetch(
            """insert into price_day (type_id, day, average_cents, source)
               select * from unnest($1::bigint[], $2::date[], $3::bigint[], $4::text[])
               on conflict (type_id, day) do update
                   set average_cents = excluded.average_cents, source = excluded.source
                   where (price_day.average_cents, price_day.source)
                         is distinct from (excluded.average_cents, excluded.source)
               returning day""",
            [row.type_id for row in kept],
            [row.day for row in kept],
            [row.average_cents for row in kept],
            [row.source for row in kept],
        )
        if changed:
            await _mark_due(connection, sorted({row["day"] for row in changed}))
            await _count_write(connection)
    return len(changed)


async def store_references(connection: Connection, rows: Iterable[PriceReference]) -> int:
    """Insert the references, or replace those of an older day, and return how many were new or different.

    A price that is seen again is as young as that. Idempotent; transactions as with `store_prices`. Values worked out
    before stay: a reference is no price of a day.
    """
    last = {row.type_id: row for row in rows}
    if not last:
        return 0
    kept = [last[type_id] for type_id in sorted(last)]
    async with connection.transaction():
        changed = await connection.fetch(
            """insert into price_reference (type_id, cents, rule, day, source)
               select * from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::date[], $5::text[])
               on conflict (type_id) do update set cents = excluded.cents, rule = excluded.rule, day = excluded.day,
                   source = excluded.source
                   where coalesce(price_reference.day, '-infinity') <= excluded.day
                     and (price_reference.cents, price_reference.rule) is distinct from (excluded.cents, excluded.rule)
               returning 1""",
            [row.type_id for row in kept],
            [row.cents for row in kept],
            [int(row.rule) for row in kept],
            [row.day for row in kept],
            [row.source for row in kept],
        )
        seen_again = await connection.fetch(
            """update price_reference set day = seen.day, source = seen.source
               from unnest($1::bigint[], $2::bigint[], $3::date[], $4::text[]) as seen (type_id, cents, day, source)
               where price_reference.type_id = seen.type_id and price_reference.cents = seen.cents
                 and coalesce(price_reference.day, '-infinity') < seen.day
               returning 1""",
            [row.type_id for row in kept],
            [row.cents for row in kept],
            [row.day for row in kept],
            [row.source for row in kept],
        )
        if changed or seen_again:
            await _count_write(connection)
    return len(changed)


async def _mark_due(connection: Connection, days: list[date]) -> None:
    await connection.execute(
        """insert into value_due (day)
           select distinct concerned::date
           from unnest($1::date[]) as market (day)
           cross join lateral generate_series(
               market.day, least(market.day + $2::integer, (now() at time zone 'UTC')::date), '1 day') as concerned
           order by 1
           on conflict (day) do update set since = excluded.since""",
        days,
        WINDOW_DAYS - 1,
    )


async def _count_write(connection: Connection) -> None:
    await connection.execute("update price_version set version = version + 1")
