"""What a type was worth on a day, and why.

The first rule that answers wins: SKIN, fixed price, capsule, market days in The Forge, a reference (an observation the
package brings or CCP's average, whichever is younger), CCP's base price. Where nothing is known, no price is: it adds
nothing to a sum, and the sum is not complete.
Deterministic: the same rows in the database give the same price, whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Protocol

from killreport.db.database import Connection
from killreport.eve.universe import Universe
from killreport.market.average import WINDOW_DAYS, is_trimmed, smoothed_average
from killreport.market.fixed import FIXED_GROUP_PRICES, FIXED_PRICES, by_type

SKIN_CATEGORY = 91
CAPSULE_GROUP = 29
CAPSULE_CENTS = 1_000_000
LEAST_CENTS = 1

# Of (type, day); some 200 bytes each. The oldest imports cross thousands of days.
MAX_REMEMBERED = 200_000


class PriceRule(IntEnum):
    """Which rule gave a price. The numbers are stored: never change or reuse one."""

    SKIN = 1
    FIXED = 2
    CAPSULE = 3
    BLUEPRINT_COPY = 4
    ESCAPE_BAY = 5
    GOLDEN_IMPLANT = 6
    MARKET_TRIMMED = 10
    MARKET_MEAN = 11
    MARKET_DAY = 12
    REFERENCE_MARKET = 20
    REFERENCE_AVERAGE = 21
    BASE_PRICE = 30
    UNKNOWN = 99

    @property
    def explanation(self) -> str:
        """Return one line for the people who ask where a price comes from."""
        return EXPLANATIONS[self]


EXPLANATIONS: Mapping[PriceRule, str] = {
    PriceRule.SKIN: "SKINs count as 0.01: they cannot be sold once they are activated.",
    PriceRule.FIXED: "A price set by hand, because the type is too rare for a market or its market is manipulated.",
    PriceRule.CAPSULE: "A capsule counts as 10,000 ISK; nobody sells one.",
    PriceRule.BLUEPRINT_COPY: "Blueprint copies count as 0.01: the market trades originals only.",
    PriceRule.ESCAPE_BAY: "What lies in a frigate escape bay counts as 0.01, as zKillboard counts it.",
    PriceRule.GOLDEN_IMPLANT: "The implant that makes a capsule golden counts as 0.01, as zKillboard counts it.",
    PriceRule.MARKET_TRIMMED: "Mean of the latest daily averages in The Forge, without the extreme days.",
    PriceRule.MARKET_MEAN: "Mean of the few daily averages in The Forge that are known.",
    PriceRule.MARKET_DAY: "The Forge's average of that very day, because it was below the mean of the days before.",
    PriceRule.REFERENCE_MARKET: "One observed daily average in Jita; no market day is stored for the type.",
    PriceRule.REFERENCE_AVERAGE: "CCP's own average price; no market day is stored for the type.",
    PriceRule.BASE_PRICE: "CCP's base price from the static data; no market price is known.",
    PriceRule.UNKNOWN: "No price is known; it adds nothing to a sum.",
}


@dataclass(frozen=True, slots=True)
class Price:
    """Hundredths of an ISK for one unit, with the rule that gave them: at least 1, and 0 where no price is known."""

    cents: int
    rule: PriceRule

    @property
    def is_known(self) -> bool:
        """Tell whether this is a price at all."""
        return self.rule is not PriceRule.UNKNOWN


SKIN_PRICE = Price(LEAST_CENTS, PriceRule.SKIN)
CAPSULE_PRICE = Price(CAPSULE_CENTS, PriceRule.CAPSULE)
BLUEPRINT_COPY_PRICE = Price(LEAST_CENTS, PriceRule.BLUEPRINT_COPY)
ESCAPE_BAY_PRICE = Price(LEAST_CENTS, PriceRule.ESCAPE_BAY)
GOLDEN_IMPLANT_PRICE = Price(LEAST_CENTS, PriceRule.GOLDEN_IMPLANT)
UNKNOWN_PRICE = Price(0, PriceRule.UNKNOWN)

FIXED_BY_TYPE = by_type(FIXED_PRICES)


def market_price(averages: Sequence[int], average_of_day: int | None) -> Price | None:
    """Return the price that the daily averages give, in cents; None where they say nothing.

    averages: of the latest stored days up to the day asked for, that day included, in any order; at most WINDOW_DAYS.
    average_of_day: that of the day itself, where it is stored; a lower one wins, against prices pumped before.
    """
    if not averages:
        return None
    cents = smoothed_average(averages)
    if cents <= LEAST_CENTS:
        return None
    if average_of_day is not None and LEAST_CENTS <= average_of_day < cents:
        return Price(average_of_day, PriceRule.MARKET_DAY)
    return Price(cents, PriceRule.MARKET_TRIMMED if is_trimmed(len(averages)) else PriceRule.MARKET_MEAN)


class Prices(Protocol):
    """Whoever knows prices."""

    def price(self, type_id: int, day: date) -> Price:
        """Return what one unit was worth on the UTC day; never fails, and asks nobody."""


class PriceBook:
    """Prices in memory. `prefetch` what a batch needs, then ask `price`; one other batch may be fetched in between.

    references: what `price_reference` holds. version: of the stored prices the book knows (`price_version`).
    """

    def __init__(self, universe: Universe, references: Mapping[int, Price], version: int = 0) -> None:
        self._universe = universe
        self._references = references
        self._version = version
        self._always: dict[int, Price] = {}
        self._dated: dict[tuple[int, date], Price] = {}
        # What the latest forgetting forgot: a batch that was fetched before it is still being priced.
        self._forgotten: dict[tuple[int, date], Price] = {}

    def renew(self, universe: Universe) -> None:
        """Go on with other static data; what was worked out with the former is forgotten."""
        self._universe = universe
        self._always.clear()
        self._forget()
        self._forgotten = {}

    def price(self, type_id: int, day: date) -> Price:
        """Return what one unit was worth on the UTC day; never fails, and asks nobody.

        Where market days are stored, only those that `prefetch` has fetched are known.
        """
        found = self._always.get(type_id)
        if found is None:
            found = self._dated.get((type_id, day))
            if found is None:
                found = self._work_out(type_id, day)
        return found

    async def prefetch(self, connection: Connection, type_ids: Collection[int], days: Collection[date]) -> None:
        """Fetch the market prices of every type on every day that the book does not know yet.

        One small query while no market day is stored. Forgets everything when somebody stored prices since.
        """
        version = await connection.fetchval("select version from price_version")
        if version != self._version:
            self._references = await _fetch_references(connection)
            self._version = version
            self._always.clear()
            self._forget()
        if not version:
            return
        if len(self._dated) + len(type_ids) * len(days) > MAX_REMEMBERED:
            self._forget()
        wanted = [
            (type_id, day)
            for type_id in set(type_ids)
            if self._settled(type_id) is None
            for day in set(days)
            if (type_id, day) not in self._dated
        ]
        if wanted:
            market = await _fetch_market(connection, wanted)
            for type_id, day in wanted:
                self._dated[type_id, day] = (
                    _fixed(type_id, day) or market.get((type_id, day)) or self._fallback(type_id)
                )

    def _forget(self) -> None:
        self._forgotten = self._dated
        self._dated = {}

    def _work_out(self, type_id: int, day: date) -> Price:
        forgotten = self._forgotten.get((type_id, day))
        if forgotten is not None:
            return forgotten
        settled = self._settled(type_id)
        if settled is not None:
            self._always[type_id] = settled
            return settled
        if type_id in FIXED_BY_TYPE:
            return _fixed(type_id, day) or self._fallback(type_id)
        price = self._fallback(type_id)
        if not self._version:
            self._always[type_id] = price
        return price

    def _settled(self, type_id: int) -> Price | None:
        """Return the price where a rule above the market gives the same for every day."""
        found = self._universe.types.get(type_id)
        if found is not None and found.category_id == SKIN_CATEGORY:
            return SKIN_PRICE
        fixed = FIXED_BY_TYPE.get(type_id)
        if fixed is not None:
            is_for_ever = len(fixed) == 1 and fixed[0].since is None and fixed[0].until is None
            return Price(_cents(fixed[0].isk), PriceRule.FIXED) if is_for_ever else None
        if found is None:
            return None
        if found.group_id in FIXED_GROUP_PRICES:
            return Price(_cents(FIXED_GROUP_PRICES[found.group_id]), PriceRule.FIXED)
        return CAPSULE_PRICE if found.group_id == CAPSULE_GROUP else None

    def _fallback(self, type_id: int) -> Price:
        """Return the price by the rules below the market."""
        reference = self._references.get(type_id)
        if reference is not None:
            return reference
        found = self._universe.types.get(type_id)
        if found is None or found.base_price is None or _cents(found.base_price) < LEAST_CENTS:
            return UNKNOWN_PRICE
        return Price(_cents(found.base_price), PriceRule.BASE_PRICE)


async def load_price_book(connection: Connection, universe: Universe) -> PriceBook:
    """Return a book that knows the reference prices, and of market days nothing until `prefetch`."""
    # The version first: a write in between is then seen by the next prefetch, never missed.
    version = await connection.fetchval("select version from price_version")
    return PriceBook(universe, await _fetch_references(connection), version)


async def _fetch_references(connection: Connection) -> dict[int, Price]:
    rows = await connection.fetch("select type_id, cents, rule from price_reference where cents >= $1", LEAST_CENTS)
    return {row["type_id"]: Price(row["cents"], PriceRule(row["rule"])) for row in rows}


async def _fetch_market(connection: Connection, wanted: Sequence[tuple[int, date]]) -> dict[tuple[int, date], Price]:
    rows = await connection.fetch(
        """select wanted.type_id, wanted.day, array_agg(stored.average_cents) as averages,
                  max(stored.average_cents) filter (where stored.day = wanted.day) as average_of_day
           from unnest($1::bigint[], $2::date[]) as wanted (type_id, day)
           cross join lateral (
               select price_day.day, price_day.average_cents from price_day
               where price_day.type_id = wanted.type_id and price_day.day <= wanted.day
               order by price_day.day desc limit $3
           ) as stored
           group by wanted.type_id, wanted.day""",
        [type_id for type_id, _ in wanted],
        [day for _, day in wanted],
        WINDOW_DAYS,
    )
    prices = {}
    for row in rows:
        price = market_price(row["averages"], row["average_of_day"])
        if price is not None:
            prices[row["type_id"], row["day"]] = price
    return prices


def _fixed(type_id: int, day: date) -> Price | None:
    for fixed in FIXED_BY_TYPE.get(type_id, ()):
        if fixed.holds_on(day):
            return Price(_cents(fixed.isk), PriceRule.FIXED)
    return None


def _cents(isk: float) -> int:
    return round(isk * 100)
