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
from graphql.pyutils import inspect

# Returns the completed column, or None where its values have to be looked at one by one.
QuickColumn = Callable[[Sequence[Any]], Sequence[Any] | None]

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
    completed = leaf.coerce_output_value(value)
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
        if any(issubclass(kind, BaseException) for kind in set(map(type, column))):
            return None
        has_none = None in column
        if has_none and non_null:
            return None
        try:
            done = [None if value is None else serialise(value) for value in column]
        except (GraphQLError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError):
            return None
        return done if done.count(None) == (column.count(None) if has_none else 0) and Undefined not in done else None

    return quick
