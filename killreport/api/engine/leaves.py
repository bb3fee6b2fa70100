"""Completing whole columns of leaves: a column that is plainly of its type is taken as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from types import NoneType
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import UndefinedType, inspect

# Returns the completed column, or None where its values have to be looked at one by one.
QuickColumn = Callable[[Sequence[Any]], Sequence[Any] | None]

_UNFIT = {NoneType, UndefinedType}
_PLAIN: dict[GraphQLLeafType, type] = {
    GraphQLString: str,
    GraphQLID: str,
    GraphQLBoolean: bool,
    GraphQLInt: int,
    GraphQLFloat: float,
}


def quick_column(leaf: GraphQLLeafType, non_null: bool) -> QuickColumn:
    """Return a function that completes a column of the type if nothing in it is unusual."""
    plain = _PLAIN.get(leaf)
    if plain is None:
        return _serialising(leaf, non_null)
    wanted = ({plain},) if non_null else ({plain}, {plain, NoneType}, {NoneType})
    within = {int: _within_int, float: _within_float}.get(plain, _anything)

    def quick(column: Sequence[Any]) -> Sequence[Any] | None:
        kinds = set(map(type, column))
        return column if (kinds in wanted and within(column)) or not kinds else None

    return quick


def complete_leaf(leaf: GraphQLLeafType, value: Any) -> Any:
    """Return one value that is not None as it goes into the answer. Raises what the type raises for a wrong one."""
    try:
        completed = leaf.coerce_output_value(value)
    except GraphQLError as error:
        # What is stored does not fit the schema: a fault of ours, and none of the query's as this error would say.
        raise ValueError(error.message) from error
    if completed is None or completed is Undefined:
        raise TypeError(
            f"Expected `{inspect(leaf)}.coerce_output_value({inspect(value)})`"
            f" to return non-nullable value, returned: {inspect(completed)}"
        )
    return completed


def _anything(_column: Sequence[Any]) -> bool:
    return True


def _within_int(column: Sequence[int | None]) -> bool:
    numbers = [number for number in column if number is not None]
    return not numbers or (min(numbers) >= GRAPHQL_MIN_INT and max(numbers) <= GRAPHQL_MAX_INT)


def _within_float(column: Sequence[float | None]) -> bool:
    return all(number is None or isfinite(number) for number in column)


def _serialising(leaf: GraphQLLeafType, non_null: bool) -> QuickColumn:
    serialise: Callable[[Any], Any] = leaf.coerce_output_value
    if isinstance(leaf, GraphQLEnumType):
        serialise = {option.value: name for name, option in leaf.values.items()}.__getitem__

    def quick(column: Sequence[Any]) -> Sequence[Any] | None:
        kinds = set(map(type, column))
        has_none = NoneType in kinds
        if (has_none and non_null) or any(issubclass(kind, Exception) for kind in kinds):
            return None
        try:
            if not has_none:
                done = list(map(serialise, column))
                return None if _UNFIT.intersection(map(type, done)) else done
            done = [None if value is None else serialise(value) for value in column]
        except (GraphQLError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError):
            return None
        unfit = done.count(None) != column.count(None) or UndefinedType in set(map(type, done))
        return None if unfit else done

    return quick
