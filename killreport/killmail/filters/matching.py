"""Many live filters over a few killmails: each distinct filter is asked once a killmail, of facts loaded once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from killreport.eve.universe import Universe
from killreport.killmail.filters.plan import conditions_of
from killreport.killmail.filters.predicates import Either, Facts, HasItem, Killer
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.stored.queries import AttackerRow, ItemRow, KillmailRow

LoadAttackers = Callable[[], Awaitable[Mapping[int, Sequence[AttackerRow]]]]
LoadItems = Callable[[], Awaitable[Mapping[int, Sequence[ItemRow]]]]


def needs_attackers(wanted: KillmailFilter) -> bool:
    """Tell whether the filter cannot be answered without the attackers' rows."""
    return any(isinstance(part.filter.predicate, Killer | Either) for part in conditions_of(wanted.root))


def needs_items(wanted: KillmailFilter) -> bool:
    """Tell whether the filter cannot be answered without the items' rows."""
    return any(isinstance(part.filter.predicate, HasItem) for part in conditions_of(wanted.root))


async def match_all(
    filters: Collection[KillmailFilter],
    killmails: Sequence[KillmailRow],
    universe: Universe,
    load_attackers: LoadAttackers,
    load_items: LoadItems,
) -> dict[KillmailFilter, list[int]]:
    """Return for each filter the places of the killmails that pass it.

    The rows of attackers and items are loaded only where a filter needs them, and then once for all killmails.
    """
    attackers = await load_attackers() if any(map(needs_attackers, filters)) else {}
    items = await load_items() if any(map(needs_items, filters)) else {}
    facts = [
        Facts(killmail, attackers.get(killmail.killmail_id, ()), items.get(killmail.killmail_id, ()), universe)
        for killmail in killmails
    ]
    return {wanted: [place for place, fact in enumerate(facts) if wanted.matches(fact)] for wanted in filters}
