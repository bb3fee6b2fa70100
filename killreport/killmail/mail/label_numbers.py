"""The labels a killmail can have, each with its number: the bit of the stored labels, and the id of its posting.

A number is stored with every killmail. Never change one, and add new labels at the end of `_NUMBERED`; the order in
which labels are shown is that of `LABELS`.
"""

from __future__ import annotations

from collections.abc import Iterable

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


def label_number(label: str) -> int:
    """Return the number of a label. Raises Malformed for one that is not in the table."""
    number = NUMBERS.get(label)
    if number is None:
        raise Malformed(f"`{label[:40]}` is no label that killmails have", "labels")
    return number


def is_label(label: str) -> bool:
    """Tell whether killmails can have the label."""
    return label in NUMBERS or (label.startswith(CATEGORY) and label[len(CATEGORY) :].isdecimal())
