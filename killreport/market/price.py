"""What a type was worth on a day, and why.

The first rule that answers wins: SKIN, fixed price, capsule; for titans, supercarriers and structure rigs what they are
made of; market days of the day's quarter; an older market day or a reference (an observation the package brings or
CCP's average, whichever is younger), the nearer to the day of the two; what the type is made of, at the day's prices;
CCP's base price for one unit. Where nothing is known, no price is: it adds nothing to a sum, and the sum is not
complete. Deterministic: the same rows in the database give the same price, whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Protocol

from killreport.db.database import Connection
from killreport.eve.universe import Universe
from killreport.market.average import is_trimmed, smoothed_average
from killreport.market.build import MAX_DEPTH, has_base_price, is_built_to_order, materials_of, recipe_of
from killreport.market.fixed import FIXED_GROUP_PRICES, FIXED_PRICES, KNOWN_BUILD_COSTS, by_type
from killreport.market.observed import MarketDays, fetch_market

SKIN_CATEGORY = 91
CAPSULE_GROUP = 29
CAPSULE_CENTS = 1_000_000
MIN_CENTS = 1
# Beyond it a figure is no price: a hundred times the dearest hull there is.
MAX_CENTS = 10**16

# Of this module's rules and its tables. Whoever changes what a stored killmail's prices came to counts it up: those
# that had none but a base price, or none at all, are then valued again.
RULES_VERSION = 2

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
    BUILD_COST = 25
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
    PriceRule.MARKET_TRIMMED: "Mean of the latest daily averages where it is traded, without the extreme days.",
    PriceRule.MARKET_MEAN: "Mean of the few daily averages that are known from where it is traded.",
    PriceRule.MARKET_DAY: "The market's average of that very day, because it was below the mean of the days before.",
    PriceRule.REFERENCE_MARKET: "One observed daily average in Jita; no market day is stored from as near to the day.",
    PriceRule.REFERENCE_AVERAGE: "CCP's own average price; no market day is stored from as near to the day.",
    PriceRule.BUILD_COST: "What the materials of one cost on that day: nobody sells it on the market, or did of late.",
    PriceRule.BASE_PRICE: "CCP's base price of one, from the static data; no market price is known.",
    PriceRule.UNKNOWN: "No price is known; it adds nothing to a sum.",
}


@dataclass(frozen=True, slots=True)
class Price:
    """Hundredths of an ISK for one unit, with the rule that gave them: at least 1, and 0 where no price is known.

    day: of the observation behind it, the newest of several; None where it has none. It makes no price another one.
    """

    cents: int
    rule: PriceRule
    day: date | None = field(default=None, compare=False)

    @property
    def is_known(self) -> bool:
        """Tell whether this is a price at all."""
        return self.rule is not PriceRule.UNKNOWN


SKIN_PRICE = Price(MIN_CENTS, PriceRule.SKIN)
CAPSULE_PRICE = Price(CAPSULE_CENTS, PriceRule.CAPSULE)
BLUEPRINT_COPY_PRICE = Price(MIN_CENTS, PriceRule.BLUEPRINT_COPY)
ESCAPE_BAY_PRICE = Price(MIN_CENTS, PriceRule.ESCAPE_BAY)
GOLDEN_IMPLANT_PRICE = Price(MIN_CENTS, PriceRule.GOLDEN_IMPLANT)
UNKNOWN_PRICE = Price(0, PriceRule.UNKNOWN)

FIXED_BY_TYPE = by_type(FIXED_PRICES)


def market_price(averages: Sequence[int], average_of_day: int | None, newest: date | None = None) -> Price | None:
    """Return the price that the daily averages give, in cents; None where they say nothing.

    averages: of the latest stored days up to the day asked for, that day included, in any order; at most WINDOW_DAYS.
    average_of_day: that of the day itself, where it is stored; a lower one wins, against prices pumped before.
    newest: the latest of the days.
    """
    if not averages:
        return None
    cents = smoothed_average(averages)
    if cents <= MIN_CENTS:
        return None
    if average_of_day is not None and MIN_CENTS <= average_of_day < cents:
        return Price(average_of_day, PriceRule.MARKET_DAY, newest)
    rule = PriceRule.MARKET_TRIMMED if is_trimmed(len(averages)) else PriceRule.MARKET_MEAN
    return Price(cents, rule, newest)


class Prices(Protocol):
    """Whoever knows prices."""

    def price(self, type_id: int, day: date) -> Price:
        """Return what one unit was worth on the UTC day; never fails, and asks nobody."""


Market = Mapping[tuple[int, date], MarketDays]


@dataclass(slots=True)
class _Question:
    """A price that is being worked out, and those of the materials behind it.

    being_built: the types whose materials are being priced, from the outermost in. is_cut: whether one of them was met
    again, so that what was found on the way holds for this question only. is_dated: whether a fixed price with dates
    had a say.
    """

    day: date
    market: Market
    answers: dict[int, Price] = field(default_factory=dict)
    being_built: list[int] = field(default_factory=list)
    is_cut: bool = False
    is_dated: bool = False


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
        """Fetch the market prices of every type and its materials on every day, but those that the book knows.

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
        # Materials come on top: some hundred types at the most, and the same for every hull.
        if len(self._dated) + len(type_ids) * len(days) > MAX_REMEMBERED:
            self._forget()
        wanted = self._unknown((type_id, day) for type_id in set(type_ids) for day in set(days))
        if wanted:
            market = await self._fetch_with_materials(connection, wanted)
            for type_id, day in sorted(wanted):
                if (type_id, day) not in self._dated:
                    self._answer(type_id, _Question(day, market), is_fetched=True)

    async def _fetch_with_materials(self, connection: Connection, wanted: set[tuple[int, date]]) -> Market:
        market: dict[tuple[int, date], MarketDays] = {}
        asked: set[tuple[int, date]] = set()
        for _ in range(MAX_DEPTH + 1):
            market |= await fetch_market(connection, wanted)
            asked |= wanted
            materials = {
                (material, day)
                for type_id, day in wanted
                if self._is_built(type_id, day, market)
                for material in materials_of(self._universe, type_id)
            }
            wanted = self._unknown(materials - asked)
            if not wanted:
                break
        return market

    def _unknown(self, pairs: Iterable[tuple[int, date]]) -> set[tuple[int, date]]:
        return {pair for pair in pairs if pair not in self._dated and self._settled(pair[0]) is None}

    def _forget(self) -> None:
        self._forgotten = self._dated
        self._dated = {}

    def _work_out(self, type_id: int, day: date) -> Price:
        forgotten = self._forgotten.get((type_id, day))
        return self._answer(type_id, _Question(day, {})) if forgotten is None else forgotten

    def _answer(self, type_id: int, question: _Question, *, is_fetched: bool = False) -> Price:
        """Return the price, and remember it with those it was made of, where they hold for whoever asks next."""
        price = self._find(type_id, question)
        kept = {type_id: price} if question.is_cut else question.answers
        if self._settled(type_id) is not None:
            self._always[type_id] = price
        elif is_fetched:
            self._dated.update({(one, question.day): found for one, found in kept.items()})
        elif not self._version and not question.is_dated:
            self._always.update(kept)
        return price

    def _find(self, type_id: int, question: _Question) -> Price:
        known = question.answers.get(type_id) or self._always.get(type_id) or self._dated.get((type_id, question.day))
        if known is None:
            known = question.answers[type_id] = self._climb(type_id, question)
        return known

    def _climb(self, type_id: int, question: _Question) -> Price:
        """Return what the first rule gives that answers."""
        found = self._settled(type_id)
        if found is None and type_id in FIXED_BY_TYPE:
            question.is_dated = True
            found = _fixed(type_id, question.day)
        if found is None and is_built_to_order(self._universe, type_id):
            found = self._built(type_id, question) or _known_build_cost(type_id)
        return (
            found
            or self._observed(type_id, question.day, question.market)
            or self._built(type_id, question)
            or self._base(type_id)
        )

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

    def _observed(self, type_id: int, day: date, market: Market) -> Price | None:
        """Return what the type was seen to be sold at: on a market alive by the day, or whenever was nearest to it."""
        days, reference = market.get((type_id, day)), self._references.get(type_id)
        price = None if days is None else market_price(days.averages, days.average_of_day, days.newest)
        if days is None or price is None:
            return reference
        is_best = reference is None or days.is_fresh(day) or days.is_nearer(day, reference.day)
        return price if is_best else reference

    def _is_built(self, type_id: int, day: date, market: Market) -> bool:
        """Tell whether the materials may decide about the price."""
        return is_built_to_order(self._universe, type_id) or self._observed(type_id, day, market) is None

    def _built(self, type_id: int, question: _Question) -> Price | None:
        """Return what the materials cost, None where nobody knows them all, or one only by its base price."""
        recipe = recipe_of(self._universe, type_id)
        if recipe is None:
            return None
        if type_id in question.being_built or len(question.being_built) >= MAX_DEPTH:
            question.is_cut = True
            return None
        question.being_built.append(type_id)
        total = 0
        for material, quantity in recipe.materials:
            price = self._find(material, question)
            if price.rule >= PriceRule.BASE_PRICE:
                total = 0
                break
            total += quantity * price.cents
        question.being_built.pop()
        cents = (2 * total + recipe.quantity) // (2 * recipe.quantity)
        return Price(cents, PriceRule.BUILD_COST, question.day) if MIN_CENTS <= cents <= MAX_CENTS else None

    def _base(self, type_id: int) -> Price:
        found = self._universe.types.get(type_id)
        if found is None or found.unit_base_price is None or not has_base_price(self._universe, type_id):
            return UNKNOWN_PRICE
        return Price(max(MIN_CENTS, _cents(found.unit_base_price)), PriceRule.BASE_PRICE)


async def load_price_book(connection: Connection, universe: Universe) -> PriceBook:
    """Return a book that knows the reference prices, and of market days nothing until `prefetch`."""
    # The version first: a write in between is then seen by the next prefetch, never missed.
    version = await connection.fetchval("select version from price_version")
    return PriceBook(universe, await _fetch_references(connection), version)


async def _fetch_references(connection: Connection) -> dict[int, Price]:
    rows = await connection.fetch("select type_id, cents, rule, day from price_reference where cents >= $1", MIN_CENTS)
    return {row["type_id"]: Price(row["cents"], PriceRule(row["rule"]), row["day"]) for row in rows}


def _fixed(type_id: int, day: date) -> Price | None:
    for fixed in FIXED_BY_TYPE.get(type_id, ()):
        if fixed.holds_on(day):
            return Price(_cents(fixed.isk), PriceRule.FIXED)
    return None


def _known_build_cost(type_id: int) -> Price | None:
    isk = KNOWN_BUILD_COSTS.get(type_id)
    return None if isk is None else Price(_cents(isk), PriceRule.FIXED)


def _cents(isk: float) -> int:
    return round(isk * 100)
