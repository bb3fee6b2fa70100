"""What a condition of a filter asks of a killmail, twice: of the postings, and of rows in memory.

Both must always agree; a property test compares them over generated killmails and filters. What no posting tells
(worth, counts, hours, slots) is asked of the rows of those that postings lead to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from killreport.entity.kind import EntityKind
from killreport.eve.flags import FITTED_FLAGS
from killreport.eve.space import LABELLED, POCHVEN_REGION, ZARZAKH_REGION, SpaceClass
from killreport.eve.universe import Universe
from killreport.killmail.filters.values import HOURS_A_DAY
from killreport.killmail.mail.label_numbers import CATEGORY, is_label
from killreport.killmail.postings.codes import CATEGORY_KIND, ITEM_KIND, Side, code_of
from killreport.killmail.postings.sets import ALL, AnyOf, Common, Sets, United, Without, keys_of
from killreport.killmail.rules.labels import TIME_ZONE_LABELS, bands_above, is_band_edge
from killreport.killmail.stored.named import marks_of_labels
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


class Found(NamedTuple):
    """Postings that have all killmails wanted. is_exact: and no others, so that no row needs to be asked."""

    sets: Sets
    is_exact: bool = True


class Predicate(Protocol):
    """A question about one killmail, given the condition's value."""

    def sets(self, value: Any) -> Found:
        """Return the postings that have all killmails for which the answer is yes."""

    def holds(self, value: Any, facts: Facts) -> bool:
        """Return the answer from rows in memory."""


@runtime_checkable
class RowPredicate(Predicate, Protocol):
    """A question that a row of `killmail` answers alone."""

    def sql(self, value: Any, binder: Binder) -> str:
        """Return the question as a condition on the columns."""


@dataclass(frozen=True, slots=True)
class ColumnIs:
    """One of the ids is in a column of the killmail's row, of which there are postings of that kind and side."""

    name: str
    kind: int
    side: Side

    def sets(self, value: tuple[int, ...]) -> Found:
        """Name the posting of each id."""
        return Found(_any_of(self.kind, value, self.side))

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look the column up among the ids."""
        return getattr(facts.killmail, self.name) in value


@dataclass(frozen=True, slots=True)
class Killer:
    """One of the ids took part on the killing side, as what `kind` says. attribute: its name in an attacker's row."""

    kind: int
    attribute: str
    is_group: bool = False

    def sets(self, value: tuple[int, ...]) -> Found:
        """Name the posting of each id."""
        return Found(_any_of(self.kind, value, Side.KILLER))

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look for an attacker with one of the ids."""
        return not facts.killers(self.attribute, self.is_group).isdisjoint(value)


@dataclass(frozen=True, slots=True)
class FinalBlow:
    """One of the ids struck the final blow: the postings have all its kills, the row says who ended it."""

    kind: int
    name: str

    def sets(self, value: tuple[int, ...]) -> Found:
        """Name the postings of all that each id took part in."""
        return Found(_any_of(self.kind, value, Side.KILLER), is_exact=False)

    def sql(self, value: tuple[int, ...], binder: Binder) -> str:
        """Compare the column."""
        return f"{self.name} = any({binder.bind(value, 'bigint[]')})"

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look the column up among the ids."""
        return getattr(facts.killmail, self.name) in value


@dataclass(frozen=True, slots=True)
class Either:
    """One of the ids is on the victim's side or on the killers'."""

    victim: ColumnIs
    killer: Killer

    def sets(self, value: tuple[int, ...]) -> Found:
        """Unite both sides."""
        both = (self.victim.sets(value).sets, self.killer.sets(value).sets)
        return Found(AnyOf(tuple(key for side in both for key in keys_of(side))))

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Ask both."""
        return self.victim.holds(value, facts) or self.killer.holds(value, facts)


@dataclass(frozen=True, slots=True)
class Bound:
    """A number or time of the killmail's row is at least, at most, or below the value."""

    name: str
    operator: Literal[">=", "<=", "<"]
    sql_type: str

    def sets(self, value: Any) -> Found:
        """Name the labels of the bands that reach so far, where there are any: at the edge of a band they tell all."""
        labels = bands_above(self.name, value) if self.operator == ">=" else None
        if labels is None:
            return Found(ALL, is_exact=False)
        return Found(_labelled(labels), is_band_edge(self.name, value))

    def sql(self, value: Any, binder: Binder) -> str:
        """Compare the column."""
        return f"{self.name} {self.operator} {binder.bind(value, self.sql_type)}"

    def holds(self, value: Any, facts: Facts) -> bool:
        """Compare the attribute."""
        found = getattr(facts.killmail, self.name)
        if self.operator == "<":
            return bool(found < value)
        return bool(found >= value) if self.operator == ">=" else bool(found <= value)


