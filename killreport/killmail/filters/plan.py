"""A filter as sets of postings, and what is left to ask of the rows they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from killreport.killmail.filters.predicates import Binder, Facts, Found, HasItem, RowPredicate
from killreport.killmail.filters.tree import Condition, Every, KillmailFilter, Node, Not, Some
from killreport.killmail.postings.sets import ALL, Common, Key, Sets, United, Without, keys_of

# Told the sets of a condition, whether they have the killmail.
IsIn = Callable[[Sets], bool]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a filter is answered.

    sets: have all killmails that pass. since and until: between them they happened, until not included. checks: what
    still must hold of each; without one, the sets have no others.
    """

    sets: Sets
    keys: tuple[Key, ...]
    since: datetime | None
    until: datetime | None
    checks: tuple[Node, ...]

    @property
    def needs_items(self) -> bool:
        """Tell whether the items of a killmail must be known to check it."""
        return any(isinstance(part.filter.predicate, HasItem) for part in _inexact(self.checks))

    def within(self, since: datetime, until: datetime) -> Plan:
        """Return the plan of those that happened between the two moments as well."""
        return replace(
            self,
            since=since if self.since is None else max(self.since, since),
            until=until if self.until is None else min(self.until, until),
        )

    def is_at(self, moment: datetime) -> bool:
        """Tell whether the moment lies within the bounds of time."""
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)

    def passes(self, facts: Facts, is_in: IsIn) -> bool:
        """Tell whether a killmail of the sets passes the checks."""
        return all(_holds(check, facts, is_in) for check in self.checks)

    def sql(self, binder: Binder) -> list[str]:
        """Return conditions on the columns of `killmail` that every killmail of the list meets: bounds and checks."""
        found = []
        if self.since is not None:
            found.append(f"killmail_time >= {binder.bind(self.since, 'timestamptz')}")
        if self.until is not None:
            found.append(f"killmail_time < {binder.bind(self.until, 'timestamptz')}")
        for check in self.checks:
            predicate = check.filter.predicate if isinstance(check, Condition) else None
            if isinstance(check, Condition) and isinstance(predicate, RowPredicate):
                found.append(predicate.sql(check.value, binder))
        return found


@lru_cache(500)
def plan_of(wanted: KillmailFilter) -> Plan:
    """Return how the filter is answered."""
    since: datetime | None = None
    until: datetime | None = None
    sets: list[Sets] = []
    checks: list[Node] = []
    for part in wanted.root.parts:
        if isinstance(part, Condition) and part.name in ("from", "to"):
            assert isinstance(part.value, datetime)
            if part.name == "from":
                since = part.value if since is None else max(since, part.value)
            else:
                until = part.value if until is None else min(until, part.value)
            continue
        found = _found(part)
        sets.append(found.sets)
        if not found.is_exact:
            checks.append(part)
    together = _common([part for part in sets if part != ALL])
    keys = {*keys_of(together)}
    for check in checks:
        for condition in conditions_of(check):
            if (exact := _found(condition)).is_exact:
                keys.update(keys_of(exact.sets))
    return Plan(together, tuple(sorted(keys)), since, until, tuple(checks))


def conditions_of(node: Node) -> Iterator[Condition]:
    """Yield all conditions of a filter, however deep."""
    match node:
        case Condition():
            yield node
        case Not(part):
            yield from conditions_of(part)
        case Every(parts) | Some(parts):
            for part in parts:
                yield from conditions_of(part)


@lru_cache(5_000)
def _found(node: Node) -> Found:
    match node:
        case Condition():
            return node.filter.predicate.sets(node.value)
        case Not(part):
            found = _found(part)
            return Found(Without(found.sets)) if found.is_exact else Found(ALL, is_exact=False)
        case Every(parts):
            every = [_found(part) for part in parts]
            return Found(_common([found.sets for found in every]), all(found.is_exact for found in every))
        case Some(parts):
            some = [_found(part) for part in parts]
            return Found(United(tuple(found.sets for found in some)), all(found.is_exact for found in some))


def _common(parts: list[Sets]) -> Sets:
    return ALL if not parts else parts[0] if len(parts) == 1 else Common(tuple(parts))


def _inexact(checks: tuple[Node, ...]) -> Iterator[Condition]:
    for check in checks:
        for condition in conditions_of(check):
            if not _found(condition).is_exact:
                yield condition


def _holds(node: Node, facts: Facts, is_in: IsIn) -> bool:
    match node:
        case Condition():
            found = _found(node)
            return is_in(found.sets) if found.is_exact else node.filter.predicate.holds(node.value, facts)
        case Not(part):
            return not _holds(part, facts, is_in)
        case Every(parts):
            return all(_holds(part, facts, is_in) for part in parts)
        case Some(parts):
            return any(_holds(part, facts, is_in) for part in parts)
