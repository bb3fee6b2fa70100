"""Queries made up at random over the test schema: aliases, all kinds of fragments, directives, arguments, variables."""

from __future__ import annotations

from random import Random
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

# Stands where a document has as many spaces, so that places in the document stay the same.
UNBUBBLED = "@experimental_disableErrorPropagation"
HEADER = "($yes: Boolean!, $no: Boolean! = false, $perhaps: Boolean = true, $n: Int, $where: Filter, $names: [String!])"
ARGUMENTS: dict[str, list[str]] = {
    "pick": ["", "(n: 5)", "(n: $n)", "(color: null)", "(where: $where)", "(where: {minPrice: $n, colors: [BLUE]})"],
    "slowPick": ["", "(n: $n)", '(names: ["x", "y"])', "(names: $names, n: 1)"],
    "a": ["", "(n: $n)", "(n: 7)"],
    "addA": ["", "(n: 2)", "(n: $n)"],
}
DIRECTIVES = [
    "@include(if: $yes)",
    "@skip(if: $no)",
    "@skip(if: $yes)",
    "@include(if: false)",
    "@include(if: $perhaps)",
]


def without_bubbling(text: str) -> str:
    """Return an author's document with nulls that stay where they are."""
    return text.replace(" " * len(UNBUBBLED), UNBUBBLED, 1)


def variables(chance: Random) -> dict[str, Any]:
    """Return values of some of the variables that every document has."""
    given: dict[str, Any] = {"yes": chance.random() < 0.7}
    for name, values in (
        ("no", [True, False]),
        ("perhaps", [True, False]),
        ("n", [None, 4]),
        ("where", [None, {}, {"minPrice": 3, "and": {"colors": ["RED"]}}]),
        ("names", [["z"], None]),
    ):
        if chance.random() < 0.5:
            given[name] = chance.choice(values)
    return given


class Author:
    """Writes one document."""

    def __init__(self, schema: GraphQLSchema, chance: Random) -> None:
        self._schema, self._chance = schema, chance
        self._fragments: dict[str, str] = {}

    def document(self) -> str:
        """Return a document, valid but for fields that cannot be merged."""
        kind = self._chance.choice(("query", "query", "query", "mutation"))
        root = self._schema.query_type if kind == "query" else self._schema.mutation_type
        body = self._selection(root, self._chance.randrange(2, 5))
        return " ".join((f"{kind} It{HEADER}{' ' * len(UNBUBBLED)}{body}", *self._fragments.values()))

    def _selection(self, of: Any, depth: int) -> str:
        parts = [self._part(of, depth) for _ in range(self._chance.choice((1, 2, 3, 3, 4, 6)))]
        return "{ " + " ".join(parts) + " }"

    def _part(self, of: Any, depth: int) -> str:
        roll = self._chance.random()
        if roll < 0.12 and depth > 0:
            return f"... {self._directive()} {self._selection(of, depth - 1)}"
        if depth > 0 and (roll < 0.35 or (isinstance(of, GraphQLUnionType) and roll < 0.8)):
            inside = self._chance.choice(self._related(of))
            if self._chance.random() < 0.4:
                return f"...{self._fragment(inside, depth - 1)} {self._directive()}"
            return f"... on {inside.name} {self._directive()} {self._selection(inside, depth - 1)}"
        if isinstance(of, GraphQLUnionType) or roll < 0.42:
            return "__typename"
        return self._field(of, depth)

    def _field(self, of: Any, depth: int) -> str:
        fields = of.fields
        names = [name for name, field in fields.items() if depth > 0 or is_leaf_type(get_named_type(field.type))]
        if not names:
            return "kind: __typename"
        name = self._chance.choice(names)
        choices = ARGUMENTS.get(name, [""])
        choice = self._chance.randrange(len(choices))
        # A key of the answer stands for one field with one set of arguments, or validation refuses to merge.
        alias = f"{name}{choice}: " if choice or self._chance.random() < 0.2 else ""
        inner = get_named_type(fields[name].type)
        below = "" if is_leaf_type(inner) else self._selection(inner, depth - 1)
        return f"{alias}{name}{choices[choice]} {self._directive()} {below}"

    def _fragment(self, of: Any, depth: int) -> str:
        usable = [name for name in self._fragments if name.startswith(f"On{of.name}")]
        if usable and self._chance.random() < 0.3:
            return self._chance.choice(usable)
        body = self._selection(of, depth)
        name = f"On{of.name}{len(self._fragments)}"
        self._fragments[name] = f"fragment {name} on {of.name} {body}"
        return name

    def _directive(self) -> str:
        return self._chance.choice(DIRECTIVES) if self._chance.random() < 0.15 else ""

    def _related(self, of: Any) -> list[Any]:
        """Return the composite types that share an object type with this one."""
        composite = [
            found
            for name, found in self._schema.type_map.items()
            if isinstance(found, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
            and not name.startswith("__")
        ]
        own = self._possible(of)
        return [found for found in composite if own & self._possible(found)]

    def _possible(self, of: Any) -> set[str]:
        if isinstance(of, GraphQLObjectType):
            return {of.name}
        return {found.name for found in self._schema.get_possible_types(of)}
