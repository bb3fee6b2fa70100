"""From what was had for a field down to its leaves and to the batches of objects of which something is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, is_abstract_type, located_error
from graphql.pyutils import inspect, is_iterable

from killreport.api.engine.columns import Batch, Column, Done, Faults, Lists, Objects, Sifted
from killreport.api.engine.leaves import complete_leaf
from killreport.api.engine.places import Items, Kept, Places
from killreport.api.engine.plan import FieldPlan, Shape

# (field, abstract type, values, what takes the names): the names may come later.
NameTypes = Callable[[FieldPlan, Any, Sequence[Any], Callable[[Sequence[Any]], None]], None]


class Descent:
    """Completes columns of one run; `ready` gathers the batches whose fields are still to be had."""

    def __init__(self, faults: Faults, name_types: NameTypes) -> None:
        self.ready: list[Batch] = []
        self._faults = faults
        self._name_types = name_types

    def complete(self, field: FieldPlan, shape: Shape, column: Sequence[Any], places: Places) -> Column:
        """Return the completed column of what was had for a field, or will be completed by the batches it made."""
        if shape.quick is not None:
            quick = shape.quick(column)
            if quick is not None:
                return Done(quick)
        kinds = set(map(type, column))
        if shape.leaf is None and NoneType not in kinds and not any(issubclass(kind, Exception) for kind in kinds):
            return self._descend(field, shape, column, places)
        settled: list[Any] = [None] * len(column)
        live: list[int] = []
        for index, value in enumerate(column):
            try:
                if value is None:
                    settled[index] = self._null(field, shape, places, index)
                elif isinstance(value, Exception):
                    # Not raised: one error of many parents would get a longer traceback with each of them.
                    settled[index] = self._error(field, shape, value, places, index)
                elif shape.leaf is not None:
                    settled[index] = complete_leaf(shape.leaf, value)
                else:
                    live.append(index)
            except Exception as error:
                settled[index] = self._error(field, shape, error, places, index)
        if not live:
            return Done(settled)
        below = self._descend(field, shape, [column[index] for index in live], Kept(places, live))
        return Sifted(settled, live, below)

    def _descend(self, field: FieldPlan, shape: Shape, values: Sequence[Any], places: Places) -> Column:
        """Return the column of values that are neither null nor errors nor leaves."""
        if shape.inner is not None:
            return self._descend_lists(field, shape, values, places)
        if is_abstract_type(shape.named):
            return self._descend_abstract(field, shape, values, places)
        batch = Batch(field.selection(shape.named), values, places)
        self.ready.append(batch)
        return Objects([None] * len(values), [(range(len(values)), batch)], shape, places)

    def _descend_lists(self, field: FieldPlan, shape: Shape, values: Sequence[Any], places: Places) -> Column:
        assert shape.inner is not None
        if not set(map(type, values)) <= {list, tuple}:
            values = [_as_list(value, field) for value in values]
            if any(isinstance(value, GraphQLError) for value in values):
                return self.complete(field, shape, values, places)
        lengths = [len(value) for value in values]
        items = [item for value in values for item in value]
        return Lists(lengths, self.complete(field, shape.inner, items, Items(places, lengths)), shape, places)

    def _descend_abstract(self, field: FieldPlan, shape: Shape, values: Sequence[Any], places: Places) -> Column:
        settled: list[Any] = [None] * len(values)
        batches: list[tuple[Sequence[int], Batch]] = []

        def take(names: Sequence[Any]) -> None:
            groups: dict[GraphQLObjectType, list[int]] = {}
            for index, name in enumerate(names):
                try:
                    runtime_type = _runtime_type(field, shape.named, name, values[index])
                except Exception as error:
                    settled[index] = self._error(field, shape, error, places, index)
                else:
                    groups.setdefault(runtime_type, []).append(index)
            for runtime_type, indexes in groups.items():
                selection = field.selection(runtime_type)
                batch = Batch(selection, [values[index] for index in indexes], Kept(places, indexes))
                batches.append((indexes, batch))
                self.ready.append(batch)

        self._name_types(field, shape.named, values, take)
        return Objects(settled, batches, shape, places)

    def _null(self, field: FieldPlan, shape: Shape, places: Places, index: int) -> Any:
        if not shape.non_null:
            return None
        error = TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.name}.")
        return self._error(field, shape, error, places, index)

    def _error(self, field: FieldPlan, shape: Shape, error: Exception, places: Places, index: int) -> Any:
        return self._faults.fail(located_error(error, field.nodes, list(places.path(index))), shape)


def _as_list(value: Any, field: FieldPlan) -> Sequence[Any] | GraphQLError:
    if isinstance(value, list | tuple):
        return value
    if is_iterable(value):
        return list(value)
    return GraphQLError(f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'.")


def _runtime_type(field: FieldPlan, abstract: Any, name: Any, value: Any) -> GraphQLObjectType:
    """Return the type of this name. Raises GraphQLError where no value of the abstract type can be of it."""
    if isinstance(name, Exception):
        raise name
    if not isinstance(name, str):
        raise GraphQLError(
            f"Abstract type '{abstract}' must resolve to an Object type at runtime for field"
            f" '{field.parent}.{field.name}' with value {inspect(value)}, received '{inspect(name)}'."
        )
    found = field.schema.type_map.get(name)
    if found is None:
        raise GraphQLError(
            f"Abstract type '{abstract}' was resolved to a type '{name}' that does not exist inside the schema."
        )
    if not isinstance(found, GraphQLObjectType) or not field.schema.is_sub_type(abstract, found):
        raise GraphQLError(f"Runtime Object type '{name}' is not a possible type for '{abstract}'.")
    return found
