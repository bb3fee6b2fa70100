"""Many live filters over a few killmails: each distinct filter is asked once a killmail, of facts loaded once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence

from killreport.eve.universe import Universe
from killreport.killmail.filters.predicates import Either, Facts, HasItem, Killer
from killreport.killmail.filters.tree import Condition, KillmailFilter, Node, Not
from killreport.killmail.stored.queries import AttackerRow, ItemRow, KillmailRow

LoadAttackers = Callable[[], Awaitable[Mapping[int, Sequence[AttackerRow]]]]
LoadItems = Callable[[], Awaitable[Mapping[int, Sequence[ItemRow]]]]


def needs_attackers(wanted: KillmailFilter) -> bool:
    """Tell whether the filter cannot be answered without the attackers' rows."""
    return any(isinstance(part.filter.predicate, Killer | Either) for part in _conditions(wanted.root))


def needs_items(wanted: KillmailFilter) -> bool:
    """Tell whether the filter cannot be answered without the items' rows."""
    return any(isinstance(part.filter.predicate, HasItem) for part in _conditions(wanted.root))


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


def _conditions(node: Node) -> Iterator[Condition]:
    if isinstance(node, Condition):
        yield node
    elif isinstance(node, Not):
        yield from _conditions(node.part)
    else:
        for part in node.parts:
            yield from _conditions(part)
