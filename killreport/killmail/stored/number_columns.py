"""Columns of whole numbers as bytes: the layout in which a killmail's row holds its attackers and its items.

A number takes 1, 2, 4 or 8 bytes, as many as the largest of its column needs; a column of zeros takes none. Where few
numbers are repeated, each is written once, and 0, 1, 2, 4 or 8 bits an entry tell which it is. PostgreSQL can unpack
this too (`packed_number`), and Python takes a column at a time, in loops of the interpreter's own.

Databases hold the layout, so it never changes; another one would be another VERSION beside it. Big-endian:

    version (1 byte), entries (2), and of each column
        form (1): the width of a number in bytes + 16 * how the numbers are told, which is
            0: the numbers follow, one an entry
            1 to 5: one less than how many different numbers there are (1), these numbers, and for each entry an index
                of 0, 1, 2, 4 or 8 bits, the first entry's in the lowest bits of the first byte

No entries at all are no bytes. Measured against msgpack and varints in `docs/decisions/0028-layout-of-packed-rows.md`.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, islice, repeat
from typing import Any

VERSION = 1
MAX_ENTRIES = 2**16 - 1

_HEAD = struct.Struct(">BH")
_TYPE_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
# How many bits an index has, by how many different numbers it can tell apart.
_DIFFERENT = (1, 2, 4, 16, 256)
_INDEX_BITS = (0, 1, 2, 4, 8)
_DIGITS = b"0123456789abcdef"
# Of fewer entries it is not worth the time to look whether numbers are repeated.
_FEWEST_TOLD = 4
# By the bits of an index: the indexes that are in a byte.
_IN_BYTE = {
    bits: [tuple(byte >> shift & (1 << bits) - 1 for shift in range(0, 8, bits)) for byte in range(256)]
    for bits in (1, 2, 4)
}


def pack_columns(columns: Sequence[Sequence[int]]) -> bytes:
    """Return the columns, all of one length, as bytes. Numbers are from 0 to 2^64 - 1, entries up to MAX_ENTRIES."""
    entries = len(columns[0])
    if not entries:
        return b""
    return b"".join((_HEAD.pack(VERSION, entries), *map(_pack, columns)))


def unpack_columns(packed: bytes, zeros: Sequence[int | None]) -> tuple[int, list[Iterable[Any]]]:
    """Return how many entries there are, and the columns, each of which can be gone through once.

    zeros: what 0 stands for in each column. Raises ValueError for bytes of another version.
    """
    if not packed:
        return 0, [() for _ in zeros]
    version, entries = _HEAD.unpack_from(packed)
    if version != VERSION:
        raise ValueError(f"columns of version {version}, which this release does not know")
    columns: list[Iterable[Any]] = []
    at = _HEAD.size
    for zero in zeros:
        form = packed[at]
        at += 1
        if not form:
            columns.append(repeat(zero, entries))
            continue
        width, told = form & 15, form >> 4
        count = entries
        if told:
            count = packed[at] + 1
            at += 1
        end = at + width * count
        numbers: Sequence[Any] = packed[at:end] if width == 1 else _numbers(width, count).unpack_from(packed, at)
        at = end
        if zero is None and 0 in numbers:
            numbers = [number or None for number in numbers]
        if not told:
            columns.append(numbers)
        elif not (bits := _INDEX_BITS[told - 1]):
            columns.append(repeat(numbers[0], entries))
        else:
            end = at + (entries * bits + 7) // 8
            columns.append(map(numbers.__getitem__, _places(packed[at:end], bits, entries)))
            at = end
    return entries, columns


def _places(index: bytes, bits: int, entries: int) -> Iterable[int]:
    return index if bits == 8 else islice(chain.from_iterable(map(_IN_BYTE[bits].__getitem__, index)), entries)


def _pack(column: Sequence[int]) -> bytes:
    most = max(column)
    if not most:
        return b"\x00"
    if most < 1 << 8:
        width, column = 1, bytes(column)
    else:
        width = 2 if most < 1 << 16 else 4 if most < 1 << 32 else 8
    if len(column) >= _FEWEST_TOLD:
        different = list(dict.fromkeys(column))
        if len(different) <= _DIFFERENT[-1]:
            told = bisect_left(_DIFFERENT, len(different))
            bits = _INDEX_BITS[told]
            if 1 + len(different) * width + (len(column) * bits + 7) // 8 < len(column) * width:
                head = bytes((width | told + 1 << 4, len(different) - 1))
                return head + _to_bytes(different, width) + _index(column, different, bits)
    return bytes((width,)) + _to_bytes(column, width)


def _index(column: Sequence[int], different: Sequence[int], bits: int) -> bytes:
    if not bits:
        return b""
    if bits == 8:
        places = {number: place for place, number in enumerate(different)}
        return bytes([places[number] for number in column])
    # The digits of a number in the base that bits make, its lowest digit first.
    digits: bytes | str
    if isinstance(column, bytes):
        digits = column.translate(bytes.maketrans(bytes(different), _DIGITS[: len(different)]))
    else:
        digit = dict(zip(different, _DIGITS.decode(), strict=False))
        digits = "".join([digit[number] for number in column])
    return int(digits[::-1], 1 << bits).to_bytes((len(column) * bits + 7) // 8, "little")


def _to_bytes(numbers: Sequence[int], width: int) -> bytes:
    return bytes(numbers) if width == 1 else _numbers(width, len(numbers)).pack(*numbers)


@lru_cache(4096)
def _numbers(width: int, count: int) -> struct.Struct:
    return struct.Struct(f">{count}{_TYPE_CODES[width]}")
