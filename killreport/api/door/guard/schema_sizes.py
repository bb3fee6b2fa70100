"""How long the lists are that describe the schema itself: they are known, since it is there."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
)

_KEY = "guard.schema_sizes"


@dataclass(slots=True)
class _Lists:
    """The lists of one field of introspection, such as the fields of each type."""

    total: int = 0
    longest: int = 0

    def add(self, length: int) -> None:
        self.total += length
        self.longest = max(self.longest, length)


@dataclass(slots=True)
class SchemaSizes:
    """Sizes by type and field. owners: how many objects have such a list, empty ones too."""

    owners: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lists: dict[tuple[str, str], _Lists] = field(default_factory=lambda: defaultdict(_Lists))

    @classmethod
    def of(cls, schema: GraphQLSchema) -> SchemaSizes:
        """Return the sizes of a schema, counted once."""
        found: SchemaSizes | None = schema.extensions.get(_KEY)
        if found is None:
            found = schema.extensions[_KEY] = cls()
            found._count(schema)
        return found

    def size(self, parent: str, name: str, *, is_all: bool) -> int | None:
        """Return how long a list is: on average where it is asked of all there are, else the longest; None if unknown.

        Of all there are, so many times the average is exactly what there is.
        """
        known = self.lists.get((parent, name))
        if known is None:
            return None
        return max(1, math.ceil(known.total / self.owners[parent]) if is_all else known.longest)

    def _count(self, schema: GraphQLSchema) -> None:
        self.owners["__Schema"] = 1
        self.lists["__Schema", "types"].add(len(schema.type_map))
        self.lists["__Schema", "directives"].add(len(schema.directives))
        for directive in schema.directives:
            self.owners["__Directive"] += 1
            self.lists["__Directive", "args"].add(len(directive.args))
            self.lists["__Directive", "locations"].add(len(directive.locations))
        for kind in schema.type_map.values():
            self.owners["__Type"] += 1
            for name, length in _lengths(schema, kind):
                self.lists["__Type", name].add(length)
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
                for one in kind.fields.values():
                    self.owners["__Field"] += 1
                    self.lists["__Field", "args"].add(len(one.args))


def _lengths(schema: GraphQLSchema, kind: GraphQLNamedType) -> Iterator[tuple[str, int]]:
    """Yield the field of `__Type` and the length of its list for this type."""
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        yield "fields", len(kind.fields)
        yield "interfaces", len(kind.interfaces)
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        yield "possibleTypes", len(schema.get_possible_types(kind))
    if isinstance(kind, GraphQLEnumType):
        yield "enumValues", len(kind.values)
    if isinstance(kind, GraphQLInputObjectType):
        yield "inputFields", len(kind.fields)
