"""The scalars of the schema: instants, days, ISK, and whole numbers beyond 32 bits."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from ariadne import ScalarType
from graphql import GraphQLError, IntValueNode, ValueNode

ID64_MAX = 2**63 - 1


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


def _read_id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ID64_MAX:
        raise GraphQLError(f"ID64 must be a whole number from 0 to {ID64_MAX}, not {value!r}.")
    return value


def _read_id_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> int:
    if not isinstance(node, IntValueNode):
        raise GraphQLError("ID64 must be written as a whole number.", node)
    return _read_id(int(node.value))


def _read_day(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"Date must be a day such as 2026-11-23, not {value!r}.") from None
    if day.isoformat() != value:
        raise GraphQLError(f"Date must be a day such as 2026-11-23, not {value!r}.")
    return day


scalars = [
    ScalarType("Date", serializer=date.isoformat, value_parser=_read_day),
    ScalarType("DateTime", serializer=instant_text),
    ScalarType("Isk", serializer=isk_text),
    ScalarType("ID64", serializer=int, value_parser=_read_id, literal_parser=_read_id_literal),
]
