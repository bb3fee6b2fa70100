"""What a condition of a filter asks of a killmail, twice: as SQL over the stored rows, and of rows in memory.

Both must always agree; a property test compares them over generated killmails and filters. A NULL column counts as
"no" on both sides: SQL's unknown is turned into false by `is not true` where a filter negates
(`killreport.killmail.filters.sql`), so a predicate's SQL may be NULL, and must not contain a negation of its own that
would let one through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, Protocol

from killreport.eve.flags import FITTED_FLAGS
from killreport.eve.space import LABELLED, POCHVEN_REGION, ZARZAKH_REGION, SpaceClass
from killreport.eve.universe import Universe
from killreport.killmail.stored.named import code_of
from killreport.killmail.stored.queries import AttackerRow, ItemRow, KillmailRow

_REGION_OF_SPACE = {SpaceClass.POCHVEN: POCHVEN_REGION, SpaceClass.ZARZAKH: ZARZAKH_REGION}
_Where = Literal["anywhere", "fitted", "dropped"]
SPACES = tuple(space.value for space in SpaceClass if space in LABELLED or space in _REGION_OF_SPACE)


@dataclass(frozen=True, slots=True)
class Facts:
    """A stored killmail with its rows. universe: tells the group of an attacker's ship, which no row has.

    A thousand filters ask the same of it, so what takes a walk over the rows is worked out once.
    """

    killmail: KillmailRow
    attackers: Sequence[AttackerRow]
    items: Sequence[ItemRow]
    universe: Universe
    _known: dict[str, frozenset[int | None]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def killers(self, attribute: str, is_group: bool) -> frozenset[int | None]:
        """Return what the attackers have as this attribute, or the groups of the types that they have."""
        key = f"group of {attribute}" if is_group else attribute
        found = self._known.get(key)
        if found is None:
            found = frozenset(getattr(attacker, attribute) for attacker in self.attackers)
            if is_group:
                found = frozenset(self.universe.group_id_of(type_id) for type_id in found if type_id is not None)
            self._known[key] = found
        return found

    def item_types(self, where: _Where) -> frozenset[int | None]:
        """Return the types of the items that are there."""
        found = self._known.get(where)
        if found is None:
            found = self._known[where] = frozenset(item.type_id for item in self.items if _is_there(item, where))
        return found


class Binder:
    """Collects the arguments of a statement; what a filter asks for never becomes part of the statement's text."""

    def __init__(self) -> None:
        self.arguments: list[Any] = []

    def bind(self, value: Any, sql_type: str) -> str:
        """Return the name the value has in the statement, with its type."""
        self.arguments.append(value)
        return f"${len(self.arguments)}::{sql_type}"


class Predicate(Protocol):
    """A question about one killmail, given the condition's value."""

    def sql(self, value: Any, binder: Binder) -> str:
        """Return the question as SQL over `killmail k`."""

    def holds(self, value: Any, facts: Facts) -> bool:
        """Return the answer from rows in memory."""


@dataclass(frozen=True, slots=True)
class ColumnIs:
    """One of the ids is in a column of the killmail's row. Every such column has an index by time."""

    name: str

    def sql(self, value: tuple[int, ...], binder: Binder) -> str:
        """Compare with one id, which an index reads in order of time, or with any of several."""
        if len(value) == 1:
            return f"k.{self.name} = {binder.bind(value[0], 'bigint')}"
        return f"k.{self.name} = any({binder.bind(value, 'bigint[]')})"

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look the column up among the ids."""
        return getattr(facts.killmail, self.name) in value


@dataclass(frozen=True, slots=True)
class Killer:
    """One of the ids took part on the killing side, as what `kind` says. attribute: its name in an attacker's row."""

    kind: int
    attribute: str
    is_group: bool = False

    def sql(self, value: tuple[int, ...], binder: Binder) -> str:
        """Look the killmail up in `killed_by`."""
        codes = binder.bind(self._codes(value), "bigint[]")
        return (
            f"exists (select from killed_by b where b.code = any({codes}) "
            "and b.killmail_time = k.killmail_time and b.killmail_id = k.killmail_id)"
        )

    def probe(self, value: Any, binder: Binder) -> str:
        """Ask the same of one killmail at a time: `offset 0` keeps PostgreSQL from making a join of it."""
        codes = binder.bind(self._codes(value), "bigint[]")
        return (
            f"exists (select from killed_by b where b.code = any({codes}) "
            "and b.killmail_time = k.killmail_time and b.killmail_id = k.killmail_id offset 0)"
        )

    def leading(self, value: Any, binder: Binder) -> str:
        """Return the condition on `killed_by b` for one id, whose killmails the index has in order of time."""
        (code,) = self._codes(value)
        return f"b.code = {binder.bind(code, 'bigint')}"

    def _codes(self, value: tuple[int, ...]) -> list[int]:
        return [code_of(self.kind, entity_id) for entity_id in value]

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look for an attacker with one of the ids."""
        return not facts.killers(self.attribute, self.is_group).isdisjoint(value)


@dataclass(frozen=True, slots=True)
class Either:
    """One of the ids is on the victim's side or on the killers'."""

    victim: ColumnIs
    killer: Killer

    def sql(self, value: tuple[int, ...], binder: Binder) -> str:
        """Ask both."""
        return f"({self.victim.sql(value, binder)} or {self.killer.sql(value, binder)})"

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Ask both."""
        return self.victim.holds(value, facts) or self.killer.holds(value, facts)


