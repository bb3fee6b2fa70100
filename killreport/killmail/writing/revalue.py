"""Values stored killmails again, when a price came that was not there when they were stored.

The same code that valued them when they came values them now. In one transaction go the values, the prices of the
items, the label that depends on the value, the difference in the rollups, the record of the change, and the event
that tells subscribers. Points and everything else of a killmail do not depend on its value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import structlog

from killreport.db.database import Connection, Database
from killreport.eve.load import load_universe
from killreport.eve.universe import Universe
from killreport.killmail.mail.label_numbers import pack_labels, unpack_labels
from killreport.killmail.postings.changes import hold_days_of
from killreport.killmail.rules.labels import with_value
from killreport.killmail.rules.value import Valuation, value_killmail
from killreport.killmail.stored.event import tell
from killreport.killmail.stored.packed import pack_items
from killreport.killmail.stored.queries import ItemRow, KillmailRow, get_killmails, list_items
from killreport.killmail.stored.remade import flat_items, mail_of
from killreport.killmail.stored.rollup import Rollup
from killreport.killmail.writing.counted import list_counted
from killreport.killmail.writing.derive import MAX_CENTS
from killreport.market.price import Price, PriceBook, PriceRule, Prices, load_price_book

# One at a time over the whole database, so that a value is not corrected twice; spells "revalue" in ASCII.
REVALUE_LOCK = 0x726576616C7565

# One observation of some day, for want of a market day.
_REFERENCES = frozenset((int(PriceRule.REFERENCE_MARKET), int(PriceRule.REFERENCE_AVERAGE)))

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Revalued:
    """What became of a batch. changed: killmails with another value; repriced: with other prices, those included."""

    examined: int
    repriced: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Revalued:
    """A killmail's row and items as they are stored, and what they are worth now."""

    mail: KillmailRow
    items: Sequence[ItemRow]
    value: Valuation

    @property
    def difference(self) -> int:
        return self.value.total - self.mail.total_value_cents


class Revaluer:
    """Values batches again; keep one per run, it holds only the universe and the prices."""

    def __init__(self, universe: Universe, prices: PriceBook) -> None:
        self._universe = universe
        self._prices = prices

    async def revalue(self, database: Database, mail_ids: Sequence[int], reason: str) -> Revalued:
        """Value the killmails again, in one transaction; ids that are not stored are left out.

        reason: recorded with every value that changes. Idempotent: the same prices change nothing.
        """
        async with database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", REVALUE_LOCK)
            await hold_days_of(connection, mail_ids)
            mails, items = await get_killmails(connection, mail_ids), await list_items(connection, mail_ids)
            await self._prefetch(connection, mails, items)
            changes = [
                change for mail in mails if (change := self._change_of(mail, items[mail.killmail_id])) is not None
            ]
            changed = [change for change in changes if change.difference]
            rollup = Rollup()
            totals = {change.mail.killmail_id: change.value.total for change in changed}
            for counted in await list_counted(connection, totals):
                total = totals[counted.row.killmail_id]
                counted.take_away(rollup)
                counted.add_revalued(rollup, total, with_value(counted.row.labels, total))
            # The order of locks is the writer's: rollups of days, killmails, rollups of whole lives, event.
            await rollup.save_days(connection)
            if changes:
                await _save(connection, changes, changed, reason)
                await rollup.save_totals(connection)
                await tell(connection, [], [change.mail.killmail_id for change in changes])
        return Revalued(len(mails), len(changes), len(changed))

    async def _prefetch(
        self, connection: Connection, mails: Sequence[KillmailRow], items: Mapping[int, list[ItemRow]]
    ) -> None:
        types: dict[date, set[int]] = defaultdict(set)
        for mail in mails:
            wanted = types[mail.killmail_time.date()]
            wanted.add(mail.ship_type_id)
            wanted.update(row.type_id for row in items[mail.killmail_id])
        for day, type_ids in types.items():
            await self._prices.prefetch(connection, type_ids, [day])

    def _change_of(self, mail: KillmailRow, items: Sequence[ItemRow]) -> _Revalued | None:
        """Return what the killmail is worth now, None where nothing about it differs."""
        prices = _keeping_references(self._prices, mail, items)
        value = value_killmail(mail_of(mail, (), ()), self._universe, prices, flat_items(items))
        if value.total > MAX_CENTS:
            log.warning("value_beyond_limit", killmail_id=mail.killmail_id, cents=value.total)
            return None
        before = [(mail.ship_value_cents, mail.ship_price_rule)]
        before += [(row.unit_price_cents, row.price_rule) for row in items]
        now = [(price.cents, int(price.rule)) for price in (value.ship, *value.item_prices)]
        is_same = before == now and mail.is_value_complete is value.is_complete
        return None if is_same else _Revalued(mail, items, value)


async def load_revaluer(database: Database) -> Revaluer:
    """Return a revaluer with the universe and prices of this moment."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        return Revaluer(universe, await load_price_book(connection, universe))


class _KeepingReferences:
    """Prices for one killmail: a reference of today is no better than the one it was stored with."""

    def __init__(self, prices: Prices, kept: dict[int, Price]) -> None:
        self._prices = prices
        self._kept = kept

    def price(self, type_id: int, day: date) -> Price:
        """Return the price of the day; where it is worse than a market price, the reference that is kept."""
        price = self._prices.price(type_id, day)
        kept = self._kept.get(type_id)
        return price if kept is None or price.rule < PriceRule.REFERENCE_MARKET else kept


def _keeping_references(prices: Prices, mail: KillmailRow, items: Sequence[ItemRow]) -> Prices:
    kept = {
        row.type_id: Price(row.unit_price_cents, PriceRule(row.price_rule))
        for row in items
        if row.price_rule in _REFERENCES
    }
    if mail.ship_price_rule in _REFERENCES:
        kept[mail.ship_type_id] = Price(mail.ship_value_cents, PriceRule(mail.ship_price_rule))
    return _KeepingReferences(prices, kept) if kept else prices


async def _save(
    connection: Connection, changes: Sequence[_Revalued], changed: Sequence[_Revalued], reason: str
) -> None:
    locked = await connection.fetch(
        """select killmail_id, labels, ship_category_id from killmail where killmail_id = any($1)
           order by killmail_id for update""",
        [change.mail.killmail_id for change in changes],
    )
    labels = {killmail_id: unpack_labels(*packed) for killmail_id, *packed in locked}
    await connection.executemany(
        """update killmail set ship_value_cents = $2, ship_price_rule = $3, fitted_value_cents = $4,
               dropped_value_cents = $5, destroyed_value_cents = $6, total_value_cents = $7, labels = $8,
               is_value_complete = $9, items = $10
           where killmail_id = $1""",
        [_row(change, labels[change.mail.killmail_id]) for change in changes],
    )
    await connection.execute(
        """insert into value_change (killmail_id, old_cents, new_cents, reason)
           select id, old_cents, new_cents, $4
           from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as change (id, old_cents, new_cents)""",
        [change.mail.killmail_id for change in changed],
        [change.mail.total_value_cents for change in changed],
        [change.value.total for change in changed],
        reason,
    )


def _row(change: _Revalued, labels: Sequence[str]) -> tuple[object, ...]:
    value = change.value
    return (
        change.mail.killmail_id,
        value.ship.cents,
        int(value.ship.rule),
        value.fitted,
        value.dropped,
        value.destroyed,
        value.total,
        pack_labels(with_value(labels, value.total))[0],
        value.is_complete,
        pack_items(flat_items(change.items), [(price.cents, price.rule) for price in value.item_prices]),
    )
