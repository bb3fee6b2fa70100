"""Which killmails are to be valued again, and the pass that does it, the newest first.

Three ways lead here. A market day was stored: all killmails of the days it concerns (`value_due`). The rules of prices
or the static data are others than those by which killmails without a market price were valued: all of these, one by one
(`killmail_value_due`). A type got its first price ever: all killmails that carried it as priceless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from killreport.clock import span_of_day
from killreport.db.database import Connection, Database
from killreport.killmail.writing.revalue import Revalued, Revaluer
from killreport.market.price import RULES_VERSION, PriceRule

BATCH_KILLMAILS = 500
MARKET_CAME = "a market price came"
RULES_CHANGED = "the rules of prices or the static data changed"
FIRST_PRICE_CAME = "a first price came"

# Each lists killmails, the newest first: those of a day, those that are due one by one, and those with a type as
# priceless that has a reference by now.
_OF_DAY = """
    select killmail_id from killmail where killmail_time >= $1 and killmail_time < $2
    order by killmail_time desc, killmail_id desc
"""
_SINGLE = "select killmail_id from killmail_value_due order by killmail_id desc limit $1"
_PRICELESS = f"""
    with known as (select type_id from price_reference where cents > 0)
    select killmail_id from (
        select item.killmail_id from item join known using (type_id) where item.price_rule >= {PriceRule.BASE_PRICE:d}
        union
        select killmail.killmail_id from killmail join known on known.type_id = killmail.ship_type_id
        where killmail.ship_price_rule >= {PriceRule.BASE_PRICE:d}
    ) as priceless
    order by killmail_id desc limit $1
"""  # noqa: S608 - numbers of our own

OnBatch = Callable[[Revalued], None]


@dataclass(frozen=True, slots=True)
class Left:
    """What a pass did not come to: days, whether killmails with a type that has a first price now, and single ones."""

    days: int
    has_priceless: bool
    killmails: int = 0

    def __bool__(self) -> bool:
        """Tell whether anything is left."""
        return bool(self.days or self.has_priceless or self.killmails)


async def revalue_due(database: Database, revaluer: Revaluer, *, most: int, on_batch: OnBatch) -> Left:
    """Value again what is due, about `most` killmails of it: a day that was begun is finished.

    A pass that is broken off repeats the day or the batch it was in, and changes nothing about what it had done of it.
    """
    examined = 0

    async def revalue(mail_ids: Sequence[int], reason: str) -> None:
        nonlocal examined
        for first in range(0, len(mail_ids), BATCH_KILLMAILS):
            done = await revaluer.revalue(database, mail_ids[first : first + BATCH_KILLMAILS], reason)
            examined += done.examined
            on_batch(done)

    async def left(days: int) -> Left:
        async with database.connection() as connection:
            single = await connection.fetchval("select count(*) from killmail_value_due")
        return Left(days, await _has_priceless(database), single)

    async with database.transaction() as connection:
        await _note_basis(connection)
    async with database.connection() as connection:
        due = await _list_due(connection)
    for index, (day, since) in enumerate(due):
        if examined >= most:
            return await left(len(due) - index)
        async with database.connection() as connection:
            mail_ids = await _list_ids(connection, _OF_DAY, *span_of_day(day))
        await revalue(mail_ids, MARKET_CAME)
        async with database.connection() as connection:
            # A price that came meanwhile made the day due anew, and it stays so.
            await connection.execute("delete from value_due where day = $1 and since = $2", day, since)
    while examined < most:
        async with database.connection() as connection:
            mail_ids = await _list_ids(connection, _SINGLE, BATCH_KILLMAILS)
        if not mail_ids:
            break
        await revalue(mail_ids, RULES_CHANGED)
        async with database.connection() as connection:
            await connection.execute("delete from killmail_value_due where killmail_id = any($1)", mail_ids)
    async with database.connection() as connection:
        mail_ids = await _list_ids(connection, _PRICELESS, max(most - examined, 0))
    await revalue(mail_ids, FIRST_PRICE_CAME)
    return await left(0)


async def is_basis_new(connection: Connection) -> bool:
    """Tell whether killmails without a market price were valued by other rules or static data, or wait for new ones."""
    waits: bool = await connection.fetchval("select exists (select from killmail_value_due)")
    return waits or await _is_other_basis(connection)


async def _is_other_basis(connection: Connection) -> bool:
    is_other: bool = await connection.fetchval(
        """select exists (
               select from value_basis, static_data
               where (value_basis.rules_version, value_basis.build_number, value_basis.extent)
                     is distinct from ($1, static_data.build_number, static_data.extent)
           )""",
        RULES_VERSION,
    )
    return is_other


async def _note_basis(connection: Connection) -> None:
    """Note the rules and the static data of now; where others were noted, have due what may be worth something else.

    Inside a transaction: the killmails are due for good when the basis is noted, whatever happens to the pass.
    """
    if await _is_other_basis(connection):
        await connection.execute(
            """insert into killmail_value_due
               select killmail_id from item where price_rule >= $1
               union
               select killmail_id from killmail where ship_price_rule >= $1
               on conflict do nothing""",
            int(PriceRule.BASE_PRICE),
        )
    await connection.execute(
        """insert into value_basis (rules_version, build_number, extent)
           select $1, build_number, extent from static_data
           on conflict (is_only) do update set rules_version = excluded.rules_version,
               build_number = excluded.build_number, extent = excluded.extent""",
        RULES_VERSION,
    )


async def list_kill_days(connection: Connection) -> list[date]:
    """Return the days on which killmails are stored."""
    return [row["day"] for row in await connection.fetch("select day from daily_total order by day")]


async def _list_due(connection: Connection) -> list[tuple[date, datetime]]:
    """Return the days that are due with since when, the newest first; those without a killmail are settled here."""
    await connection.execute(
        "delete from value_due where not exists (select from daily_total where daily_total.day = value_due.day)"
    )
    rows = await connection.fetch("select day, since from value_due order by day desc")
    return [(row["day"], row["since"]) for row in rows]


async def _list_ids(connection: Connection, statement: str, *arguments: object) -> list[int]:
    return [row["killmail_id"] for row in await connection.fetch(statement, *arguments)]


async def _has_priceless(database: Database) -> bool:
    async with database.connection() as connection:
        return bool(await _list_ids(connection, _PRICELESS, 1))
