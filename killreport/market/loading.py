"""Which files of market days have been read, and which are to be read next.

A killmail needs its own day and the window before it. EVE Ref amends a file for about a week, so one that was read
sooner is read once more when that week is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from killreport.db.database import Connection
from killreport.market.average import WINDOW_DAYS
from killreport.market.store import PriceDay, store_prices

# Source: EVE Ref's market history begins on that day.
FIRST_DAY = date(2003, 10, 1)
AMENDED_FOR = timedelta(days=8)


async def list_days_to_read(connection: Connection, kill_days: Sequence[date], today: date) -> list[date]:
    """Return the days whose file the killmails of `kill_days` need and that was not read in its last form.

    The newest first; only days that are over, as of `today`. A file that did not exist is asked for until its week is
    over.
    """
    rows = await connection.fetch(
        """select wanted.day
           from (
               select distinct needed::date as day
               from unnest($1::date[]) as kill (day)
               cross join lateral generate_series(kill.day - $2::integer, kill.day, '1 day') as needed
           ) as wanted
           left join price_load using (day)
           where wanted.day >= $3 and wanted.day < $4
             and (price_load.day is null
                  or (price_load.loaded_at at time zone 'UTC')::date < wanted.day + $5::integer
                     and (price_load.types = 0 or $4 >= wanted.day + $5::integer))
           order by wanted.day desc""",
        list(kill_days),
        WINDOW_DAYS - 1,
        FIRST_DAY,
        today,
        AMENDED_FOR.days,
    )
    return [row["day"] for row in rows]


async def store_market_day(connection: Connection, day: date, rows: Sequence[PriceDay], source: str) -> int:
    """Store a day's file with the note that it was read, in one transaction; return how many prices changed.

    rows: empty where there is no such file. Idempotent.
    """
    async with connection.transaction():
        changed = await store_prices(connection, rows)
        await connection.execute(
            """insert into price_load (day, types, source) values ($1, $2, $3)
               on conflict (day) do update
                   set loaded_at = now(), types = excluded.types, source = excluded.source""",
            day,
            len(rows),
            source,
        )
    return changed
