"""What a kill was worth, as its page writes it: `no price` for one thing, `at least` before a sum that misses one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from killreport.web.amounts import AT_LEAST, NO_PRICE, isk_short, price_full, sum_full, sum_short
from killreport.web.model import ApiItem, ApiSection, ApiValues


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of ISK as decimal text. is_complete: whether every price in it is known."""

    isk: str
    is_complete: bool

    @property
    def full(self) -> str:
        """Return it exactly."""
        return sum_full(self.isk, is_complete=self.is_complete)

    @property
    def full_isk(self) -> str:
        """Return it exactly, with its unit."""
        return sum_full(self.isk, is_complete=self.is_complete, unit=" ISK")

    @property
    def short_isk(self) -> str:
        """Return it in a few digits, with its unit."""
        return sum_short(self.isk, is_complete=self.is_complete, unit=" ISK")

    @property
    def before(self) -> str:
        """Return what is to be read before the amount, set apart."""
        return AT_LEAST if self.full.startswith(AT_LEAST) else ""

    @property
    def amount(self) -> str:
        """Return the amount alone in a few digits; that there is no price where none is known."""
        return NO_PRICE if self.full == NO_PRICE else isk_short(self.isk)

    @property
    def unit(self) -> str:
        """Return the unit behind the amount."""
        return "" if self.full == NO_PRICE else "ISK"


@dataclass(frozen=True, slots=True)
class KillWorth:
    """The figures of the page. hull: the price of one thing."""

    hull: str
    fitted: Sum
    dropped: Sum
    destroyed: Sum
    total: Sum


def kill_worth(values: ApiValues, sections: Sequence[ApiSection]) -> KillWorth:
    """Return the figures, each of which misses only what is missing in itself."""
    has_hull = values.ship is not None
    unknown = [item for part in sections for item in _all_items([*part.fitted, *part.items]) if item.unit_price is None]
    is_fitted = has_hull and not any(
        item.quantity_dropped or item.quantity_destroyed
        for part in sections
        for item in part.fitted
        if item.unit_price is None
    )
    return KillWorth(
        hull=price_full(values.ship),
        fitted=Sum(values.fitted, is_fitted),
        dropped=Sum(values.dropped, not any(item.quantity_dropped for item in unknown)),
        destroyed=Sum(values.destroyed, has_hull and not any(item.quantity_destroyed for item in unknown)),
        total=Sum(values.total, values.is_complete),
    )


def _all_items(items: Sequence[ApiItem]) -> Iterator[ApiItem]:
    for item in items:
        yield item
        yield from _all_items(item.items)
