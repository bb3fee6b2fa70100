"""What the rules of prices change: every real killmail valued as a release before them did, and as this one does.

    python -m bench.worth [DATA]

DATA is the folder of real EVE data, default `../shared/data`. Prices are the packaged ones: no market day is stored, as
in a demo, an import without a network and the first minutes of a new installation.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from heapq import heappop, heappush
from pathlib import Path

import msgspec
import zstandard

from bench.agreement import DEFAULT_DATA
from bench.fits import read_mails
from bench.universe import seed_prices, seed_universe
from killreport.eve.universe import Universe
from killreport.killmail.mail.decode import decode_killmail, unwrap
from killreport.killmail.mail.items import flatten_items
from killreport.killmail.mail.model import Killmail
from killreport.killmail.rules.labels import with_value
from killreport.killmail.rules.value import Valuation, value_killmail
from killreport.market.price import Price, PriceBook, PriceRule

NEAR = timedelta(days=30)
SHARE_OF_ITEMS = 0.9
# Where the histogram's rows begin: what a killmail is worth now, by what it was worth.
BINS = (0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0, 1.01)
MAX_LARGEST = 10
# Of a block that was made up for a test.
INVENTED_TOTAL = 1234567.89
OBSERVED = frozenset((PriceRule.REFERENCE_MARKET, PriceRule.REFERENCE_AVERAGE))


class PricesBefore:
    """The packaged prices by the rules of before: a base price was taken for one unit, and nothing cost a cent."""

    def __init__(self, universe: Universe, now: PriceBook) -> None:
        self._universe = universe
        self._now = now

    def price(self, type_id: int, day: date) -> Price:
        """Return what one unit was said to be worth."""
        price = self._now.price(type_id, day)
        if price.rule not in (PriceRule.BASE_PRICE, PriceRule.UNKNOWN):
            return price
        found = self._universe.types.get(type_id)
        cents = 0 if found is None or found.base_price is None else round(found.base_price * 100)
        return Price(cents, PriceRule.BASE_PRICE) if cents else Price(1, PriceRule.UNKNOWN)


@dataclass(slots=True)
class Figures:
    """Sums over all killmails, in cents of ISK, each before and now. largest: a heap of change, id, and why."""

    killmails: int = 0
    hulls: list[int] = field(default_factory=lambda: [0, 0])
    items: list[int] = field(default_factory=lambda: [0, 0])
    labels: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    relabelled: int = 0
    changed: int = 0
    bins: Counter[float] = field(default_factory=Counter)
    unknown_hulls: int = 0
    unknown_lines: int = 0
    incomplete: int = 0
    largest: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, mail: Killmail, before: Valuation, now: Valuation, universe: Universe) -> None:
        """Count one killmail."""
        self.killmails += 1
        for place, value in enumerate((before, now)):
            self.hulls[place] += value.ship.cents
            self.items[place] += value.total - value.ship.cents
            self.labels[place].update(with_value((), value.total))
        self.relabelled += with_value((), before.total) != with_value((), now.total)
        change = abs(before.total - now.total)
        # Half a per cent and an ISK: what was a cent and is nothing now is no change that anybody sees.
        self.changed += change > max(100, before.total // 200)
        self.bins[max(start for start in BINS if start <= now.total / before.total)] += 1
        self.unknown_hulls += not now.ship.is_known
        self.unknown_lines += sum(not price.is_known for price in now.item_prices)
        self.incomplete += not now.is_complete
        if len(self.largest) < MAX_LARGEST or change > self.largest[0][0]:
            heappush(self.largest, (change, mail.killmail_id, explain(mail, before, now, universe)))
            if len(self.largest) > MAX_LARGEST:
                heappop(self.largest)


def explain(mail: Killmail, before: Valuation, now: Valuation, universe: Universe) -> str:
    """Return what changed most: the type, how many, and what one was worth and is, with the rule."""
    lines: Counter[tuple[int, int, int, str, str]] = Counter()
    rows = zip(flatten_items(mail), before.item_prices, now.item_prices, strict=True)
    for (_, _, item), was, now_is in rows:
        quantity = (item.quantity_dropped or 0) + (item.quantity_destroyed or 0)
        lines[item.item_type_id, was.cents, now_is.cents, was.rule.name, now_is.rule.name] += quantity
    lines[mail.victim.ship_type_id, before.ship.cents, now.ship.cents, before.ship.rule.name, now.ship.rule.name] += 1
    key, quantity = max(lines.items(), key=lambda line: abs(line[0][1] - line[0][2]) * line[1])
    type_id, was_cents, is_cents, was_rule, is_rule = key
    portion = universe.types[type_id].portion_size if type_id in universe.types else 1
    return (
        f"{quantity:,} x {universe.type_name(type_id)}: {was_cents / 100:,.2f} ({was_rule}) is {is_cents / 100:,.2f} "
        f"({is_rule}, portion {portion:,})"
    )


def measure(mails: Iterator[Killmail]) -> Figures:
    """Value every killmail both ways."""
    universe, prices, figures = seed_universe(), seed_prices(), Figures()
    before = PricesBefore(universe, prices)
    for mail in mails:
        flat = flatten_items(mail)
        old, new = (value_killmail(mail, universe, book, flat) for book in (before, prices))
        figures.add(mail, old, new, universe)
    return figures


@dataclass(frozen=True, slots=True)
class Compared:
    """A killmail's total beside zKillboard's, in ISK. near: the share of its items priced within a month of its day.

    is_hull_near: whether the hull is.
    """

    killmail_id: int
    ours: float
    before: float
    theirs: float
    is_hull_near: bool
    near: float

    @property
    def is_of_the_month(self) -> bool:
        """Tell whether the two may be expected to agree."""
        return self.is_hull_near and self.near >= SHARE_OF_ITEMS


def compare(data: Path) -> list[Compared]:
    """Return every killmail that has a total of zKillboard's, those first whose prices are best known."""
    universe, prices = seed_universe(), seed_prices()
    before, compared = PricesBefore(universe, prices), []
    for mail, theirs in _blocks(data):
        value, old = (value_killmail(mail, universe, book) for book in (prices, before))
        day = mail.killmail_time.date()
        near = sum(_is_near(price, day) for price in value.item_prices) / len(value.item_prices)
        totals = value.total / 100, old.total / 100, theirs
        compared.append(Compared(mail.killmail_id, *totals, _is_near(value.ship, day), near))
    return sorted(compared, key=lambda one: (one.is_hull_near, one.near), reverse=True)


