"""Columns on their way back up: values completed below are put into lists and objects, and nulls bubble."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol

from graphql import GraphQLError

from killreport.api.engine.places import Path, Places
from killreport.api.engine.plan import Selection, Shape


class Failed:
    """Stands for a value that may not be null and has none; whatever holds it fails with it, up to what may be null."""

    __slots__ = ("error",)

    def __init__(self, error: GraphQLError) -> None:
        self.error = error


class RunErrors:
    """The errors of one run."""

    def __init__(self) -> None:
        # While nothing has failed no column needs to be searched for failures.
        self.has_failed = False
        self._errors: list[GraphQLError] = []
        self._nulled: dict[Path, GraphQLError] = {}

    def fail(self, error: GraphQLError, shape: Shape) -> Failed | None:
        """Return what takes the place of a value that has this error itself."""
        if shape.non_null:
            self.has_failed = True
            return Failed(error)
        self._errors.append(error)
        return None

    def absorb(self, values: Sequence[Any], shape: Shape, places: Places) -> Sequence[Any]:
        """Return the values, null where one failed and may be null."""
        if not self.has_failed or shape.non_null:
            return values
        absorbed = list(values)
        for index, value in enumerate(values):
            if isinstance(value, Failed):
                absorbed[index] = None
                self.null(value, places.path(index))
        return absorbed

    def null(self, failed: Failed, path: Path) -> None:
        """Note the error that made the value at this path null."""
        self._errors.append(failed.error)
        self._nulled[path] = failed.error

    def errors(self) -> list[GraphQLError]:
        """Return the errors in the order of their paths; below a null that bubbled only the one that made it."""
        kept = [error for error in self._errors if not self._is_below_another(error)]
        return sorted(kept, key=lambda error: error.path or [])

    def _is_below_another(self, error: GraphQLError) -> bool:
        path = tuple(error.path or ())
        causes = (self._nulled.get(path[:length]) for length in range(len(path) + 1))
        return any(cause is not None and cause is not error for cause in causes)


class Column(Protocol):
    """Values that are complete, or will be once everything below them is."""

    def assemble(self, faults: RunErrors) -> Sequence[Any]:
        """Return the values: None, Failed, or what goes into the answer."""


class CompletedColumn:
    """Values that are complete."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values

    def assemble(self, _faults: RunErrors) -> Sequence[Any]:
        """Return the values."""
        return self._values


class Sifted:
    """A column some of whose values are null or failed at once; the others are complete later."""

    def __init__(self, settled: list[Any], indexes: list[int], live: Column) -> None:
        self._settled = settled
        self._indexes = indexes
        self._live = live

    def assemble(self, faults: RunErrors) -> Sequence[Any]:
        """Return all values in their places."""
        for index, value in zip(self._indexes, self._live.assemble(faults), strict=True):
            self._settled[index] = value
        return self._settled


class ListColumn:
    """Lists whose items are one column."""

    def __init__(self, lengths: list[int], items: Column, shape: Shape, places: Places) -> None:
        self._lengths = lengths
        self._items = items
        self._shape = shape
        self._places = places

    def assemble(self, faults: RunErrors) -> Sequence[Any]:
        """Return the lists; one that holds a failed item has failed itself."""
        items = iter(self._items.assemble(faults))
        lists: list[Any] = [list(islice(items, length)) for length in self._lengths]
        if faults.has_failed:
            lists = [_first_failed(values) or values for values in lists]
        return faults.absorb(lists, self._shape, self._places)


class Batch:
    """Objects of one type of which the same is asked."""

    def __init__(self, selection: Selection, parents: Sequence[Any], places: Places) -> None:
        self.selection = selection
        self.parents = parents
        self.places = places
        self.columns: list[Column] = [CompletedColumn(())] * len(selection.fields)

    def rows(self, faults: RunErrors) -> Sequence[Any]:
        """Return the objects; one with a failed field has failed itself."""
        keys, make_objects = self.selection.keys, self.selection.make_objects
        if make_objects is None:
            return [{} for _ in self.parents]
        columns = [column.assemble(faults) for column in self.columns]
        if faults.has_failed:
            return [_first_failed(row) or dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
        return make_objects(zip(*columns, strict=True))


class Objects:
    """Objects of one or several types: each batch with the places of its objects in the column."""

    def __init__(
        self, settled: list[Any], batches: list[tuple[Sequence[int], Batch]], shape: Shape, places: Places
    ) -> None:
        self._settled = settled
        self._batches = batches
        self._shape = shape
        self._places = places

    def assemble(self, faults: RunErrors) -> Sequence[Any]:
        """Return the objects in their places, among those that failed before they were asked for anything."""
        values = self._settled
        for indexes, batch in self._batches:
            rows = batch.rows(faults)
            if len(rows) == len(values):
                values = list(rows)
            else:
                for index, row in zip(indexes, rows, strict=True):
                    values[index] = row
        return faults.absorb(values, self._shape, self._places)


def _first_failed(values: Sequence[Any]) -> Failed | None:
    return next((value for value in values if isinstance(value, Failed)), None)
