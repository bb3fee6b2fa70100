"""From what was had for a field down to its leaves and to the batches of objects of which something is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, is_abstract_type, located_error
from graphql.pyutils import inspect, is_iterable

from killreport.api.engine.answer_cache import AnswerCache, Immutable
from killreport.api.engine.columns import Batch, Column, CompletedColumn, ListColumn, Objects, RunErrors, Sifted
from killreport.api.engine.leaves import complete_leaf
from killreport.api.engine.places import Items, Kept, Places, Under
from killreport.api.engine.plan import FieldPlan, Selection, Shape

# (field, abstract type, values, what takes the names): the names may come later.
NameTypes = Callable[[FieldPlan, Any, Sequence[Any], Callable[[Sequence[Any]], None]], None]


class Descent:
    """Completes columns of one run; `ready` gathers the batches whose fields are still to be had.

    answers: those of immutable objects, None to work everything out.
    """

    def __init__(self, faults: RunErrors, name_types: NameTypes, answers: AnswerCache | None) -> None:
        self.ready: list[Batch] = []
        self._faults = faults
        self._name_types = name_types
        self._answers = answers

    def read(self, batch: Batch, position: int, field: FieldPlan) -> None:
        """Complete a field that is an attribute of its parents."""
        parents = batch.parents
        if field.name == "__typename":
            batch.columns[position] = CompletedColumn([field.parent.name] * len(parents))
            return
        try:
            column = list(map(field.read, parents))
        except Exception:
            column = [_read(field.read, parent) for parent in parents]
        quick = field.shape.quick
        done = None if quick is None else quick(column)
        batch.columns[position] = (
            self.complete(field, field.shape, column, Under(batch.places, field.key))
            if done is None
            else CompletedColumn(done)
        )

    def complete(self, field: FieldPlan, shape: Shape, column: Sequence[Any], places: Places) -> Column:
        """Return the completed column of what was had for a field, or will be completed by the batches it made."""
        if shape.quick is not None:
            quick = shape.quick(column)
            if quick is not None:
                return CompletedColumn(quick)
        kinds = set(map(type, column))
        is_sound = shape.leaf is None and not any(issubclass(kind, Exception) for kind in kinds)
        if is_sound and NoneType not in kinds:
            return self._descend(field, shape, column, places)
        if is_sound and not shape.non_null:
            settled: list[Any] = [None] * len(column)
            live = [index for index, value in enumerate(column) if value is not None]
        else:
            settled, live = self._sift(field, shape, column, places)
        if not live:
            return CompletedColumn(settled)
        below = self._descend(field, shape, [column[index] for index in live], Kept(places, live))
        return Sifted(settled, live, below)

    def _sift(
        self, field: FieldPlan, shape: Shape, column: Sequence[Any], places: Places
    ) -> tuple[list[Any], list[int]]:
        """Return what is settled about each value, and the indexes of those that are not."""
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
        return settled, live

    def _descend(self, field: FieldPlan, shape: Shape, values: Sequence[Any], places: Places) -> Column:
        """Return the column of values that are neither null nor errors nor leaves."""
        if shape.inner is not None:
            return self._descend_lists(field, shape, values, places)
        if is_abstract_type(shape.named):
            return self._descend_abstract(field, shape, values, places)
        selection = field.selection(shape.named)
        if self._answers is not None and values and isinstance(values[0], Immutable) and selection.is_plain:
            kept = self._kept(self._answers, selection, values)
            if kept is not None:
                return CompletedColumn(kept)
        batch = Batch(selection, values, places)
        self.ready.append(batch)
        return Objects([None] * len(values), [(range(len(values)), batch)], shape, places)

    @staticmethod
    def _kept(answers: AnswerCache, selection: Selection, values: Sequence[Any]) -> Sequence[Any] | None:
        if all(issubclass(kind, Immutable) for kind in set(map(type, values))):
            return answers.find(selection, values, _settle)
        return None

    def _descend_lists(self, field: FieldPlan, shape: Shape, values: Sequence[Any], places: Places) -> Column:
        assert shape.inner is not None
        if not set(map(type, values)) <= {list, tuple}:
            values = [_as_list(value, field) for value in values]
            if any(isinstance(value, GraphQLError) for value in values):
                return self.complete(field, shape, values, places)
        lengths = [len(value) for value in values]
        items = [item for value in values for item in value]
        return ListColumn(lengths, self.complete(field, shape.inner, items, Items(places, lengths)), shape, places)

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


def _settle(selection: Selection, values: Sequence[Any]) -> Sequence[Any] | None:
    """Return the objects of a selection that asks for attributes only; None where one has an error."""
    faults = RunErrors()
    descent = Descent(faults, _name_nothing, None)
    root = Batch(selection, values, Places())
    descent.ready.append(root)
    while descent.ready:
        batch = descent.ready.pop()
        for position, field in enumerate(batch.selection.fields):
            descent.read(batch, position, field)
    rows = root.rows(faults)
    return None if faults.has_failed or faults.errors() else rows


def _name_nothing(_field: FieldPlan, abstract: Any, _values: Sequence[Any], _take: Callable[..., None]) -> None:
    raise AssertionError(f"{abstract} is no attribute that is plain")


def _read(read: Callable[[Any], Any], parent: Any) -> Any:
    try:
        return read(parent)
    except Exception as error:
        return error


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