@dataclass(frozen=True, slots=True)
class Is:
    """A flag of the killmail's row is as the value says; a label goes with it."""

    name: str
    label: str

    def sets(self, value: bool) -> Found:
        """Name the label, or all that have it not."""
        labelled = _labelled((self.label,))
        return Found(labelled if value else Without(labelled))

    def holds(self, value: bool, facts: Facts) -> bool:
        """Compare the attribute."""
        return getattr(facts.killmail, self.name) is value


@dataclass(frozen=True, slots=True)
class Labels:
    """The killmail has all, any or none of the labels."""

    wanted: Literal["all", "any", "none"]

    def sets(self, value: tuple[str, ...]) -> Found:
        """Name the posting of each label."""
        if self.wanted == "all":
            return Found(Common(tuple(_labelled((label,)) for label in value)))
        return Found(_labelled(value) if self.wanted == "any" else Without(_labelled(value)))

    def holds(self, value: tuple[str, ...], facts: Facts) -> bool:
        """Compare the sets."""
        labels = facts.killmail.labels
        if self.wanted == "all":
            return all(label in labels for label in value)
        return any(label in labels for label in value) is (self.wanted == "any")


@dataclass(frozen=True, slots=True)
class HullCategory:
    """The victim's hull is of one of the categories, as its `cat:` label says."""

    def sets(self, value: tuple[int, ...]) -> Found:
        """Name the posting of each category."""
        return Found(_any_of(CATEGORY_KIND, value, Side.KILLER))

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look for the labels."""
        return any(f"{CATEGORY}{category_id}" in facts.killmail.labels for category_id in value)


@dataclass(frozen=True, slots=True)
class InSpace:
    """The killmail happened in one of the kinds of space: by its `loc:` label, or by region where none is given."""

    def sets(self, value: tuple[str, ...]) -> Found:
        """Name the labels and regions, whichever the value needs."""
        labels, regions = _spaces(value)
        return Found(United((_labelled(labels), _any_of(EntityKind.REGION, regions, Side.KILLER))))

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

    def sets(self, value: tuple[int, int]) -> Found:
        """Name the time zones that the hours lie in."""
        first, end = value
        hours = range(first, end) if first < end else (*range(first, HOURS_A_DAY), *range(end))
        return Found(_labelled(sorted({TIME_ZONE_LABELS[hour] for hour in hours})), is_exact=False)

    def sql(self, value: tuple[int, int], binder: Binder) -> str:
        """Compare the hour."""
        first, end = (binder.bind(hour, "int") for hour in value)
        word = "and" if value[0] < value[1] else "or"
        hour = "extract(hour from killmail_time at time zone 'UTC')"
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

    def sets(self, value: tuple[int, ...]) -> Found:
        """Name the posting of each type, which has it wherever it was."""
        return Found(_any_of(ITEM_KIND, value, Side.KILLER), is_exact=self.where == "anywhere")

    def holds(self, value: tuple[int, ...], facts: Facts) -> bool:
        """Look for such an item."""
        return not facts.item_types(self.where).isdisjoint(value)


def _is_there(item: ItemRow, where: _Where) -> bool:
    if where == "fitted":
        return item.parent_ordinal is None and item.flag in FITTED_FLAGS
    return where == "anywhere" or item.quantity_dropped > 0


def _any_of(kind: int, ids: Iterable[int], side: Side) -> Sets:
    return AnyOf(tuple((code_of(kind, entity_id), int(side)) for entity_id in ids))


def _labelled(labels: Iterable[str]) -> Sets:
    known = [label for label in labels if is_label(label)]
    return AnyOf(tuple((code, int(Side.KILLER)) for code in marks_of_labels(known)))
