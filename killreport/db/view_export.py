"""Rows of the views for analysts as CSV or JSON lines, a UTC day after the other.

The server writes the text and this process passes it on in pieces, so memory has a bound however much there is; a day
is one statement, so no snapshot is held for hours. What is stored for a day that was passed already is not in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from killreport.db.analyst import SCHEMA
from killreport.db.database import Connection
from killreport.errors import NotFound

Write = Callable[[bytes], Awaitable[None]]

# The order within a day.
_ORDER = {
    "killmails": "killed_at, killmail_id",
    "attackers": "killed_at, killmail_id, ordinal",
    "items": "killed_at, killmail_id, ordinal",
}
# A spreadsheet takes what begins with these for a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection, read 2026-11-30.
FORMULA_SIGNS = "=+-@\t\r"


class Form(StrEnum):
    """How rows are written. RAW: CSV with PostgreSQL's own text of each value, for a program that knows the types."""

    CSV = "csv"
    JSONL = "jsonl"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view. type: PostgreSQL's name, such as `timestamp with time zone`."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class View:
    """One of the views for analysts with its columns, in order."""

    name: str
    columns: Sequence[ViewColumn]


async def read_view(connection: Connection, name: str) -> View:
    """Return the view as the database has it. Raises NotFound where it has none."""
    rows = await connection.fetch(
        """select attname, format_type(atttypid, atttypmod) from pg_attribute
           where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum""",
        f"{SCHEMA}.{name}",
    )
    if not rows:
        raise NotFound("The database has no views for analysts yet: run killreport db upgrade.")
    return View(name, [ViewColumn(*row) for row in rows])


async def list_days(connection: Connection, first: date | None, last: date | None) -> list[date]:
    """Return the days that have killmails, from `first` to `last`, both included; None: from, or to, where they end."""
    row = await connection.fetchrow(
        """select (min(killmail_time) at time zone 'UTC')::date, (max(killmail_time) at time zone 'UTC')::date
           from killmail"""
    )
    if row[0] is None:
        return []
    begin, end = max(first or row[0], row[0]), min(last or row[1], row[1])
    days = await connection.fetch(
        """select day::date from generate_series($1::date, $2::date, interval '1 day') as days (day)
           where exists (select from killmail where killmail_time >= day at time zone 'UTC'
                                                and killmail_time < (day + interval '1 day') at time zone 'UTC')
           order by day""",
        begin,
        end,
    )
    return [day[0] for day in days]


async def write_days(
    connection: Connection, view: View, days: Sequence[date], form: Form, write: Write
) -> AsyncIterator[int]:
    """Write the rows of the days, and yield the number of each day's rows once they are written."""
    if form is Form.CSV:
        await write((",".join(column.name for column in view.columns) + "\r\n").encode())
    query = _query(view, form)
    # JSON has none of these signs but escaped, so the server leaves its lines as they are.
    options = {"delimiter": "\x02", "quote": "\x01"} if form is Form.JSONL else {}
    for day in days:
        begin = datetime.combine(day, time(), UTC)
        status = await connection.copy_from_query(
            query, begin, begin + timedelta(days=1), output=write, format="csv", **options
        )
        yield int(status.rpartition(" ")[2])


def _query(view: View, form: Form) -> str:
    rows = f"from {SCHEMA}.{view.name} where killed_at >= $1 and killed_at < $2 order by {_ORDER[view.name]}"
    if form is Form.JSONL:
        return f"select row_to_json(found) from (select * {rows}) found"  # noqa: S608 - names of our own
    told = ", ".join(_expression(column, form) for column in view.columns)
    return f"select {told} {rows}"


def _expression(column: ViewColumn, form: Form) -> str:
    name = f'"{column.name}"'
    match column.type:
        case "text[]":
            return f"array_to_string({name}, ' ')"
        case "boolean":
            return f"{name}::text"
        case "text" if form is Form.CSV:
            return f"case when left({name}, 1) in ({_SIGNS}) then '''' || {name} else {name} end"
        case "timestamp with time zone" if form is Form.CSV:
            return f"to_char({name} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        case _:
            return name


_SIGNS = ", ".join(f"chr({ord(sign)})" for sign in FORMULA_SIGNS)
