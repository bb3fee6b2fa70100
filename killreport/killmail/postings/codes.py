"""The codes of postings: one number for what killmails are found by, of which the low bits say what kind it is.

One number is hashed faster than a pair, and a batch of an import has a hundred thousand.
"""

from __future__ import annotations

from enum import IntEnum

KIND_BITS = 4
KIND_MASK = (1 << KIND_BITS) - 1

# Beside the kinds of entities, 1 to 9, which are counted for statistics. The numbers are stored: never change one.
EVERYTHING_KIND = 0
CATEGORY_KIND = 10  # of the victim's hull
LOCATION_KIND = 11
WAR_KIND = 12
LABEL_KIND = 13
ITEM_KIND = 14
WEAPON_KIND = 15
MAX_ENTITY_KIND = 9

EVERYTHING = EVERYTHING_KIND  # the code whose postings have all killmails of a day


class Side(IntEnum):
    """On which side of a kill the code was: KILLER for everything that is on neither, as places are."""

    KILLER = 0
    VICTIM = 1


def code_of(kind: int, entity_id: int) -> int:
    """Return one number for an entity; ids of different kinds may be equal, codes never are."""
    return entity_id << KIND_BITS | kind
