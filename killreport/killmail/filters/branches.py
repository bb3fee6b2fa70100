"""Takes a filter apart into branches, each of which an index can lead to in order of time.

Several ids, both sides of a kill, and an `or` break the order of an index; one id of one kind does not. A branch keeps
every condition: which alternatives are taken apart, and what leads, decides about speed alone, never about the result.
"""

from __future__ import annotations

from dataclasses import dataclass

from killreport.killmail.filters.predicates import Bound, ColumnIs, Either, Killer
from killreport.killmail.filters.tree import Condition, Every, Node, Some

MAX_BRANCHES = 24


@dataclass(frozen=True, slots=True)
class Branch:
    """Conditions that must all hold. leads: those of them that an index answers in order of time, the best first."""

    parts: tuple[Node, ...]
    leads: tuple[Condition, ...]

    @property
    def is_contested(self) -> bool:
        """Tell whether someone has to choose what leads: PostgreSQL can only where all is in the killmail's row."""
        return len(self.leads) > 1 and any(isinstance(lead.filter.predicate, Killer) for lead in self.leads)

    @property
    def times(self) -> list[Condition]:
        """Return the bounds of time."""
        return [part for part in self.parts if isinstance(part, Condition) and _is_time(part)]


def branches_of(root: Every) -> list[Branch]:
    """Return at most MAX_BRANCHES branches: a killmail passes the filter where it passes any of them."""
    return [
        Branch(parts, tuple(part for part in parts if isinstance(part, Condition) and is_lead(part)))
        for parts in _split(root.parts, MAX_BRANCHES)
    ]


def is_lead(part: Node) -> bool:
    """Tell whether an index holds just what the part asks for, in order of time: one id, in one place."""
    return (
        isinstance(part, Condition)
        and isinstance(part.filter.predicate, ColumnIs | Killer)
        and isinstance(part.value, tuple)
        and len(part.value) == 1
    )


def _split(parts: tuple[Node, ...], most: int) -> list[tuple[Node, ...]]:
    if any(is_lead(part) for part in parts):
        return [parts]
    for place, part in enumerate(parts):
        alternatives = _alternatives(part)
        if 1 < len(alternatives) <= most:
            rest = (*parts[:place], *parts[place + 1 :])
            share = most // len(alternatives)
            return [
                branch for alternative in alternatives for branch in _split((*_conjuncts(alternative), *rest), share)
            ]
    return [parts]


def _alternatives(part: Node) -> list[Node]:
    """Return nodes of which at least one holds exactly where the part holds."""
    if isinstance(part, Some):
        return list(part.parts)
    if not isinstance(part, Condition) or not isinstance(part.value, tuple):
        return [part]
    predicate = part.filter.predicate
    if isinstance(predicate, Either):
        upper = part.name[0].upper() + part.name[1:]
        return [Condition(f"{side}{upper}", (entry,)) for side in ("victim", "attacker") for entry in part.value]
    if isinstance(predicate, ColumnIs | Killer):
        return [Condition(part.name, (entry,)) for entry in part.value]
    return [part]


def _conjuncts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Every) else (node,)


def _is_time(part: Condition) -> bool:
    predicate = part.filter.predicate
    return isinstance(predicate, Bound) and predicate.name == "killmail_time"
