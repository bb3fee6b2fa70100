"""Instants in the database by a clock that may have been ahead: one in the future tells nothing."""

from __future__ import annotations

# Transactions that run side by side see each other's instants by so much too early.
_TOLERANCE = "interval '1 minute'"


def is_recent(column: str, age: str) -> str:
    """Return SQL that tells whether the column's instant is of the last while. age: an interval, as `$2`.

    Null where the column is. An instant in the future is not recent: what depends on it would stand still until then.
    """
    return f"{column} between clock_timestamp() - {age}::interval and clock_timestamp() + {_TOLERANCE}"
