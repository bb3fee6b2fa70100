"""Attackers and items of a killmail, packed into its row: which columns there are, and what their numbers mean.

The order of the columns is what databases hold, so it never changes. An id is never 0, so 0 is one that is absent.
`unpack_attackers` and `unpack_items` of the database read the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from killreport.killmail.mail.items import FlatItem
from killreport.killmail.mail.model import Attacker
from killreport.killmail.stored.number_columns import pack_columns, unpack_columns

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
    return pack_columns(
        (
            [attacker.final_blow for attacker in attackers],
            [attacker.character_id or 0 for attacker in attackers],
            [attacker.corporation_id or 0 for attacker in attackers],
            [attacker.alliance_id or 0 for attacker in attackers],
            [attacker.faction_id or 0 for attacker in attackers],
            [attacker.ship_type_id or 0 for attacker in attackers],
            [attacker.weapon_type_id or 0 for attacker in attackers],
            [attacker.damage_done for attacker in attackers],
            [_number_of(attacker.security_status) for attacker in attackers],
        )
    )


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
    priced = list(prices)
    held = [flat.item for flat in items]
    return pack_columns(
        (
            [0 if flat.parent_ordinal is None else flat.parent_ordinal + 1 for flat in items],
            [item.flag for item in held],
            [rule for _, rule in priced],
            [item.item_type_id for item in held],
            [item.singleton for item in held],
            [item.quantity_dropped or 0 for item in held],
            [item.quantity_destroyed or 0 for item in held],
            [cents for cents, _ in priced],
        )
    )


def unpack_items(packed: bytes) -> Iterator[tuple[Any, ...]]:
    """Return of each item what an `ItemRow` has behind the killmail's id."""
    entries, (parents, *others) = unpack_columns(packed, _ITEM_ZEROS)
    return zip(range(entries), [number - 1 if number else None for number in parents], *others, strict=True)


@lru_cache(4096)
def _number_of(security: float | None) -> int:
    if security is None:
        return 0
    stored = _FLOAT.pack(security)
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
