"""A filter of killmails: conditions of `killreport.killmail.filters.table`, nested with `and`, `or` and `not`.

As plain data a filter is a dictionary; all of its keys must hold:
`{"victimAlliance": [99000001], "valueMin": 1e9, "or": [{"solo": true}, {"space": ["w-space"]}], "not": {"npc": true}}`.
Read, it is frozen and in one form, whatever the order and nesting it was written in, so it can be the key of a cache.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from killreport.errors import Malformed
from killreport.killmail.filters.predicates import Facts
from killreport.killmail.filters.table import FILTERS, Filter

MAX_DEPTH = 5  # dictionaries inside each other
MAX_CONDITIONS = 60  # each entry of the table once, and some twice
AND, OR, NOT = "and", "or", "not"


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of the table and the value it is asked with, in the form of the entry's kind."""

    name: str
    value: Hashable

    @property
    def filter(self) -> Filter:
        """Return the entry."""
        return FILTERS[self.name]


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold; with no part, always."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of two or more parts holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


Node = Condition | Every | Some | Not


@dataclass(frozen=True, slots=True)
class KillmailFilter:
    """A whole filter. Two that were written differently but ask the same in the same words are equal."""

    root: Every
    # Subscribers are grouped by their filters with every killmail that is stored.
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(self.root))

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> KillmailFilter:
        """Return the filter written as plain data; an empty dictionary is every killmail.

        Raises Malformed with the path to what is wrong, such as `and[1].valueMin`.
        """
        node = _FilterReader().read(plain, "", 1)
        return cls(node if isinstance(node, Every) else Every((node,)))

    def plain(self) -> dict[str, Any]:
        """Return the filter as plain data that JSON can hold; `read` makes the same filter of it."""
        return _plain(self.root)

    def matches(self, facts: Facts) -> bool:
        """Tell whether a stored killmail passes: exactly those that a list with this filter shows."""
        return _holds(self.root, facts)


EVERYTHING = KillmailFilter(Every(()))


class _FilterReader:
    """Reads one filter and counts its conditions."""

    def __init__(self) -> None:
        self._conditions = 0

    def read(self, plain: Any, path: str, depth: int) -> Node:
        if not isinstance(plain, Mapping):
            raise Malformed("a dictionary of conditions is needed", path or "the filter")
        if depth > MAX_DEPTH:
            raise Malformed(f"filters may be nested {MAX_DEPTH} deep", path)
        return _every([self._entry(name, value, f"{path}.{name}".lstrip("."), depth) for name, value in plain.items()])

    def _entry(self, name: Any, value: Any, path: str, depth: int) -> Node:
        if name == NOT:
            return _negation(self.read(value, path, depth + 1))
        if name in (AND, OR):
            if not isinstance(value, list | tuple) or not value:
                raise Malformed("a list of at least one filter is needed", path)
            parts = [self.read(part, f"{path}[{index}]", depth + 1) for index, part in enumerate(value)]
            return _every(parts) if name == AND else _some(parts)
        entry = FILTERS.get(name) if isinstance(name, str) else None
        if entry is None:
            raise Malformed("there is no such condition", path)
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise Malformed(f"a filter may have {MAX_CONDITIONS} conditions", path)
        return Condition(entry.name, entry.kind.read(value, path))


def _every(parts: Iterable[Node]) -> Node:
    flat: set[Node] = set()
    for part in parts:
        flat.update(part.parts if isinstance(part, Every) else (part,))
    return next(iter(flat)) if len(flat) == 1 else Every(_sorted(flat))


def _some(parts: Iterable[Node]) -> Node:
    flat: set[Node] = set()
    for part in parts:
        flat.update(part.parts if isinstance(part, Some) else (part,))
    if Every(()) in flat:
        return Every(())
    return next(iter(flat)) if len(flat) == 1 else Some(_sorted(flat))


def _negation(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


_PLACES = {name: place for place, name in enumerate(FILTERS)}


def _sorted(parts: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(parts, key=_order))


def _order(node: Node) -> tuple[int, str]:
    """Return where a node stands beside others: conditions in the order of the table, then what is nested."""
    return (_PLACES[node.name] if isinstance(node, Condition) else len(_PLACES), repr(node))


def _plain(node: Node) -> dict[str, Any]:
    if isinstance(node, Every):
        return _plain_every(node)
    return dict([_entry(node)])


def _entry(node: Condition | Some | Not) -> tuple[str, Any]:
    if isinstance(node, Condition):
        return node.name, node.filter.kind.write(node.value)
    if isinstance(node, Some):
        return OR, [_plain(part) for part in node.parts]
    return NOT, _plain(node.part)


def _plain_every(node: Every) -> dict[str, Any]:
    """Return the parts as the keys of one dictionary; a key that is there already goes below `and`."""
    found: dict[str, Any] = {}
    rest = []
    for part in node.parts:
        assert not isinstance(part, Every)
        name, value = _entry(part)
        if name in found:
            rest.append({name: value})
        else:
            found[name] = value
    return {**found, AND: rest} if rest else found


def _holds(node: Node, facts: Facts) -> bool:
    if isinstance(node, Condition):
        return FILTERS[node.name].predicate.holds(node.value, facts)
    if isinstance(node, Not):
        return not _holds(node.part, facts)
    # One part decides: of some the first that holds, of every the first that does not. A loop, because it is asked for
    # every killmail and filter, and costs half of what `any` and `all` over a generator do.
    decides = isinstance(node, Some)
    for part in node.parts:
        if _holds(part, facts) is decides:
            return decides
    return not decides
