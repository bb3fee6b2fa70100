"""What an operation asks for, worked out once: fields grouped, fragments spread, readers and completers chosen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from graphql import (
    DirectiveNode,
    Executor,
    FieldNode,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    Node,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet, collect_fields, collect_subfields

from killreport.api.engine.leaves import QuickColumn, quick_column
from killreport.api.engine.registry import BatchResolver, batch_resolver, reader

# Of the plans of one operation; that of a field takes 2 kB.
MAX_FIELDS = 2_000


class Shape:
    """A type as a value of it is completed: what may be null, and what is inside."""

    __slots__ = ("inner", "leaf", "named", "non_null", "quick")

    def __init__(self, output_type: Any) -> None:
        self.non_null = isinstance(output_type, GraphQLNonNull)
        self.named: Any = output_type.of_type if self.non_null else output_type
        self.inner = Shape(self.named.of_type) if isinstance(self.named, GraphQLList) else None
        self.leaf: GraphQLLeafType | None = self.named if is_leaf_type(self.named) else None
        self.quick: QuickColumn | None = quick_column(self.leaf, self.non_null) if self.leaf is not None else None


class FieldPlan:
    """One key of an answer's object: how its values are had, and the selections of what they are."""

    def __init__(
        self,
        operation: OperationPlan,
        parent: GraphQLObjectType,
        key: str,
        details: FieldDetailsList,
        above: tuple[str, ...],
    ) -> None:
        operation.field_count += 1
        self.key = key
        self.parent = parent
        self.details = details
        self.nodes: list[FieldNode] = [detail.node for detail in details]
        self.name = self.nodes[0].name.value
        found = operation.schema.get_field(parent, self.name)
        assert found is not None, "validation lets no unknown field pass"
        self.definition: GraphQLField = found
        self.shape = Shape(found.type)
        self.path = (*above, key)
        self.batch: BatchResolver | None = batch_resolver(found)
        # Introspection is resolved by graphql-core's own functions, which take one parent and the schema.
        self.single = found.resolve if self.batch is None else None
        self.read: Callable[[Any], Any] = reader(found, self.name)
        self.is_attribute = self.name == "__typename" or (self.batch is None and self.single is None)
        self.schema = operation.schema
        self._operation = operation
        self._selections: dict[str, Selection] = {}

    @property
    def is_plain(self) -> bool:
        """Whether it is an attribute that is a leaf, or one object of which nothing but such attributes is asked."""
        if not self.is_attribute or self.shape.inner is not None:
            return False
        if self.shape.leaf is not None:
            return True
        return not is_abstract_type(self.shape.named) and self.selection(self.shape.named).is_plain

    def selection(self, runtime_type: GraphQLObjectType) -> Selection:
        """Return what is asked of a value of this type."""
        found = self._selections.get(runtime_type.name)
        if found is None:
            grouped = self._operation.collect_below(runtime_type, self.details)
            found = Selection(self._operation, runtime_type, grouped, self.path)
            self._selections[runtime_type.name] = found
        return found

    def selections(self) -> Iterator[Selection]:
        """Yield the selections of every type that a value may be of."""
        shape = self.shape
        while shape.inner is not None:
            shape = shape.inner
        if is_abstract_type(shape.named):
            yield from map(self.selection, self._operation.schema.get_possible_types(shape.named))
        elif shape.leaf is None:
            yield self.selection(shape.named)

    def find_selected(self, below: tuple[str, ...]) -> frozenset[str]:
        """Return the schema's names of the fields asked for, at the end of these sub-fields' names."""
        fields = [field for selection in self.selections() for field in selection.fields]
        if not below:
            return frozenset(field.name for field in fields)
        deeper = [field.find_selected(below[1:]) for field in fields if field.name == below[0]]
        return frozenset().union(*deeper)