@dataclass(frozen=True, slots=True)
class Bound:
    """A number or time of the killmail's row is at least, at most, or below the value."""

    name: str
    operator: Literal[">=", "<=", "<"]
    sql_type: str

    def sql(self, value: Any, binder: Binder, alias: str = "k") -> str:
        """Compare the column. alias: `b` for the time that `killed_by b` repeats."""
        return f"{alias}.{self.name} {self.operator} {binder.bind(value, self.sql_type)}"

    def holds(self, value: Any, facts: Facts) -> bool:
        """Compare the attribute."""
        found = getattr(facts.killmail, self.name)
        if self.operator == "<":
            return bool(found < value)
        return bool(found >= value) if self.operator == ">=" else bool(found <= value)


@dataclass(frozen=True, slots=True)
class Is:
    """A flag of the killmail's row is as the value says."""

    name: str

    def sql(self, value: bool, _binder: Binder) -> str:
        """Name the column or its opposite; it is never NULL. Not bound, so that a partial index can be used."""
        return f"k.{self.name}" if value else f"not k.{self.name}"

    def holds(self, value: bool, facts: Facts) -> bool:
        """Compare the attribute."""
        return getattr(facts.killmail, self.name) is value


@dataclass(frozen=True, slots=True)
class Labels:
    """The killmail has all, any or none of the labels."""

    wanted: Literal["all", "any", "none"]

    def sql(self, value: tuple[str, ...], binder: Binder) -> str:
        """Compare the array, which is never NULL."""
        labels = binder.bind(value, "text[]")
        if self.wanted == "all":
            return f"k.labels @> {labels}"
        return f"k.labels && {labels}" if self.wanted == "any" else f"not k.labels && {labels}"

    def holds(self, value: tuple[str, ...], facts: Facts) -> bool:
        """Compare the sets."""
        labels = facts.killmail.labels
        if self.wanted == "all":
            return all(label in labels for label in value)
        return any(label in labels for label in value) is (self.wanted == "any")


@dataclass(frozen=True, slots=True)
class InSpace:
    """The killmail happened in one of the kinds of space: by its `loc:` label, or by region where none is given."""

    def sql(self, value: tuple[str, ...], binder: Binder) -> str:
        """Ask for labels and regions, whichever the value needs."""
        labels, regions = _spaces(value)
        parts = [f"k.labels && {binder.bind(labels, 'text[]')}"] if labels else []
        parts += [f"k.region_id = any({binder.bind(regions, 'bigint[]')})"] if regions else []
        return f"({' or '.join(parts)})"

    def holds(self, value: tuple[str, ...], facts: Facts) -> bool:
        """Ask the same of the row."""
        labels, regions = _spaces(value)
        return facts.killmail.region_id in regions or any(label in facts.killmail.labels for label in labels)


@lru_cache(200)
def _spaces(value: tuple[str, ...]) -> tuple[list[str], list[int]]:
    spaces = [SpaceClass(space) for space in value]
    labels = [f"loc:{space.value}" for space in spaces if space in LABELLED]
    return labels, [_REGION_OF_SPACE[space] for space in spaces if space in _REGION_OF_SPACE]


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """It happened in some hours of the day, UTC; they may go over midnight."""

    def sql(self, value: tuple[int, int], binder: Binder) -> str:
        """Compare the hour."""
        first, end = (binder.bind(hour, "int") for hour in value)
        word = "and" if value[0] < value[1] else "or"
        hour = "extract(hour from k.killmail_time at time zone 'UTC')"
        return f"({hour} >= {first} {word} {hour} < {end})"

    def holds(self, value: tuple[int, int], facts: Facts) -> bool:
        """Compare the hour."""
        first, end = value
        time: datetime = facts.killmail.killmail_time
        hour = time.hour
        return first <= hour < end if first < end else hour >= first or hour < end


@dataclass(frozen=True, slots=True)
class HasItem:
    """The victim had an item of one of the types: anywhere, fitted to the ship that died, or left in the wreck."""

    where: _Where

    def sql(self, value: tuple[int, ...], binder: Binder) -> str:
        """Look the killmail up among the items."""
        asked = f"i.type_id = any({binder.bind(value, 'bigint[]')})"
        if self.where == "fitted":
            asked += f" and i.parent_ordinal is null and i.flag = any({binder.bind(sorted(FITTED_FLAGS), 'int[]')})"
        elif self.where == "dropped":
            asked += " and i.quantity_dropped > 0"
        return f"exists (select from item i where i.killmail_id = k.killmail_id and {asked})"

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look for such an item."""
        return not facts.item_types(self.where).isdisjoint(value)


def _is_there(item: ItemRow, where: _Where) -> bool:
    if where == "fitted":
        return item.parent_ordinal is None and item.flag in FITTED_FLAGS
    return where == "anywhere" or item.quantity_dropped > 0
