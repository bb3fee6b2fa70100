"""How long an answer may be served again: the shortest life among its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)

from killreport.api.door.guard.annotations import annotation

_COMPOSITE = (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """seconds: 0 for an answer that is never kept. tags: the events that end it sooner."""

    seconds: int
    tags: frozenset[str] = frozenset()


NEVER = Lifetime(0)


def operation_lifetime(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Lifetime:
    """Return how long the answer to a valid operation lives.

    A field's own directive counts, else its type's; a scalar without one lives as long as the object around it; an
    object without one, and everything that is no query, is never kept.
    """
    root = schema.query_type
    if root is None or operation.operation is not OperationType.QUERY:
        return NEVER
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    ages: list[int] = []
    tags: set[str] = set()
    for told in _Walk(schema, fragments).told(root, operation.selection_set, is_root=True):
        ages.append(told.get("maxAge", 0))
        tags.update(told.get("tags", ()))
    return Lifetime(min(ages, default=0), frozenset(tags))


class _Walk:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._seen: set[str] = set()

    def told(
        self, parent: GraphQLNamedType, selections: SelectionSetNode | None, *, is_root: bool = False
    ) -> Iterator[Mapping[str, Any]]:
        """Yield what the schema says of every selected field that limits the life; every fragment is read once."""
        for part in selections.selections if selections is not None else ():
            if isinstance(part, FieldNode):
                yield from self._field(parent, part, is_root=is_root)
            elif isinstance(part, InlineFragmentNode):
                named = part.type_condition.name.value if part.type_condition else parent.name
                yield from self.told(self._schema.type_map[named], part.selection_set, is_root=is_root)
            elif isinstance(part, FragmentSpreadNode) and part.name.value not in self._seen:
                self._seen.add(part.name.value)
                fragment = self._fragments[part.name.value]
                named = fragment.type_condition.name.value
                yield from self.told(self._schema.type_map[named], fragment.selection_set, is_root=is_root)

    def _field(self, parent: GraphQLNamedType, node: FieldNode, *, is_root: bool) -> Iterator[Mapping[str, Any]]:
        name = node.name.value
        if name == "__typename":
            return
        if name.startswith("__") or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            yield {}
            return
        field = parent.fields[name]
        named = get_named_type(field.type)
        own = annotation(field.ast_node, "cacheControl")
        if own:
            yield own
        elif isinstance(named, _COMPOSITE):
            yield annotation(named.ast_node, "cacheControl")
        elif is_root:
            yield {}
        yield from self.told(named, node.selection_set)
