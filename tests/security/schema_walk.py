"""Every argument of the schema, each with a document that reaches it: found by walking through the types."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_required_argument,
)

from tests.integration.kills import ALLIANCE, CORPORATION, JITA, PILOT, RIFTER

# Ids under which something is stored, by what is asked for; 1001 is a killmail. Others lead to null: walked too.
STORED: Mapping[str, int] = {
    "Character": PILOT, "Corporation": CORPORATION, "Alliance": ALLIANCE, "Type": RIFTER, "SolarSystem": JITA,
    "Constellation": 20000020, "Region": 10000002, "Group": 25, "Category": 6, "Faction": 500001,
}  # fmt: skip
_PLAIN: Mapping[str, str] = {
    "Int": "1", "Float": "1.0", "String": '"Rift"', "Boolean": "true", "ID": '"1"', "Date": '"2021-12-02"',
    "DateTime": '"2021-12-02T00:00:00Z"', "Isk": '"1.00"',
}  # fmt: skip

ROOT = "{ "


@dataclass(frozen=True, slots=True)
class Place:
    """One argument, or one field of an input object in it. head and tail: the document around `argument: value`."""

    name: str
    kind: GraphQLInputType
    operation: str
    head: str
    tail: str
    is_root: bool

    def document(self, value: str, declared: str = "") -> str:
        """Return the document with this value, a literal or the name of a variable that `declared` declares."""
        return f"{self.operation}{declared} {self.head}{value}{self.tail}"


def places(schema: GraphQLSchema) -> Iterator[Place]:
    """Yield every argument that can be reached; each input object's fields where it is met first."""
    opened: set[str] = set()
    for operation, root in (
        ("query", schema.query_type), ("mutation", schema.mutation_type), ("subscription", schema.subscription_type),
    ):  # fmt: skip
        for kind, head, tail in _reached(schema, root):
            if kind is not root and root is not schema.query_type:
                break  # what lies below is the same as below a query
            for name, field in kind.fields.items():
                around = _Around(operation, kind, head, tail)
                yield from _of_field(around, name, field, opened)


@dataclass(frozen=True, slots=True)
class _Around:
    operation: str
    kind: GraphQLObjectType
    head: str
    tail: str


def _reached(schema: GraphQLSchema, root: GraphQLObjectType | None) -> Iterator[tuple[GraphQLObjectType, str, str]]:
    """Yield every object type with what stands before and after a selection of it, on the shortest way."""
    seen: set[str] = set()
    waiting: deque[tuple[GraphQLNamedType | None, str, str]] = deque([(root, ROOT, " }")])
    while waiting:
        kind, head, tail = waiting.popleft()
        if kind is None or kind.name in seen:
            continue
        seen.add(kind.name)
        if is_abstract_type(kind):
            waiting += [(one, f"{head}... on {one} {{ ", f" }}{tail}") for one in schema.get_possible_types(kind)]
        elif isinstance(kind, GraphQLObjectType):
            yield kind, head, tail
            for name, field in kind.fields.items():
                inner = get_named_type(field.type)
                if isinstance(inner, GraphQLObjectType) or is_abstract_type(inner):
                    waiting.append((inner, f"{head}{name}{_required(field)} {{ ", f" }}{tail}"))


def _required(field: GraphQLField, leave: str = "") -> str:
    """Return the arguments that have to be given, all but one of them."""
    given = [
        f"{name}: {_ordinary(argument.type, get_named_type(field.type).name)}"
        for name, argument in field.args.items()
        if name != leave and is_required_argument(argument)
    ]
    return f"({', '.join(given)})" if given else ""


def _ordinary(kind: GraphQLInputType, of: str) -> str:
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return f"[{_ordinary(kind.of_type, of)}]"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        parts = [f"{n}: {_ordinary(f.type, of)}" for n, f in kind.fields.items() if isinstance(f.type, GraphQLNonNull)]
        return "{" + ", ".join(parts) + "}"
    assert isinstance(kind, GraphQLScalarType)
    return _PLAIN.get(kind.name, str(STORED.get(of, 1001)))


def _of_field(around: _Around, name: str, field: GraphQLField, opened: set[str]) -> Iterator[Place]:
    is_root = around.head == ROOT
    inner = get_named_type(field.type)
    below = "" if isinstance(inner, GraphQLScalarType | GraphQLEnumType) else " { __typename }"
    for argument_name, argument in field.args.items():
        others = _required(field, argument_name).strip("()")
        before = f"{around.head}{name}({others}{', ' if others else ''}{argument_name}: "
        after = f"){below}{around.tail}"
        called = f"{around.kind.name}.{name}({argument_name}"
        yield Place(f"{called})", argument.type, around.operation, before, after, is_root)
        given = get_named_type(argument.type)
        if isinstance(given, GraphQLInputObjectType) and given.name not in opened:
            opened.add(given.name)
            for part, found in given.fields.items():
                start, end = f"{before}{{{part}: ", f"}}{after}"
                yield Place(f"{called}.{part})", found.type, around.operation, start, end, is_root)
