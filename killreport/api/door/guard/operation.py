"""What is known of an operation before it runs: how long its answer lives, and what it costs with any variables.

An object costs 1, a scalar nothing, or 1 where it has to be looked up, unless `@cost` says otherwise; a list costs its
size times what one of it costs. Arguments are read as they will be when it runs: coerced, with their defaults.

An answer lives as long as the shortest-lived of its fields: a field's own directive counts, else its type's; a scalar
without one lives as long as the object around it; an object without one, and what is no query, is never kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues

from killreport.api.door.guard.annotations import annotation
from killreport.api.door.guard.schema_sizes import SchemaSizes
from killreport.api.engine.plan import Plans
from killreport.api.engine.registry import batch_resolver

# For a list of which the schema does not say how long it is.
ASSUMED_SIZE = 10
# A negative or absurd page size is refused by its resolver; here it only must not make the sum small.
MAX_SIZE = 10**6


@dataclass(frozen=True, slots=True)
class Lifetime:
    """seconds: 0 for an answer that is never kept. tags: the events that end it sooner."""

    seconds: int
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _SizeArguments:
    """Arguments of one field, any of which says how long a list is."""

    field: GraphQLField
    node: FieldNode
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Part:
    """A selected field, or a fragment. weight: of one value. sizes: the first that says one counts, else `count`."""

    weight: int
    inside: Sequence[_Part] = ()
    count: int = 1
    sizes: Sequence[_SizeArguments] = ()


@dataclass(frozen=True, slots=True)
class _Around:
    """The field around a selection: its arguments may size a list inside. is_all: what it has is all there is of it."""

    field: GraphQLField | None = None
    node: FieldNode | None = None
    is_all: bool = False


class Operation:
    """One operation of a valid document, read once. plans: what the engine made of it. costs: by variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) -> None:
        root = schema.get_root_type(node.operation)
        assert root is not None, "validation lets no operation pass that the schema has no root for"
        reading = _OperationReader(schema, document)
        self.node = node
        self.plans = Plans()
        self.costs: dict[bytes, int] = {}
        self._parts = reading.parts(root, node.selection_set, _Around())
        self.part_count = reading.count
        is_kept = node.operation is OperationType.QUERY
        self.lifetime = Lifetime(min(reading.ages, default=0), frozenset(reading.tags)) if is_kept else Lifetime(0)

    @property
    def is_subscription(self) -> bool:
        """Whether it goes on after its first answer."""
        return self.node.operation is OperationType.SUBSCRIPTION

    def cost(self, variables: VariableValues) -> int:
        """Return what it costs, at least 1; fragments count wherever they are spread. variables: coerced."""
        return max(1, _Counter(variables).sum(self._parts))


def field_weight(field: GraphQLField) -> int:
    """Return what one value of the field costs, without what is selected inside it."""
    told: int | None = annotation(field.ast_node, "cost").get("weight")
    if told is not None:
        return told
    # Whoever waits for something does work, of which a scalar tells nothing.
    return int(not is_leaf_type(get_named_type(field.type)) or iscoroutinefunction(batch_resolver(field)))


