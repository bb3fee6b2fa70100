"""A killmail's attackers and items as bytes: what goes in comes out, and the bytes stay what databases hold."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killreport.ids import MAX_ENTITY_ID
from killreport.killmail.mail.items import FlatItem
from killreport.killmail.mail.model import MAX_INT2, MAX_INT8, MAX_SECURITY, Attacker, Item
from killreport.killmail.stored.number_columns import MAX_ENTRIES, pack_columns, unpack_columns
from killreport.killmail.stored.packed import pack_attackers, pack_items, unpack_attackers, unpack_items

_FEW = st.sampled_from((0, 1, 2, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32))
_NUMBERS = st.lists(_FEW, min_size=1, max_size=600) | st.lists(st.integers(0, MAX_INT8), min_size=1, max_size=300)
_ID = st.none() | st.integers(1, MAX_ENTITY_ID) | st.integers(1, 5)
_SECURITY = st.none() | st.integers(-100, 100).map(lambda tenths: tenths / 10) | st.floats(-MAX_SECURITY, MAX_SECURITY)
_AMOUNT = st.integers(0, 3) | st.integers(0, MAX_INT8)
_SMALL = st.integers(0, 2) | st.integers(0, MAX_INT2)
_ATTACKERS = st.lists(st.builds(Attacker, _AMOUNT, st.booleans(), _SECURITY, _ID, _ID, _ID, _ID, _ID, _ID), max_size=40)
_ITEMS = st.lists(
    st.tuples(
        st.none() | _SMALL,
        st.builds(Item, st.integers(1, MAX_ENTITY_ID), _SMALL, _SMALL, st.none() | _AMOUNT, st.none() | _AMOUNT),
        st.tuples(_AMOUNT, _SMALL),
    ),
    max_size=40,
)


def real(value: float | None) -> float | None:
    """Return what a column of 4-byte reals gives back."""
    found: float | None = None if value is None else struct.unpack("f", struct.pack("f", value))[0]
    return found


@given(st.lists(_NUMBERS, min_size=1, max_size=4))
def test_columns_come_out_as_they_went_in(columns: list[list[int]]) -> None:
    entries = min(map(len, columns))
    cut = [column[:entries] for column in columns]
    count, found = unpack_columns(pack_columns(cut), [0] * len(cut))
    assert (count, [list(column) for column in found]) == (entries, cut)
    _, found = unpack_columns(pack_columns(cut), [None] * len(cut))
    assert [list(column) for column in found] == [[number or None for number in column] for column in cut]


@given(_ATTACKERS)
def test_attackers_come_out_as_a_table_gave_them(attackers: list[Attacker]) -> None:
    found = list(unpack_attackers(pack_attackers(attackers)))
    assert found == [
        (place, a.final_blow, a.character_id, a.corporation_id, a.alliance_id, a.faction_id, a.ship_type_id,
         a.weapon_type_id, a.damage_done, real(a.security_status))
        for place, a in enumerate(attackers)
    ]  # fmt: skip
    assert all(type(row[1]) is bool for row in found)
    # Of equal numbers, the sign of zero is told apart.
    assert [str(row[-1]) for row in found] == [str(real(a.security_status)) for a in attackers]


@given(_ITEMS)
def test_items_come_out_as_a_table_gave_them(items: list[tuple[int | None, Item, tuple[int, int]]]) -> None:
    flat = [FlatItem(place, parent, item) for place, (parent, item, _) in enumerate(items)]
    packed = pack_items(flat, [price for *_, price in items])
    assert list(unpack_items(packed)) == [
        (place, parent, item.flag, rule, item.item_type_id, item.singleton, item.quantity_dropped or 0,
         item.quantity_destroyed or 0, cents)
        for place, (parent, item, (cents, rule)) in enumerate(items)
    ]  # fmt: skip


def test_the_most_entries_fit() -> None:
    columns = [list(range(MAX_ENTRIES)), [7] * MAX_ENTRIES, [0] * MAX_ENTRIES]
    count, found = unpack_columns(pack_columns(columns), [0, 0, 0])
    assert (count, [list(column) for column in found]) == (MAX_ENTRIES, columns)


def test_the_bytes_are_those_that_databases_hold() -> None:
    assert pack_columns([[]]) == b""
    columns = [[0] * 4, [1, 255, 2, 3], [256, 1, 2, 3], [9] * 4, [70_000, 70_000, 3, 3], [2**40, 2**40 + 1, 1, 2]]
    assert pack_columns(columns).hex(" ") == (
        "01 00 04"  # version, entries
        " 00"  # nothing but zeros
        " 01 01 ff 02 03"
        " 02 01 00 00 01 00 02 00 03"
        " 11 00 09"  # one number, and so no index
        " 24 01 00 01 11 70 00 00 00 03 0c"  # two, and an index of one bit each
        " 08 00 00 01 00 00 00 00 00 00 00 01 00 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 02"
    )
    assert pack_columns([[0, 5, 600, 70_000, 5, 600]]).hex(" ") == (
        "01 00 06 34 03 00 00 00 00 00 00 00 05 00 00 02 58 00 01 11 70 e4 09"
    )
    attacker = Attacker(120, True, -0.3, 90_000_001, 98_000_001, None, None, 587, 2961)
    assert pack_attackers([attacker]).hex(" ") == (
        "01 00 01 01 01 04 05 5d 4a 81 04 05 d7 5c 81 00 00 02 02 4b 02 0b 91 01 78 01 7d"
    )


def test_bytes_of_another_version_are_refused() -> None:
    packed = pack_columns([[1, 2, 3]])
    with pytest.raises(ValueError, match="columns of version 2, which this release does not know"):
        unpack_columns(b"\x02" + packed[1:], [0])
