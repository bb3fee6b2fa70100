"""What strangers wrote is shown on an operator's terminal and never obeyed: no verb prints an order of theirs."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from killreport.cli.main import app, status_of
from killreport.db.database import Database
from killreport.killmail.stored.quarantine import Reject, save_rejects
from killreport.logs import configure_logging
from killreport.terminal import in_lines, printable, written_out

# Writes to the clipboard, moves the cursor, sets the title, in 7 and in 8 bits; turns the direction of reading.
ORDERS = "\x1b]52;c;ZXZpbA==\x07 \x1b[2J\x1b[1;1H \x9b2J \x9d0;x\x9c \x1bP q\x1b\\ \r\x08\x7f \u202e \u2066"
BODY = ORDERS.encode() + b'\n{"killmail_id": 1}\n\x1b[31m\x00\xff'


def is_obeyed(text: str) -> bool:
    return any(not (sign.isprintable() or sign in "\n\t") for sign in text)


@pytest.fixture
async def hostile(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database in which everything that strangers can write holds orders."""
    async with database.connection() as connection:
        await save_rejects(connection, [Reject("r2z2", f"r2z2 {ORDERS}", f"bad {ORDERS}", f"$.{ORDERS}", BODY)])
        await connection.execute(
            "insert into dead_letter (queue, priority, attempts, reason, published_at, body) "
            "values ('esi_type_info_queue', 0, 1, $1, now(), $2)",
            ORDERS,
            BODY,
        )
        await connection.execute(
            "insert into queue_message (queue, priority, body) values ('esi_type_info_queue', 0, $1)", BODY
        )
        await connection.execute("update static_data set source = $1", ORDERS)
    monkeypatch.setenv("KILLREPORT_DATABASE_URL", database.url)
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path))
    monkeypatch.delenv("KILLREPORT_BROKER_URL", raising=False)
    return database


async def run(*arguments: str) -> Result:
    # A thread of its own: a command begins an event loop.
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        ("quarantine", "list"),
        ("quarantine", "list", "--json"),
        ("quarantine", "show", "1"),
        ("quarantine", "show", "1", "--json"),
        ("queue", "dead", "list"),
        ("queue", "dead", "list", "--json"),
        ("queue", "peek", "esi_type_info_queue"),
        ("queue", "peek", "esi_type_info_queue", "--json"),
        ("sde", "status"),
        ("sde", "status", "--json"),
    ],
    ids=" ".join,
)
async def test_what_is_stored_is_printed_as_signs(hostile: Database, arguments: tuple[str, ...]) -> None:
    result = await run(*arguments)

    assert result.exit_code == 0, result.output
    assert "52;c;ZXZpbA==" in result.output or "52;c;ZXZpbA" in result.output.replace("\n", "")
    assert not is_obeyed(result.output)


async def test_a_body_is_shown_in_its_lines_with_what_is_not_shown_written_out(hostile: Database) -> None:
    result = await run("quarantine", "show", "1")

    assert '\n{"killmail_id": 1}\n\\x1b[31m\\x00\\xff' in result.output


@pytest.mark.parametrize("arguments", [("import", ORDERS), ("quarantine", "show", ORDERS), (ORDERS,), ("logs", ORDERS)])
def test_errors_repeat_nothing_that_is_obeyed(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path))

    assert status_of(list(arguments)) != 0

    assert not is_obeyed(capsys.readouterr().err)


def test_a_line_of_the_log_on_a_terminal_is_plain_but_for_our_colours(
    monkeypatch: pytest.MonkeyPatch, logging_as_before: None
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("info", "text")

    structlog.get_logger().warning("feed_trouble", reason=ORDERS)

    assert "\x1b]" not in written.getvalue()
    assert "\x9b" not in written.getvalue()
    assert "\x1b[2J" not in written.getvalue()


@pytest.mark.parametrize("text", ["", "plain", "Ærø 漢字 é", "tab\tstays"])
def test_text_that_is_shown_stays_as_it_is(text: str) -> None:
    assert printable(text) == written_out(text) == in_lines(text) == text
