"""What a fact of ESI can mean: a value beyond it is not known, and costs the rest of its answer nothing.

Bounds are the game's, where it has one, else the columns'.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from killreport.clock import utc_now
from killreport.ids import MAX_ENTITY_ID

# Nothing of the game is older; what is absent comes as 0001-01-01. Source: EVE was released on 2003-05-06, and its
# closed beta began in 2002 (en.wikipedia.org/wiki/Eve_Online, checked 2026-11-29).
FIRST_INSTANT = datetime(2002, 1, 1, tzinfo=UTC)
# Clocks differ by this at the most.
_AHEAD = timedelta(days=1)
_MAX_TICKER = 20
_MAX_MEMBERS = 2**31 - 1
_MAX_SECURITY = 10.0
# Security statuses are sums of floating-point numbers.
_NOISE = 0.01


def known_instant(instant: datetime | None) -> datetime | None:
    """Return the instant in UTC; one without a zone is in UTC. None before EVE was, and for what is yet to come."""
    if instant is None:
        return None
    try:
        moment = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        return None
    return moment if FIRST_INSTANT <= moment <= utc_now() + _AHEAD else None


def known_id(number: int | None) -> int | None:
    """Return the id; None for 0, which means nobody, and for what no id can be."""
    return number if number is not None and 1 <= number <= MAX_ENTITY_ID else None


def known_name(name: str | None) -> str | None:
    """Return the name; None for an empty one."""
    return name if name and not name.isspace() else None


def known_ticker(ticker: str | None) -> str | None:
    """Return the ticker, which has up to five letters in the game; None for what cannot be one."""
    if ticker is None or "\0" in ticker or len(ticker) > _MAX_TICKER:
        return None
    return known_name(ticker)


def known_count(count: int | None) -> int | None:
    """Return the number of members; None for one below zero, and for one beyond all."""
    return count if count is not None and 0 <= count <= _MAX_MEMBERS else None


def known_security(status: float | None) -> float | None:
    """Return the security status, -10 to 10; None beyond."""
    return status if status is not None and abs(status) <= _MAX_SECURITY + _NOISE else None


def known_share(share: float | None) -> float | None:
    """Return the share, 0 to 1; None beyond."""
    return share if share is not None and 0 <= share <= 1 else None


def known_isk(amount: float | None) -> float | None:
    """Return the price in ISK; None below zero, and for more than all there is."""
    return amount if amount is not None and 0 <= amount <= 1e16 else None


def known_size(size: float | None) -> float | None:
    """Return a mass, a volume or a capacity; None below zero."""
    return size if size is not None and size >= 0 else None