class _OperationReader:
    """Reads the selections of an operation; ages, tags and count are those of all fields read so far."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.ages: list[int] = []
        self.tags: set[str] = set()
        self.count = 0
        self._schema = schema
        self._fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        # What is inside a fragment depends on the field around it only through the sizes of the lists directly inside.
        self._known: dict[tuple[str, int, bool], Sequence[_Part]] = {}

    def parts(
        self, parent: GraphQLCompositeType, selections: SelectionSetNode | None, around: _Around
    ) -> Sequence[_Part]:
        """Return what is selected of one object."""
        found: list[_Part] = []
        self.count += 1 if selections is None else len(selections.selections)
        for part in selections.selections if selections is not None else ():
            if isinstance(part, FieldNode):
                found.append(self._field(parent, part, around))
            elif isinstance(part, InlineFragmentNode):
                named = part.type_condition.name.value if part.type_condition else parent.name
                found += self.parts(self._type(named), part.selection_set, around)
            elif isinstance(part, FragmentSpreadNode):
                found.append(_Part(0, self._fragment(part.name.value, around)))
        return found

    def _fragment(self, name: str, around: _Around) -> Sequence[_Part]:
        key = name, id(around.node), around.is_all
        if key not in self._known:
            fragment = self._fragments[name]
            named = fragment.type_condition.name.value
            self._known[key] = self.parts(self._type(named), fragment.selection_set, around)
        return self._known[key]

    def _type(self, name: str) -> GraphQLCompositeType:
        return cast(GraphQLCompositeType, self._schema.type_map[name])

    def _field(self, parent: GraphQLCompositeType, node: FieldNode, around: _Around) -> _Part:
        if node.name.value == "__typename":
            return _Part(1)
        field = self._schema.get_field(parent, node.name.value)
        assert field is not None, "validation lets no unknown field pass"
        named = get_named_type(field.type)
        self._note_life(field, is_root=around.node is None)
        count, sizes, is_all = self._size(parent, field, node, around)
        inside: Sequence[_Part] = ()
        if is_composite_type(named):
            inside = self.parts(named, node.selection_set, _Around(field, node, is_all))
        return _Part(field_weight(field), inside, count, sizes)

    def _note_life(self, field: GraphQLField, *, is_root: bool) -> None:
        told = annotation(field.ast_node, "cacheControl")
        named = get_named_type(field.type)
        if not told and is_composite_type(named):
            told = annotation(named.ast_node, "cacheControl")
        elif not told and not is_root:
            return
        self.ages.append(told.get("maxAge", 0))
        self.tags.update(told.get("tags", ()))

    def _size(
        self, parent: GraphQLCompositeType, field: GraphQLField, node: FieldNode, around: _Around
    ) -> tuple[int, Sequence[_SizeArguments], bool]:
        if not is_list_type(field.type.of_type if is_non_null_type(field.type) else field.type):
            return 1, (), False
        described = SchemaSizes.of(self._schema).size(parent.name, node.name.value, is_all=around.is_all)
        if described is not None:
            # The fields of all types are all fields; the types of all fields are any types.
            is_all = get_named_type(field.type).name != "__Type" and around.is_all
            return described, (), is_all or parent.name == "__Schema"
        told = annotation(field.ast_node, "listSize")
        # A list that `first` sizes may be asked for from its end.
        names = {"first": ("first", "last")}.get(told.get("argument", ""), (told.get("argument", ""),))
        sizes = [
            _SizeArguments(known.field, known.node, [name for name in names if name in known.field.args])
            for known in (_Around(field, node), around)
            if known.field is not None and known.node is not None
        ]
        return told.get("assumed", ASSUMED_SIZE), sizes, False


class _Counter:
    """Sums up with the variables of one request."""

    def __init__(self, variables: VariableValues) -> None:
        self._variables = variables
        # Those of a fragment are summed once, wherever it is spread.
        self._known: dict[int, int] = {}
        self._arguments: dict[int, Mapping[str, Any]] = {}

    def sum(self, parts: Sequence[_Part]) -> int:
        """Return what the parts cost together."""
        total = self._known.get(id(parts))
        if total is None:
            total = sum((part.weight + self.sum(part.inside)) * self._count(part) for part in parts)
            self._known[id(parts)] = total
        return total

    def _count(self, part: _Part) -> int:
        for size in part.sizes:
            given = self._values(size.field, size.node) if size.names else {}
            values = [given.get(size.field.args[name].out_name or name) for name in size.names]
            found = [len(one) if isinstance(one, list) else one for one in values if isinstance(one, list | int)]
            if found:
                return min(max(*found, 1), MAX_SIZE)
        return part.count

    def _values(self, field: GraphQLField, node: FieldNode) -> Mapping[str, Any]:
        if id(node) not in self._arguments:
            try:
                self._arguments[id(node)] = get_argument_values(field, node, self._variables)
            except GraphQLError:
                # The same error keeps the field from being resolved.
                self._arguments[id(node)] = {}
        return self._arguments[id(node)]
