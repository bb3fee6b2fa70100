"""The items of a killmail in one list, containers and what they held."""

from __future__ import annotations

from itertools import repeat
from typing import NamedTuple

from killreport.killmail.mail.model import Item, Killmail


class FlatItem(NamedTuple):
    """An item with its place in the list, from 0, and the place of the container that held it."""

    ordinal: int
    parent_ordinal: int | None
    item: Item


def flatten_items(mail: Killmail) -> list[FlatItem]:
    """Return every item in the order of the source, depth first: contents right after their container.

    Recursion is bounded, because `decode` refuses what is nested deeper than the game can.
    """
    items = mail.victim.items or ()
    if any(item.items for item in items):
        flat: list[FlatItem] = []
        _append(flat, items, None)
        return flat
    # 99 of 100 mails hold no container; this way costs them a third.
    return list(map(FlatItem._make, zip(range(len(items)), repeat(None), items)))


def _append(flat: list[FlatItem], items: tuple[Item, ...], parent_ordinal: int | None) -> None:
    for item in items:
        ordinal = len(flat)
        flat.append(FlatItem(ordinal, parent_ordinal, item))
        if item.items:
            _append(flat, item.items, ordinal)


def item_path(flat: list[FlatItem], ordinal: int) -> str:
    """Return where the source has the item with this place in the list, as `$.victim.items[3].items[0]`."""
    parent = flat[ordinal].parent_ordinal
    place = sum(other.parent_ordinal == parent for other in flat[:ordinal])
    return f"{'$.victim' if parent is None else item_path(flat, parent)}.items[{place}]"
