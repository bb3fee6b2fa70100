"""The root of the command line: what it imports, and how errors leave it."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
import typer

from killreport.cli import main as root
from killreport.errors import BadSetting, Conflict


def _run(*arguments: str, home: str = "/nonexistent", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "killreport", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "KILLREPORT_HOME": home, **environment},
    )


def _status_of_raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail() -> None:
        raise error

    single = typer.Typer(add_completion=False)
    single.command()(fail)
    monkeypatch.setattr(root, "app", single)
    monkeypatch.setenv("KILLREPORT_HOME", "/nonexistent")
    return root.status_of([])


def test_help_imports_no_command_and_no_driver() -> None:
    code = (
        "import sys; from killreport.cli.main import status_of; status_of(['--help']);"
        "bad = [n for n in ('asyncpg', 'uvicorn', 'aiohttp', 'rich', 'pydantic', 'killreport.cli.processes.demo')"
        " if n in sys.modules];"
        "sys.exit(' '.join(bad) or 0)"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")


def test_help_names_every_command_of_the_table_that_is_for_people() -> None:
    lines = _run("--help").stdout.splitlines()
    named = [row.name for row in root.COMMANDS if any(line.startswith(f"  {row.name} ") for line in lines)]

    assert named == [row.name for row in root.COMMANDS if not row.is_hidden]


@pytest.mark.parametrize("row", root.COMMANDS, ids=lambda row: row.name)
def test_every_command_of_the_table_can_be_loaded(row: root.CommandRow) -> None:
    command = root.load_command(row)

    assert command.name == row.name
    assert hasattr(command, "commands") == (row.kind == "group")


def test_a_mistyped_command_is_refused_with_what_may_have_been_meant() -> None:
    result = _run("rum")

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "Error: No such command 'rum'. Did you mean 'run'?"


def test_a_mistyped_process_is_refused_with_what_may_have_been_meant() -> None:
    result = _run("run", "worker-redisk")

    assert (result.returncode, result.stdout, result.stderr) == (
        1,
        "",
        "killreport: There is no process called worker-redisk; did you mean worker-redisq?\n",
    )


def test_a_bad_setting_stops_the_start_with_status_two() -> None:
    result = _run("run", "worker-redisq", KILLREPORT_API_PORT="no")

    assert result.returncode == 2
    assert result.stderr == (
        "killreport: KILLREPORT_API_PORT (from environment) cannot be used: "
        "Input should be a valid integer, unable to parse string as an integer.\n"
    )


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (Conflict("The port is taken."), 1, "The port is taken."),
        (BadSetting("The port is no number."), 2, "The port is no number."),
        (ExceptionGroup("one", [Conflict("The port is taken.")]), 1, "The port is taken."),
        (ExceptionGroup("many", [Conflict("The port is taken."), Conflict("So it ended.")]), 1, "The port is taken."),
        (PermissionError(13, "Permission denied", "/x"), 1, "Permission denied: /x"),
        (ConnectionRefusedError(111, "Connection refused"), 1, "Connection refused."),
    ],
)
def test_an_error_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
    sentence: str,
) -> None:
    assert _status_of_raising(monkeypatch, error) == status
    assert capsys.readouterr() == ("", f"killreport: {sentence}\n")


def test_an_error_nobody_expected_is_one_sentence_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _status_of_raising(monkeypatch, ZeroDivisionError("division by zero")) == 1
    assert capsys.readouterr().err == (
        "killreport: An error nobody expected: ZeroDivisionError: division by zero. "
        "KILLREPORT_LOG_LEVEL=debug shows where it happened.\n"
    )


def test_a_traceback_is_shown_on_request_before_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KILLREPORT_LOG_LEVEL", "debug")

    assert _status_of_raising(monkeypatch, Conflict("The port is taken.")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "killreport: The port is taken."


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), asyncio.CancelledError()], ids=["ctrl-c", "second signal"])
def test_who_is_told_to_stop_ends_with_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stopped: BaseException
) -> None:
    assert _status_of_raising(monkeypatch, stopped) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m killreport config show | head -n 1; exit ${{PIPESTATUS[0]}}"

    result = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "KILLREPORT_HOME": "/nonexistent"},
    )

    assert result.stdout == "KILLREPORT_HOME = /nonexistent  [environment]\n"
    assert result.stderr == ""


@pytest.mark.parametrize("row", [row for row in root.COMMANDS if not row.is_hidden], ids=lambda row: row.name)
def test_examples_stand_in_lines_of_their_own_at_the_end_of_a_help(row: root.CommandRow) -> None:
    waiting = [root.load_command(row)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        said, _, shown = (command.help or "").partition("\b\n")
        assert "Example" not in said
        assert all(line.startswith("  ") for line in shown.splitlines()[1:])
        assert not shown or "killreport " in shown
