"""What an operation costs, worked out from its document and variables before anything runs.

An object costs 1, a scalar nothing, unless `@cost` says otherwise; a list costs its size times what one of it costs.
Introspection counts every field once: graphql-core bounds its depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from killreport.api.guard.annotations import annotation

# For a list of which the schema does not say how long it is.
ASSUMED_SIZE = 10
# A negative or absurd page size is refused by its resolver; here it only must not make the sum small.
LARGEST_SIZE = 10**6


@dataclass(frozen=True, slots=True)
class _Around:
    """The field around a selection: its arguments may size a list inside."""

    field: GraphQLField | None
    node: FieldNode | None


def operation_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> int:
    """Return the cost of a valid operation with these variables, at least 1; fragments count wherever they are spread.

    variables: as sent; one that was left out counts with its default.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 1
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    defaults = {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }
    counter = _Counter(schema, fragments, {**defaults, **variables})
    return max(1, counter.selection(root, operation.selection_set, _Around(None, None)))


class _Counter:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        # What a fragment costs depends on the field around it only through the size of a list directly inside.
        self._known: dict[tuple[str, int], int] = {}

    def selection(self, parent: GraphQLNamedType, selections: SelectionSetNode | None, around: _Around) -> int:
        """Return the cost of what is selected of one object."""
        total = 0
        for part in selections.selections if selections is not None else ():
            if isinstance(part, FieldNode):
                total += self._field(parent, part, around)
            elif isinstance(part, InlineFragmentNode):
                named = part.type_condition.name.value if part.type_condition else parent.name
                total += self.selection(self._schema.type_map[named], part.selection_set, around)
            elif isinstance(part, FragmentSpreadNode):
                total += self._fragment(part.name.value, around)
        return total

    def _fragment(self, name: str, around: _Around) -> int:
        key = name, id(around.node)
        if key not in self._known:
            self._known[key] = 0
            fragment = self._fragments[name]
            parent = self._schema.type_map[fragment.type_condition.name.value]
            self._known[key] = self.selection(parent, fragment.selection_set, around)
        return self._known[key]

    def _field(self, parent: GraphQLNamedType, node: FieldNode, around: _Around) -> int:
        name = node.name.value
        if name.startswith("__"):
            return 1
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        field = parent.fields[name]
        named = get_named_type(field.type)
        weight = annotation(field.ast_node, "cost").get("weight")
        if weight is None:
            weight = 1 if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType) else 0
        each: int = weight
        if node.selection_set is not None:
            each += self.selection(named, node.selection_set, _Around(field, node))
        return each * self._size(field, node, around)

    def _size(self, field: GraphQLField, node: FieldNode, around: _Around) -> int:
        kind = field.type.of_type if is_non_null_type(field.type) else field.type
        if not is_list_type(kind):
            return 1
        told = annotation(field.ast_node, "listSize")
        # A list that `first` sizes may be asked for from its end.
        names = {"first": ("first", "last")}.get(told.get("argument", ""), (told.get("argument", ""),))
        for known in (_Around(field, node), around):
            found = [size for name in names if (size := self._argument(known, name)) is not None]
            if found:
                return min(max(*found, 1), LARGEST_SIZE)
        assumed: int = told.get("assumed", ASSUMED_SIZE)
        return assumed

    def _argument(self, known: _Around, name: str) -> int | None:
        """Return the argument's value, of a list its length; its default where it is not given, None without one."""
        if known.field is None or known.node is None or name not in known.field.args:
            return None
        for given in known.node.arguments or ():
            if given.name.value == name:
                if isinstance(given.value, IntValueNode):
                    return int(given.value.value)
                if isinstance(given.value, ListValueNode):
                    return len(given.value.values)
                if isinstance(given.value, VariableNode):
                    found = self._variables.get(given.value.name.value)
                    if isinstance(found, list):
                        return len(found)
                    if isinstance(found, int):
                        return found
        node = known.field.args[name].ast_node
        default = node.default_value if node is not None else None
        return int(default.value) if isinstance(default, IntValueNode) else None
