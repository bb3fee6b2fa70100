"""Labels of a kill as badges: which are worth a reader's glance, and in which words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """A short word with the sentence behind it; `tone` is a CSS class."""

    text: str
    title: str
    tone: str


_SOLO = Badge("solo", "One player did it alone", "good")
_NPC = Badge("npc", "No player took part", "quiet")
_AWOX = Badge("awox", "Killed by the victim's own corporation", "bad")
_LABELS = {
    "capital": Badge("capital", "A capital ship was lost", "loud"),
    "ganked": Badge("ganked", "CONCORD punished the attackers", "bad"),
    "atShip": Badge("AT ship", "A tournament prize ship was involved", "loud"),
    "padding": Badge("padding", "Probably arranged", "quiet"),
    "isk:1b+": Badge("1b+", "Worth a billion ISK or more", "loud"),
    "isk:5b+": Badge("5b+", "Worth five billion ISK or more", "loud"),
    "isk:10b+": Badge("10b+", "Worth ten billion ISK or more", "loud"),
    "isk:100b+": Badge("100b+", "Worth a hundred billion ISK or more", "loud"),
    "isk:1t+": Badge("1t+", "Worth a trillion ISK or more", "loud"),
}


def badges(labels: Iterable[str], *, is_solo: bool, is_npc: bool, is_awox: bool) -> list[Badge]:
    """Return the badges of a row; of the bands of value only the highest, whatever bands are given."""
    chosen = [badge for wanted, badge in ((is_solo, _SOLO), (is_npc, _NPC), (is_awox, _AWOX)) if wanted]
    known = set(labels)
    bands = [label for label in _LABELS if label.startswith("isk:") and label in known]
    chosen.extend(badge for label, badge in _LABELS.items() if label in known and not label.startswith("isk:"))
    chosen.extend(_LABELS[label] for label in bands[-1:])
    if any(label == "fw" or label.startswith("fw:") for label in known):
        chosen.append(Badge("fw", "Faction warfare", "quiet"))
    return chosen
