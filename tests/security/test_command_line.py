"""Odd arguments of commands get a sentence; every number of every command has both bounds, or is named here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from killreport.cli.main import app
from killreport.errors import Refused
from killreport.ids import MAX_ID

DIGITS = "9" * 5_000


def numbers(command: Any, context: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every parameter of every command that takes whole numbers, with the command's name."""
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from numbers(command.get_command(context, name), context, f"{path} {name}")
    for parameter in command.params:
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None and "int" in str(descriptor.annotation):
            yield f"{path.strip()} {parameter.name}", parameter


def test_every_number_of_every_command_is_bounded() -> None:
    command = get_command(app)
    context = command.make_context("killreport", ["--help"], resilient_parsing=True)
    found = dict(numbers(command, context))
    assert len(found) > 10
    unbounded = [name for name, one in found.items() if one.max is None or one.min is None or one.max > MAX_ID]
    assert unbounded == []


@pytest.mark.parametrize(
    ("since", "sentence"),
    [
        (f"{DIGITS}h", "is neither a span"),
        ("²h", "is neither a span"),
        ("99999999999d", "lies outside the calendar"),
        ("9999-12-31T23:59:59-14:00", "lies outside the calendar"),
        ("0001-01-01T00:00:00+14:00", "lies outside the calendar"),
        ("2021-02-30", "is neither a span"),
        ("\udcff", "is neither a span"),
    ],
)
def test_an_odd_time_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, since: str, sentence: str
) -> None:
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path))
    refused = CliRunner().invoke(app, ["logs", "--since", since]).exception
    assert isinstance(refused, Refused)
    assert sentence in str(refused)
    assert len(str(refused)) < 200