def _blocks(data: Path) -> Iterator[tuple[Killmail, float]]:
    """Yield every killmail that has its items and a total of zKillboard's, once."""
    seen: set[int] = set()
    lines = zstandard.decompress((data / "killmails" / "odd_shared.jsonl.zst").read_bytes()).splitlines()
    packed = zstandard.decompress((data / "zkb" / "killmails_with_zkb.json.zst").read_bytes())
    for raw in (*lines, *(bytes(one) for one in msgspec.json.decode(packed, type=list[msgspec.Raw]))):
        envelope = unwrap(raw)
        total = None if envelope.zkb is None else envelope.zkb.total_value
        if not total or b"items_stripped_by_source" in raw or total == INVENTED_TOTAL:
            continue
        mail = decode_killmail(envelope.body)
        # Some sources leave the items out; a killmail without any tells nothing of prices anyway.
        if mail.killmail_id not in seen and mail.victim.items:
            seen.add(mail.killmail_id)
            yield mail, total


def _is_near(price: Price, day: date) -> bool:
    """Tell whether the price was seen within a month of the day, or is the same by a rule on every day."""
    if price.rule in OBSERVED:
        return price.day is not None and abs(price.day - day) <= NEAR
    return price.rule < PriceRule.MARKET_TRIMMED


def show(figures: Figures) -> None:
    """Print the figures."""
    print(f"{figures.killmails:,} killmails, {figures.changed:,} of them worth something else; in ISK:")
    for name, pair in (("hulls", figures.hulls), ("items", figures.items)):
        print(f"  {name:6} {pair[0] / 1e11:10,.1f} b before {pair[1] / 1e11:10,.1f} b now")
    print(f"no price: {figures.unknown_hulls:,} hulls, {figures.unknown_lines:,} item lines; ", end="")
    print(f"{figures.incomplete:,} killmails are not complete")
    print(f"labels of worth: {figures.relabelled:,} killmails have another one")
    for label in sorted(figures.labels[0] | figures.labels[1]):
        print(f"  {label:8} {figures.labels[0][label]:6,} before {figures.labels[1][label]:6,} now")
    print("worth now, as a share of before:")
    for start, end in zip(BINS, [*BINS[1:], None], strict=True):
        upto = "and more" if end is None else f"to {end:g}"
        print(f"  {start:g} {upto:10} {figures.bins[start]:6,}")
    print("the largest changes:")
    for change, killmail_id, reason in sorted(figures.largest, reverse=True):
        print(f"  {killmail_id} {change / 1e11:8.2f} b: {reason}")


def show_compared(compared: Sequence[Compared]) -> None:
    """Print how near we are to zKillboard, where the prices are of the month and elsewhere."""
    ours = [one for one in compared if one.is_of_the_month]
    print(f"zKillboard: {len(compared)} killmails with items and its total, {len(ours)} with prices of the month,")
    print(f"  {sum(abs(one.ours / one.theirs - 1) <= 0.05 for one in ours)} of those within 5 %; all of them:")
    for one in compared:
        print(
            f"  {one.killmail_id}: now {one.ours / one.theirs:.2f}, before {one.before / one.theirs:.2f} of its "
            f"{one.theirs:,.0f}; of the month: {one.near:.0%} of the items, hull {'yes' if one.is_hull_near else 'no'}"
        )


def main(data: Path = DEFAULT_DATA) -> None:
    """Measure and print."""
    show(measure(read_mails(data)))
    show_compared(compare(data))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
