"""What every part of the schema must have: a description, a name in one style, and a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    is_list_type,
    is_non_null_type,
)

from killreport.api.schema import build_schema

SCHEMA = build_schema()
OWN = {name: found for name, found in SCHEMA.type_map.items() if not name.startswith("__")}
BUILT_IN = {"Int", "Float", "Boolean", "String", "ID"}
# Enums that were published with the words of the fleet before the rule of capitals.
LOWER_CASE_ENUMS = {"ProcessKind", "JobRunStatus", "JobRunTrigger"}

# Lists that no `first` bounds, and what does.
BOUNDED = {
    "ActivityHour": "hours of seven days",
    "JobRunCount": "the figures a job names",
    "WorkerStatus": "a row for each queue of the fleet table",
    "Process": "a row for each process of the fleet table",
    "Region": "the regions of New Eden, or at most 200 ids",
    "Constellation": "those of one region, or at most 200 ids",
    "SolarSystem": "those of one region, or at most 200 ids",
    "Group": "those of one category, or at most 200 ids",
    "Category": "the categories of the static data, or at most 200 ids",
    "Type": "at most 200 ids",
    "DayPrice": "a row a day, `days` of them",
    "Attacker": "one killmail's: the game bounds the parties to a kill",
    "Item": "one killmail's: the game bounds what a ship carries",
    "PostResult": "one for each link of a text, 20 at most",
    "String": "the labels of one killmail",
    "Character": "at most 200 ids",
    "Corporation": "at most 200 ids",
    "Alliance": "at most 200 ids",
    "Faction": "at most 200 ids",
    "DayCompleteness": "a row a day of a span that the field bounds",
    "LabelEvidence": "one killmail's labels",
    "FittingSection": "the sections of a ship",
    "FittingSlot": "the slots of a section",
    "PriceLine": "one killmail's: the game bounds what a ship carries",
    "PriceSection": "the sections of a ship",
    "AffiliationPeriod": "one entity's: months lie between two moves",
    "EntitySnapshot": "a row a day, `days` of them",
    "SnapshotDelta": "1, 7 and 30 days",
    "LeaderboardPlace": "the leaderboard's `first`",
    "EntityMonth": "the months since the first killmail",
    "Int": "the hours of a week",
    "TopEntry": "the ten first, or as many as there are ship groups",
    "EntityCount": "the kinds of entities",
    "HourCount": "the hours of a day",
}


def members() -> Iterator[tuple[str, Any]]:
    """Yield every field, argument, input field and enum value with its name."""
    for name, found in OWN.items():
        if isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in found.fields.items():
                yield f"{name}.{field_name}", field
                for argument_name, argument in field.args.items():
                    yield f"{name}.{field_name}({argument_name})", argument
        elif isinstance(found, GraphQLInputObjectType):
            yield from ((f"{name}.{part_name}", part) for part_name, part in found.fields.items())
        elif isinstance(found, GraphQLEnumType):
            yield from ((f"{name}.{value_name}", value) for value_name, value in found.values.items())


def named(kind: Any) -> tuple[str, bool]:
    """Return the name of the type inside, and whether a list of it is meant."""
    is_list = False
    while is_non_null_type(kind) or is_list_type(kind):
        is_list = is_list or is_list_type(kind)
        kind = kind.of_type
    return str(kind), is_list


def test_everything_is_described() -> None:
    bare = [name for name, found in OWN.items() if name not in BUILT_IN and not (found.description or "").strip()]
    bare += [name for name, part in members() if not (part.description or "").strip()]
    bare += [f"@{one.name}" for one in SCHEMA.directives if not (one.description or "").strip()]
    assert bare == []


def test_what_is_deprecated_says_what_to_use() -> None:
    hasty = [
        name
        for name, part in members()
        if part.deprecation_reason is not None
        and (len(part.deprecation_reason) < 10 or part.deprecation_reason == "No longer supported")
    ]
    assert hasty == []


def test_names_are_in_one_style() -> None:
    odd = [name for name in OWN if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)]
    for name, _part in members():
        owner, _, last = name.partition(".")
        if isinstance(OWN[owner], GraphQLEnumType):
            pattern = r"[a-z]+" if owner in LOWER_CASE_ENUMS else r"[A-Z][A-Z0-9_]*"
        else:
            pattern = r"[a-z][A-Za-z0-9]*(\([a-z][A-Za-z0-9]*\))?"
        if not re.fullmatch(pattern, last):
            odd.append(name)
    assert odd == []


def test_every_list_is_a_connections_or_bounded() -> None:
    unbounded = []
    for name, found in OWN.items():
        if not isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field_name, field in found.fields.items():
            inner, is_list = named(field.type)
            is_page = name.endswith("Connection") or "first" in field.args
            if is_list and not is_page and inner not in BOUNDED:
                unbounded.append(f"{name}.{field_name}")
    assert unbounded == []


def test_every_page_is_bounded_by_its_first() -> None:
    boundless = [
        f"{name}.{field_name}"
        for name, found in OWN.items()
        if isinstance(found, GraphQLObjectType)
        for field_name, field in found.fields.items()
        if named(field.type)[0].endswith("Connection") and not {"first", "last"} & set(field.args)
    ]
    assert boundless == []
