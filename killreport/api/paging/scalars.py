"""The scalars of the schema: instants, days, ISK, and whole numbers of 64 bits, which every id is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, IntValueNode, StringValueNode, ValueNode

from killreport.clock import FIRST_DAY, LAST_DAY
from killreport.ids import MAX_ID, read_whole

# Beyond it JavaScript and many others read a JSON number as its neighbour.
_LAST_EXACT = 2**53
# A refused value is told again only so far.
_SHOWN = 40


def isk_text(cents: int) -> str:
    """Return hundredths of an ISK as a decimal string with two places: 123 is `1.23`, -5 is `-0.05`."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d}"


def instant_text(instant: datetime) -> str:
    """Return an aware instant as ISO 8601 in UTC, with `Z`; fractions of a second only where there are any."""
    # Ten times as fast as `isoformat`, which took a fortieth of a list's time.
    text: str = msgspec.to_builtins(instant.astimezone(UTC))
    return text


def id_value(number: int) -> int | str:
    """Return the number as JSON has it: a number while everybody reads it exactly, beyond 2^53 its digits as text.

    Raises TypeError or ValueError for what is no whole number of 64 bits.
    """
    if number.__class__ is not int or not -MAX_ID <= number <= MAX_ID:
        raise ValueError(f"ID64 cannot be {_shown(number)}")
    return number if -_LAST_EXACT <= number <= _LAST_EXACT else str(number)


def _read_id(value: Any) -> int:
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str):
        number = read_whole(value)
    if number is None or not 0 <= number <= MAX_ID:
        raise GraphQLError(f"ID64 must be a whole number from 0 to {MAX_ID}, not {_shown(value)}.")
    return number


def _read_id_literal(node: ValueNode) -> int:
    if not isinstance(node, IntValueNode | StringValueNode):
        raise GraphQLError("ID64 must be written as a whole number.", node)
    number = read_whole(node.value)
    if number is None:
        raise GraphQLError(f"ID64 must be a whole number from 0 to {MAX_ID}, not {_shown(node.value)}.", node)
    return number


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _read_day(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"Date must be a day such as 2026-11-23, not {_shown(value)}.") from None
    if day.isoformat() != value:
        raise GraphQLError(f"Date must be a day such as 2026-11-23, not {_shown(value)}.")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise GraphQLError(f"Date must lie from {FIRST_DAY} to {LAST_DAY}, not on {day}.")
    return day


def bind_scalars(schema: GraphQLSchema) -> None:
    """Have the schema's own scalars read and written by the functions of this module."""
    day, instant, isk, id64 = (_scalar(schema, name) for name in ("Date", "DateTime", "Isk", "ID64"))
    day.coerce_output_value, day.coerce_input_value = date.isoformat, _read_day
    instant.coerce_output_value = instant_text
    isk.coerce_output_value = isk_text
    id64.coerce_output_value, id64.coerce_input_value = id_value, _read_id
    id64.coerce_input_literal = _read_id_literal


def _scalar(schema: GraphQLSchema, name: str) -> GraphQLScalarType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLScalarType)
    return found
