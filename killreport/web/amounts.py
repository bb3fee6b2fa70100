"""Figures as people read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

_UNITS = ((Decimal(10) ** 12, "t"), (Decimal(10) ** 9, "b"), (Decimal(10) ** 6, "m"), (Decimal(10) ** 3, "k"))


NO_PRICE = "no price"
AT_LEAST = "at least "
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def isk_short(isk: str | Decimal) -> str:
    """Return ISK in three or four digits and a unit: `1.23b`, `45.6m`, `780k`, `12`, `0.01`."""
    amount = Decimal(isk)
    for size, unit in _UNITS:
        # What would round up to a thousand belongs to the next unit.
        if abs(amount) >= size * Decimal("0.9995"):
            scaled = amount / size
            places = 2 if abs(scaled) < Decimal("9.995") else 1 if abs(scaled) < Decimal("99.95") else 0
            return f"{scaled:,.{places}f}{unit}"
    return f"{amount:.0f}" if amount == 0 or abs(amount) >= 1 else f"{amount:.2f}"


def isk_full(isk: str | Decimal) -> str:
    """Return ISK exactly, grouped by thousands, with its cents: `1,234,567.89`."""
    return f"{Decimal(isk):,.2f}"


def price_full(isk: str | Decimal | None) -> str:
    """Return the price of one thing, exactly; that there is none where none is known."""
    return NO_PRICE if isk is None else isk_full(isk)


def sum_short(isk: str | Decimal, *, is_complete: bool, unit: str = "") -> str:
    """Return a sum in three or four digits; `at least` before it where a price is missing in it."""
    return _sum(isk_short(isk), isk, is_complete, unit)


def sum_full(isk: str | Decimal, *, is_complete: bool, unit: str = "") -> str:
    """Return a sum exactly; `at least` before it where a price is missing in it."""
    return _sum(isk_full(isk), isk, is_complete, unit)


def _sum(text: str, isk: str | Decimal, is_complete: bool, unit: str) -> str:
    if not is_complete and not Decimal(isk):
        return NO_PRICE
    return f"{'' if is_complete else AT_LEAST}{text}{unit}"


def count(number: int) -> str:
    """Return a whole number grouped by thousands."""
    return f"{number:,}"


def share(part: int | Decimal, whole: int | Decimal) -> str:
    """Return `part` of `whole` in per cent with one decimal, `0` where the whole is nothing."""
    return "0" if whole == 0 else f"{100 * part / whole:.1f}".removesuffix(".0")


def clock(instant: datetime) -> str:
    """Return hours and minutes of an instant in UTC."""
    return f"{instant:%H:%M}"


def ago(instant: datetime, now: datetime) -> str:
    """Return how far an instant lies from now, in its largest unit: `4 min ago`, `in 3 h`, `now` within a second."""
    seconds = (instant - now).total_seconds()
    amount = next(
        (f"{int(abs(seconds) // size)} {unit}" for size, unit in _SPANS if abs(seconds) >= size),
        None,
    )
    if amount is None:
        return "now"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"


def day_title(instant: datetime) -> str:
    """Return the UTC day of an instant: `Monday, 23 November 2026`."""
    return f"{instant:%A}, {instant.day} {instant:%B %Y}"


def security_text(security: float | None) -> str:
    """Return a security status with one decimal; a question mark where it is unknown."""
    return "?" if security is None else f"{security:.1f}"


def security_class(security: float | None) -> str:
    """Return the CSS class of a shown security status: `sec-null` up to 0.0, else `sec-1` to `sec-10`."""
    if security is None:
        return "sec-unknown"
    return "sec-null" if security <= 0 else f"sec-{round(security * 10)}"
