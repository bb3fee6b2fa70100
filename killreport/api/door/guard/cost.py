"""What an operation costs, worked out from its document and variables before anything runs.

An object costs 1, a scalar nothing, or 1 where it has to be looked up, unless `@cost` says otherwise; a list costs its
size times what one of it costs. Arguments are read as they will be when it runs: coerced, with their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues

from killreport.api.door.guard.annotations import annotation
from killreport.api.door.guard.schema_sizes import SchemaSizes
from killreport.api.engine.registry import batch_resolver

# For a list of which the schema does not say how long it is.
ASSUMED_SIZE = 10
# A negative or absurd page size is refused by its resolver; here it only must not make the sum small.
MAX_SIZE = 10**6


@dataclass(frozen=True, slots=True)
class _Around:
    """The field around a selection: its arguments may size a list inside. is_all: what it has is all there is of it."""

    field: GraphQLField | None = None
    node: FieldNode | None = None
    is_all: bool = False


def operation_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: VariableValues
) -> int:
    """Return the cost of a valid operation with these variables, at least 1; fragments count wherever they are spread.

    variables: coerced by the operation's definitions.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 1
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    return max(1, _Counter(schema, fragments, variables).selection(root, operation.selection_set, _Around()))


def field_weight(field: GraphQLField) -> int:
    """Return what one value of the field costs, without what is selected inside it."""
    told: int | None = annotation(field.ast_node, "cost").get("weight")
    if told is not None:
        return told
    # Whoever waits for something does work, of which a scalar tells nothing.
    return int(not is_leaf_type(get_named_type(field.type)) or iscoroutinefunction(batch_resolver(field)))


class _Counter:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: VariableValues
    ) -> None:
        self._schema = schema
        self._sizes = SchemaSizes.of(schema)
        self._fragments = fragments
        self._variables = variables
        # What a fragment costs depends on the field around it only through the sizes of the lists directly inside.
        self._known: dict[tuple[str, int, bool], int] = {}
        self._arguments: dict[int, Mapping[str, Any]] = {}

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
        key = name, id(around.node), around.is_all
        if key not in self._known:
            self._known[key] = 0
            fragment = self._fragments[name]
            parent = self._schema.type_map[fragment.type_condition.name.value]
            self._known[key] = self.selection(parent, fragment.selection_set, around)
        return self._known[key]

    def _field(self, parent: GraphQLNamedType, node: FieldNode, around: _Around) -> int:
        name = node.name.value
        if name == "__typename":
            return 1
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return 0
        field = self._schema.get_field(parent, name)
        if field is None:
            return 0
        size, is_all = self._size(parent, field, node, around)
        each = field_weight(field)
        if node.selection_set is not None:
            each += self.selection(get_named_type(field.type), node.selection_set, _Around(field, node, is_all))
        return each * size

    def _size(
        self, parent: GraphQLNamedType, field: GraphQLField, node: FieldNode, around: _Around
    ) -> tuple[int, bool]:
        kind = field.type.of_type if is_non_null_type(field.type) else field.type
        if not is_list_type(kind):
            return 1, False
        described = self._sizes.size(parent.name, node.name.value, is_all=around.is_all)
        if described is not None:
            # The fields of all types are all fields; the types of all fields are any types.
            is_all = get_named_type(field.type).name != "__Type" and around.is_all
            return described, is_all or parent.name == "__Schema"
        told = annotation(field.ast_node, "listSize")
        # A list that `first` sizes may be asked for from its end.
        names = {"first": ("first", "last")}.get(told.get("argument", ""), (told.get("argument", ""),))
        for known in (_Around(field, node), around):
            found = [size for name in names if (size := self._argument(known, name)) is not None]
            if found:
                return min(max(*found, 1), MAX_SIZE), False
        assumed: int = told.get("assumed", ASSUMED_SIZE)
        return assumed, False

    def _argument(self, known: _Around, name: str) -> int | None:
        """Return the argument's value, of a list its length; None where it has none."""
        if known.field is None or known.node is None or name not in known.field.args:
            return None
        found = self._values(known.field, known.node).get(known.field.args[name].out_name or name)
        if isinstance(found, list):
            return len(found)
        return found if isinstance(found, int) else None

    def _values(self, field: GraphQLField, node: FieldNode) -> Mapping[str, Any]:
        if id(node) not in self._arguments:
            try:
                self._arguments[id(node)] = get_argument_values(field, node, self._variables)
            except GraphQLError:
                # The same error keeps the field from being resolved.
                self._arguments[id(node)] = {}
        return self._arguments[id(node)]
