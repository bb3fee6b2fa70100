"""Attackers and items of a killmail, packed into its row: which columns there are, and what their numbers mean.

The order of the columns is what databases hold, so it never changes. An id is never 0, so 0 is one that is absent.
`unpack_attackers` and `unpack_items` of the database read the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from killreport.killmail.mail.items import FlatItem
from killreport.killmail.mail.model import Attacker
from killreport.killmail.stored.number_columns import pack_columns, unpack_columns

_OF_ATTACKER = attrgetter(
    *("final_blow", "character_id", "corporation_id", "alliance_id", "faction_id", "ship_type_id", "weapon_type_id"),
    *("damage_done", "security_status"),
)
_OF_ITEM = attrgetter("flag", "item_type_id", "singleton", "quantity_dropped", "quantity_destroyed")
# What 0 stands for in each column.
_ATTACKER_ZEROS = (0, *[None] * 6, 0, 0)
_ITEM_ZEROS = (0,) * 8

# Security from -12.7 to 12.7, if it is whole tenths, is a number from 1 to 255, and anything else its 32 bits and 256
# more. Source: of 177,232 attackers of real days, all are of the first kind.
_NO_TENTHS = 128
_BITS_FROM = 256
_FLOAT, _BITS = struct.Struct(">f"), struct.Struct(">I")


def pack_attackers(attackers: Sequence[Attacker]) -> bytes:
    """Return what the column `attackers` of their killmail holds."""
    if not attackers:
        return b""
    *others, security = zip(*map(_OF_ATTACKER, attackers), strict=True)
    return pack_columns([*map(_without_none, others), [_number_of(value) for value in security]])


def unpack_attackers(packed: bytes) -> Iterator[tuple[Any, ...]]:
    """Return of each attacker what an `AttackerRow` has behind the killmail's id."""
    entries, (final_blow, *ids, damage_done, security) = unpack_columns(packed, _ATTACKER_ZEROS)
    return zip(
        range(entries),
        map(bool, final_blow),
        *ids,
        damage_done,
        map(_security_of, security),
        strict=True,
    )


def pack_items(items: Sequence[FlatItem], prices: Iterable[tuple[int, int]]) -> bytes:
    """Return what the column `items` of their killmail holds. prices: of one of each, in cents, and its rule."""
    if not items:
        return b""
    _, parents, held = zip(*items, strict=True)
    flags, type_ids, singletons, dropped, destroyed = zip(*map(_OF_ITEM, held), strict=True)
    cents, rules = zip(*prices, strict=True)
    if parents.count(None) == len(parents):
        ahead: Sequence[int] = bytes(len(parents))
    else:
        ahead = [0 if parent is None else parent + 1 for parent in parents]
    amounts = map(_without_none, (dropped, destroyed))
    return pack_columns([ahead, flags, rules, type_ids, singletons, *amounts, cents])


def unpack_items(packed: bytes) -> Iterator[tuple[Any, ...]]:
    """Return of each item what an `ItemRow` has behind the killmail's id."""
    entries, (parents, *others) = unpack_columns(packed, _ITEM_ZEROS)
    return zip(range(entries), [number - 1 if number else None for number in parents], *others, strict=True)


def _without_none(column: Sequence[int | None]) -> Sequence[int]:
    return [number or 0 for number in column] if None in column else column  # type: ignore[return-value]


def _number_of(security: float | None) -> int:
    return 0 if security is None else _number_of_stored(_FLOAT.pack(security))


# By its bytes: 0 and -0 are equal.
@lru_cache(4096)
def _number_of_stored(stored: bytes) -> int:
    security: float = _FLOAT.unpack(stored)[0]
    tenths = round(security * 10)
    if abs(tenths) < _NO_TENTHS and _FLOAT.pack(tenths / 10) == stored:
        return tenths + _NO_TENTHS
    bits: int = _BITS.unpack(stored)[0]
    return bits + _BITS_FROM


@lru_cache(4096)
def _security_of(number: int) -> float | None:
    if not number:
        return None
    packed = _FLOAT.pack((number - _NO_TENTHS) / 10) if number < _BITS_FROM else _BITS.pack(number - _BITS_FROM)
    security: float = _FLOAT.unpack(packed)[0]
    return security
