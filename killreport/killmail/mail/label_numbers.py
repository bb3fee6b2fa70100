"""The labels a killmail can have, each with its number: the bit of the stored labels, and the id of its posting.

A number is stored with every killmail. Never change one, and add new labels at the end of `_NUMBERED`, and to the
database's `label_names` by a migration. Labels are shown in the order of their numbers, but for the category, which is
no number here and comes behind the time zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from killreport.errors import Malformed

MAX_LABELS = 63  # bits of a bigint above zero
_ZONES = ("tz:use", "tz:usw", "tz:au", "tz:ru", "tz:eu")
_CROWDS = ("#:1", "#:2+", "#:5+", "#:10+", "#:25+", "#:50+", "#:100+", "#:1000+")
_SPACES = ("loc:highsec", "loc:lowsec", "loc:nullsec", "loc:w-space", "loc:drifter", "loc:abyssal")
_VALUES = ("isk:1b+", "isk:5b+", "isk:10b+", "isk:100b+", "isk:1t+")
_NUMBERED = (
    *_ZONES, *_CROWDS, "solo", "npc", "pvp", "awox", *_SPACES, *_VALUES, "capital",
    "fw:caldari", "fw:gallente", "fw:amarr", "fw:minmatar", "fw:calgal", "fw:amamin", "atShip",
    "ganked", "padding",
)  # fmt: skip
CATEGORY = "cat:"  # followed by the number of the category of the victim's hull, which is no closed set


def _number(labels: Iterable[str]) -> dict[str, int]:
    numbers = {label: number for number, label in enumerate(labels)}
    if len(numbers) > MAX_LABELS:
        raise AssertionError(f"{len(numbers)} labels do not fit into the {MAX_LABELS} bits of a stored killmail")
    return numbers


NUMBERS = _number(_NUMBERED)
_ZONE_BITS = (1 << len(_ZONES)) - 1


def label_number(label: str) -> int:
    """Return the number of a label. Raises Malformed for one that is not in the table."""
    number = NUMBERS.get(label)
    if number is None:
        raise Malformed(f"`{label[:40]}` is no label that killmails have", "labels")
    return number


def is_label(label: str) -> bool:
    """Tell whether killmails can have the label."""
    return label in NUMBERS or (label.startswith(CATEGORY) and label[len(CATEGORY) :].isdecimal())


def pack_labels(labels: Iterable[str]) -> tuple[int, int | None]:
    """Return labels as a killmail's row holds them: their bits, and the category of the hull, None without one.

    Raises Malformed for a label that is not in the table.
    """
    bits, category_id = 0, None
    for label in labels:
        if label.startswith(CATEGORY):
            category_id = int(label[len(CATEGORY) :])
        else:
            bits |= 1 << label_number(label)
    return bits, category_id


def unpack_labels(bits: int, category_id: int | None) -> list[str]:
    """Return the labels that a killmail's row holds, in the order in which they are shown."""
    return list(_labels(bits, category_id))


@lru_cache(16_384)
def _labels(bits: int, category_id: int | None) -> tuple[str, ...]:
    found = [label for label, number in NUMBERS.items() if bits >> number & 1]
    if category_id is not None:
        found.insert((bits & _ZONE_BITS).bit_count(), f"{CATEGORY}{category_id}")
    return tuple(found)
