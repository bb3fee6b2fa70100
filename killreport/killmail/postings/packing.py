"""Sets of killmail ids as bytes: few ids one by one, many as a roaring bitmap."""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap64

# The first byte is how many ids follow, each as how far it lies above the one before, seven bits a byte; ROARING says
# that a bitmap follows.
ROARING = 0
MAX_SINGLE = 12  # from here on a bitmap is about as short, and read at once


def pack_ids(killmail_ids: BitMap64) -> bytes:
    """Return the set as bytes; `unpack_ids` gives it back. There is one way only to write a set."""
    count = len(killmail_ids)
    if count > MAX_SINGLE:
        killmail_ids.run_optimize()
        return bytes((ROARING,)) + killmail_ids.serialize()
    return pack_few(list(killmail_ids))


def pack_few(ascending: Sequence[int]) -> bytes:
    """Return up to MAX_SINGLE ids, in ascending order and none twice, as `pack_ids` does."""
    packed = bytearray((len(ascending),))
    before = 0
    for killmail_id in ascending:
        distance = killmail_id - before
        while distance > 0x7F:
            packed.append(distance & 0x7F | 0x80)
            distance >>= 7
        packed.append(distance)
        before = killmail_id
    return bytes(packed)


def unpack_ids(packed: bytes) -> BitMap64:
    """Return the set that was packed."""
    if packed[0] == ROARING:
        return BitMap64.deserialize(packed[1:])
    found = []
    killmail_id = shift = distance = 0
    for byte in packed[1:]:
        distance |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            continue
        killmail_id += distance
        found.append(killmail_id)
        shift = distance = 0
    return BitMap64(found)
