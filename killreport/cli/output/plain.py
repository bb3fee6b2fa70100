"""How commands tell what came of them: in a sentence, in lines of fields, or in JSON."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import typer
from rich.console import Console

from killreport.errors import Conflict
from killreport.terminal import printable, written_out

PIPED_WIDTH = 400
SHOWN_LENGTH = 200
_NAME_WIDTH = 22


def console_of_output() -> Console:
    """Return what prints to stdout, as wide as the terminal; piped, so wide that each row has a line of its own."""
    console = Console()
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console


def print_answer(body: Any, text: str, *, as_json: bool) -> None:
    """Print the body as JSON where that is wanted, else the text."""
    print(json.dumps(msgspec.to_builtins(body)) if as_json else text)


def print_fields(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what is known of one thing: an object, or a line for each field."""
    lines = (f"{name + ':':{_NAME_WIDTH}}{_shown(value)}".rstrip() for name, value in fields.items())
    print_answer(fields, "\n".join(lines), as_json=as_json)


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless `yes`. Raises Abort where it is not wanted, Conflict where nobody sits there who says so."""
    if yes:
        return
    try:
        typer.confirm(question, abort=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise Conflict("It was not confirmed, and nothing was done: --yes does it without asking.") from None


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


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case dict():
            return " ".join(f"{name}={printable(str(text))}" for name, text in value.items())
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
    return printable(str(value))
