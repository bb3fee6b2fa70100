"""How messages and instants look at the terminal and in JSON."""

from __future__ import annotations

import base64
from datetime import datetime

from rich.console import Console
from rich.table import Table

from killreport.terminal import written_out

PIPED_WIDTH = 400
SHOWN_LENGTH = 200


def console_of_output() -> Console:
    """Return what prints to stdout, as wide as the terminal; piped, so wide that each row has a line of its own."""
    console = Console()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def print_table(table: Table | str) -> None:
    """Print a table as wide as the terminal; piped, with a line for each row, for grep and less -S."""
    console_of_output().print(table, markup=False, highlight=False)


def shown(body: bytes) -> str:
    """Return the beginning of a body in a line that cannot move the cursor, whatever the body holds."""
    text = body[:SHOWN_LENGTH].decode("utf-8", "backslashreplace")
    line = written_out(text)
    return f"{line}… ({len(body)} bytes)" if len(body) > SHOWN_LENGTH else line


def body_fields(body: bytes) -> dict[str, str]:
    """Return a body for JSON: readable, and exact."""
    return {"body": body.decode("utf-8", "backslashreplace"), "body_base64": base64.b64encode(body).decode()}


def instant(at: datetime | None) -> str | None:
    """Return an instant in ISO 8601 to the second."""
    return None if at is None else at.isoformat(timespec="seconds")
