"""What must hold for every killmail beyond the type and bounds of each field; see `killreport.killmail.mail.decode`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from killreport.clock import utc_now
from killreport.errors import Malformed
from killreport.killmail.mail.legacy import DEEPEST_ITEMS
from killreport.killmail.mail.model import MAX_INT2, Attacker, Item, Killmail

EARLIEST = datetime(2003, 5, 6, tzinfo=UTC)  # the day the game opened
FARTHEST_AHEAD = timedelta(days=1)  # a clock may be wrong, but not by more


def check_attackers(attackers: tuple[Attacker, ...]) -> None:
    """Raise Malformed unless somebody killed, and exactly one struck the final blow.

    All of 41,563 real killmails have one final blow; the hash cannot be computed with two.
    """
    if not attackers:
        raise Malformed("there is no attacker", "$.attackers")
    if len(attackers) > MAX_INT2:
        raise Malformed(f"there are more than {MAX_INT2} attackers", "$.attackers")
    blows = 0
    for attacker in attackers:
        if attacker.final_blow:
            blows += 1
    if blows != 1:
        raise Malformed(f"one attacker must have the final blow, {blows} have it", "$.attackers")


def check_items(items: tuple[Item, ...]) -> None:
    """Raise Malformed for containers nested deeper than DEEPEST_ITEMS and for more rows than can be numbered."""
    rows = len(items)
    for ordinal, item in enumerate(items):
        if item.items:
            levels, inner_rows = _measure(item.items)
            if levels >= DEEPEST_ITEMS:
                raise Malformed("containers are nested too deeply", f"$.victim.items[{ordinal}]")
            rows += inner_rows
    if rows > MAX_INT2:
        raise Malformed(f"there are more than {MAX_INT2} items", "$.victim.items")


def _measure(items: tuple[Item, ...]) -> tuple[int, int]:
    """Return how many levels and rows there are; without recursion, since this is what bounds the depth."""
    levels = rows = 0
    level = items
    while level:
        levels += 1
        rows += len(level)
        level = tuple(inner for item in level for inner in item.items or ())
    return levels, rows


def with_sane_time(mail: Killmail) -> Killmail:
    """Return the mail with its time in UTC. Raises Malformed for a time before the game, or more than a day ahead."""
    time = mail.killmail_time
    if time < EARLIEST:
        raise Malformed("the time is before the game began", "$.killmail_time")
    if time > utc_now() + FARTHEST_AHEAD:
        raise Malformed("the time lies in the future", "$.killmail_time")
    if time.tzinfo is UTC:
        return mail
    return msgspec.structs.replace(mail, killmail_time=time.astimezone(UTC))
