"""How long the lists are that describe the schema itself: they are known, since it is there."""

from __future__ import annotations

import math

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    is_abstract_type,
)

_KEY = "guard.schema_sizes"


class SchemaSizes:
    """Sizes by type and field."""

    def __init__(self, schema: GraphQLSchema) -> None:
        kinds, directives = list(schema.type_map.values()), schema.directives
        abstract = [kind for kind in kinds if is_abstract_type(kind)]
        objects = [kind for kind in kinds if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)]
        fields = [field for kind in objects for field in kind.fields.values()]
        # How many have such a list, empty ones too, and how long those are that have something in them.
        self._owners = {"__Schema": 1, "__Directive": len(directives), "__Type": len(kinds), "__Field": len(fields)}
        self._lengths = {
            ("__Schema", "types"): [len(kinds)],
            ("__Schema", "directives"): [len(directives)],
            ("__Directive", "args"): [len(directive.args) for directive in directives],
            ("__Directive", "locations"): [len(directive.locations) for directive in directives],
            ("__Type", "fields"): [len(kind.fields) for kind in objects],
            ("__Type", "interfaces"): [len(kind.interfaces) for kind in objects],
            ("__Type", "possibleTypes"): [len(schema.get_possible_types(kind)) for kind in abstract],
            ("__Type", "enumValues"): [len(kind.values) for kind in kinds if isinstance(kind, GraphQLEnumType)],
            ("__Type", "inputFields"): [len(kind.fields) for kind in kinds if isinstance(kind, GraphQLInputObjectType)],
            ("__Field", "args"): [len(field.args) for field in fields],
        }

    @classmethod
    def of(cls, schema: GraphQLSchema) -> SchemaSizes:
        """Return the sizes of a schema, counted once."""
        found: SchemaSizes | None = schema.extensions.get(_KEY)
        if found is None:
            found = schema.extensions[_KEY] = cls(schema)
        return found

    def size(self, parent: str, name: str, *, is_all: bool) -> int | None:
        """Return how long a list is: on average where it is asked of all there are, else the longest; None if unknown.

        Of all there are, so many times the average is exactly what there is.
        """
        lengths = self._lengths.get((parent, name))
        if lengths is None:
            return None
        return max(1, math.ceil(sum(lengths) / self._owners[parent]) if is_all else max(lengths, default=0))