class Selection:
    """What is asked of objects of one type, in the order of the answer."""

    __slots__ = ("__weakref__", "_held", "_is_plain", "fields", "kept", "keys", "make_objects", "of")

    def __init__(
        self, operation: OperationPlan, of: GraphQLObjectType, grouped: GroupedFieldSet, path: tuple[str, ...]
    ) -> None:
        self.of = of
        self.fields = [FieldPlan(operation, of, key, details, path) for key, details in grouped.items()]
        self.keys = tuple(field.key for field in self.fields)
        self.make_objects = object_maker(self.keys) if self.keys else None
        self._is_plain: bool | None = None
        # Answers by the id of their object, which is held, so that an id means what it meant.
        self.kept: dict[int, Any] = {}
        self._held: list[Any] = []

    def keep(self, values: Mapping[int, Any], answers: Mapping[int, Any]) -> None:
        """Keep the answers of objects, both by the objects' ids."""
        self.kept.update(answers)
        self._held.extend(values.values())

    def forget(self) -> None:
        """Keep nothing any more."""
        self.kept.clear()
        self._held.clear()

    @property
    def size(self) -> int:
        """How many fields an answer has, those of the objects in it too; of a plain selection only."""
        return sum(
            1 if field.shape.leaf is not None else field.selection(field.shape.named).size for field in self.fields
        )

    @property
    def is_plain(self) -> bool:
        """Whether the answer hangs on nothing but the attributes of the object, and of the objects it holds."""
        if self._is_plain is None:
            self._is_plain = all(field.is_plain for field in self.fields)
        return self._is_plain


@lru_cache(500)
def object_maker(keys: tuple[str, ...]) -> Callable[[Iterable[Iterable[Any]]], list[dict[str, Any]]]:
    """Return a function that makes an object with these keys of each row of values; there is at least one key.

    It is compiled from the display of a dictionary, which builds one several times as fast as `dict(zip(keys, row))`.
    """
    names = [f"v{place}" for place in range(len(keys))]
    display = ", ".join(f"{key!r}: {name}" for key, name in zip(keys, names, strict=True))
    source = f"lambda rows: [{{{display}}} for {', '.join(names)}, in rows]"
    made: Callable[[Iterable[Iterable[Any]]], list[dict[str, Any]]] = eval(source)  # noqa: S307 - keys are GraphQL names
    return made


class OperationPlan:
    """The plan of one operation, for one set of values of the variables that @skip and @include look at."""

    def __init__(self, executor: Executor[Any], root_type: GraphQLObjectType) -> None:
        # Grows while selections are planned, which is when values of their type are first met.
        self.field_count = 0
        self.schema: GraphQLSchema = executor.schema
        self._operation = executor.operation
        self._fragments = executor.fragments
        # Only what decides about fields is read of them again; everything else is taken from each run's own.
        self._variables = executor.variable_values
        grouped = collect_fields(self.schema, self._fragments, self._variables, root_type, self._operation)
        self.root = Selection(self, root_type, grouped.grouped_field_set, ())
        self.reads_variables_below = self._reads_variables_below()

    def collect_below(self, of: GraphQLObjectType, details: FieldDetailsList) -> GroupedFieldSet:
        """Return the fields that a field's selections ask of a value of this type."""
        return collect_subfields(
            self.schema, self._fragments, self._variables, self._operation, of, details
        ).grouped_field_set

    def _reads_variables_below(self) -> bool:
        """Tell whether the answer hangs on variables otherwise than by the arguments of the root's own fields."""
        below: list[Node] = [part.definition for part in self._fragments.values()]
        below.extend(node.selection_set for field in self.root.fields for node in field.nodes if node.selection_set)
        return any(isinstance(node, VariableNode) for part in below for node in _walk(part))


class Plans:
    """Plans of one operation; whoever remembers the operation holds them."""

    def __init__(self) -> None:
        self._deciding: tuple[str, ...] | None = None
        self._plans: OrderedDict[tuple[Any, ...], OperationPlan] = OrderedDict()

    @property
    def field_count(self) -> int:
        """How many fields the plans have together; grows while they are used."""
        return sum(plan.field_count for plan in self._plans.values())

    def plan(self, executor: Executor[Any], root_type: GraphQLObjectType) -> OperationPlan:
        """Return the plan of the executor's operation, which is always the same one, with its variables."""
        if self._deciding is None:
            fragments = (part.definition for part in executor.fragments.values())
            self._deciding = _deciding_variables(executor.operation, *fragments)
        coerced = executor.variable_values.coerced
        key = tuple(coerced.get(name) for name in self._deciding)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = OperationPlan(executor, root_type)
            while self.field_count > MAX_FIELDS:
                self._plans.popitem(last=False)
        return plan


def _deciding_variables(*definitions: Node) -> tuple[str, ...]:
    """Return the variables that directives in these definitions use."""
    names = {
        argument.value.name.value: None
        for definition in definitions
        for node in _walk(definition)
        if isinstance(node, DirectiveNode)
        for argument in node.arguments or ()
        if isinstance(argument.value, VariableNode)
    }
    return tuple(names)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for key in node.keys:
        value = getattr(node, key, None)
        for child in value if isinstance(value, list | tuple) else (value,):
            if isinstance(child, Node):
                yield from _walk(child)
