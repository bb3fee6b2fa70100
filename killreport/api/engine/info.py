"""What a resolver is told beyond its parents and arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of one operation. path: the keys of the answer down to the field, without places in lists."""

    context: Any
    variables: Mapping[str, Any]
    field_name: str
    path: tuple[str, ...]
    schema: GraphQLSchema
    find_selected: Callable[[tuple[str, ...]], frozenset[str]]

    def selected(self, *below: str) -> frozenset[str]:
        """Return the names of the sub-fields asked for, of the field itself or of a sub-field `below` it.

        They are names of the schema, not aliases; those of fragments on every possible type are among them. For the
        source of a subscription there are none.
        """
        return self.find_selected(below)
