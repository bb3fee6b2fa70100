"""How much time a list may read that no index has in its order."""

from __future__ import annotations

from datetime import datetime, timedelta

from killreport.errors import Malformed
from killreport.killmail.filters.tree import Condition, KillmailFilter
from killreport.killmail.lists.page import Order

DEFAULT_SPAN = timedelta(days=90)
MAX_SPAN = timedelta(days=366)
_TIMES = frozenset({"from", "to"})


def with_span(wanted: KillmailFilter, order: Order, now: datetime) -> KillmailFilter:
    """Return the filter with a beginning where the order needs one: DEFAULT_SPAN before its end, which is now at most.

    By value or points, a list reads all its killmails of the time asked for before the first can be told. Raises
    Malformed with the path `from` where that is longer than MAX_SPAN and more than time is asked for: of the
    killmails of everybody an index has these orders.
    """
    if order is Order.NEWEST:
        return wanted
    parts = [part for part in wanted.root.parts if isinstance(part, Condition) and part.name in _TIMES]
    begins: list[datetime] = [part.value for part in parts if part.name == "from" and isinstance(part.value, datetime)]
    ends: list[datetime] = [part.value for part in parts if part.name == "to" and isinstance(part.value, datetime)]
    end = min([now, *ends])
    if not begins:
        return KillmailFilter.read({**wanted.plain(), "from": end - DEFAULT_SPAN})
    if end - max(begins) > MAX_SPAN and len(parts) < len(wanted.root.parts):
        raise Malformed(f"by value or points, at most {MAX_SPAN.days} days may be asked for", "from")
    return wanted
