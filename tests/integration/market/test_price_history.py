"""The price history of a type is its days in order, and of very many the newest."""

from __future__ import annotations

from datetime import date

from killreport.db.database import Database
from killreport.market.history import MAX_DAYS, DayPrice, list_prices


async def test_prices_come_oldest_first_and_only_of_the_type_and_the_days(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """insert into price_day
               select type, '2020-01-01'::date + n, n, 'test'
               from generate_series(0, 1199) n, unnest('{34,35}'::int[]) type
               on conflict do nothing"""
        )
        found = await list_prices(connection, 34, first=date(2020, 1, 2), last=date(2020, 1, 4))
        many = await list_prices(connection, 34, first=date(2020, 1, 1), last=date(2030, 1, 1))
    assert [(price.day.day, price.average_cents) for price in found] == [(2, 1), (3, 2), (4, 3)]
    assert len(many) == MAX_DAYS
    assert many[-1] == DayPrice(date(2023, 4, 14), 1199, "test")
