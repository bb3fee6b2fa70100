"""`killreport queue`, as an operator types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from killreport.db.database import Database
from killreport.fleet.table import QUEUES
from killreport.queueing.embedded import EmbeddedBroker
from tests.integration.queueing.consumers import Recorder, drain

QUEUE = "esi_character_info_queue"
BODY = '{"character_id": 90000001}'


class Terminal:
    """Runs commands with settings of the test's own."""

    def __init__(self, database_url: str, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KILLREPORT_")}
        self._environment = kept | {"KILLREPORT_DATABASE_URL": database_url, "KILLREPORT_HOME": str(home)}

    def run(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """Run `killreport queue …`; return its status, its output and what it said on stderr."""
        command = [sys.executable, "-m", "killreport", "queue", *arguments]
        done = subprocess.run(command, env=self._environment, input=stdin, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def json(self, *arguments: str, stdin: bytes = b"") -> Any:
        """Run it with --json and return what it says; it must succeed."""
        status, output, said = self.run(*arguments, "--json", stdin=stdin)
        assert (status, said) == (0, "")
        return json.loads(output)


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path / "home")


async def test_a_published_message_is_listed_shown_peeked_and_purged(terminal: Terminal) -> None:
    assert terminal.json("publish", QUEUE, BODY, BODY.replace("1}", "2}"), "--priority", "seen") == {"published": 2}

    listed = terminal.json("list")
    assert [found["queue"] for found in listed] == [row.queue for row in QUEUES]
    assert (listed[0]["process"], listed[0]["ready"], listed[1]["ready"]) == ("worker-characters", 2, 0)
    shown = terminal.json("show", QUEUE)
    assert (shown["ready"], shown["dead"], shown["prefetch"], shown["attempts"]) == (2, 0, 10, 12)
    [peeked] = terminal.json("peek", QUEUE, "--limit", "1")
    assert (peeked["body"], peeked["priority"], peeked["attempt"]) == ('{"character_id":90000001}', "seen", 1)
    assert terminal.json("purge", QUEUE, "--yes") == {"purged": 2}
    assert terminal.json("show", QUEUE)["ready"] == 0


async def test_a_body_that_does_not_fit_is_refused_and_with_it_all_of_them(terminal: Terminal) -> None:
    refused = terminal.run("publish", QUEUE, BODY, '{"character_id": "x"}')

    sentence = f"killreport: Body 2 does not fit {QUEUE}: Expected `int`, got `str` at $.character_id\n"
    assert refused == (1, "", sentence)
    assert terminal.json("show", QUEUE)["ready"] == 0


async def test_bodies_come_from_standard_input_and_raw_ones_are_not_looked_at(
    terminal: Terminal, database: Database
) -> None:
    stdin = b'{"character_id": 5}\n\n\xff[bold]garbage\x1b[31m\n'

    assert terminal.json("publish", QUEUE, "-", "--raw", stdin=stdin) == {"published": 2}

    bodies = [waiting.body for waiting in await EmbeddedBroker(database).peek(QUEUE, 9)]
    assert bodies == [b'{"character_id": 5}', b"\xff[bold]garbage\x1b[31m"]
    _, table, _ = terminal.run("peek", QUEUE)
    assert r"\xff[bold]garbage\x1b[31m" in table


async def test_dead_letters_are_listed_with_the_reason_retried_and_dropped(
    terminal: Terminal, database: Database
) -> None:
    broker = EmbeddedBroker(database)
    await broker.publish_bodies(QUEUE, [b"garbage", b"{}"])
    await drain(broker, Recorder(), prefetch=1)

    listed = terminal.json("dead", "list")
    assert [(letter["queue"], letter["body"], letter["attempts"]) for letter in listed] == [
        (QUEUE, "{}", 1),
        (QUEUE, "garbage", 1),
    ]
    assert listed[0]["reason"] == "Malformed: Object missing required field `character_id` at $ (not handed out)"
    assert terminal.json("dead", "list", "esi_type_info_queue") == []
    assert "missing required field" in terminal.run("dead", "list", QUEUE)[1]

    assert terminal.json("dead", "retry", QUEUE, listed[0]["id"]) == {"retried": 1}
    assert terminal.json("show", QUEUE)["ready"] == 1
    assert terminal.json("dead", "drop", QUEUE, "--yes") == {"dropped": 1}
    assert terminal.run("dead", "list") == (0, "There are no dead letters.\n", "")


@pytest.mark.parametrize("command", [("purge", QUEUE), ("dead", "drop", QUEUE)])
async def test_what_cannot_be_undone_is_asked_first(
    terminal: Terminal, database: Database, command: tuple[str, ...]
) -> None:
    broker = EmbeddedBroker(database)
    await broker.publish_bodies(QUEUE, [b"garbage"])
    await drain(broker, Recorder())
    await broker.publish_bodies(QUEUE, [b"{}"])

    status, output, _ = terminal.run(*command, stdin=b"n\n")

    assert (status, "[y/N]" in output) == (1, True)
    counts = await broker.counts(QUEUE)
    assert (counts.ready, counts.dead) == (1, 1)


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("peek",), ("purge", "--yes"), ("publish", BODY), ("dead", "list"), ("dead", "retry")],
    ids=" ".join,
)
def test_a_queue_that_does_not_exist_is_told_in_a_sentence(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    words = [word for word in arguments if word != BODY]
    told = terminal.run(*words, "esi_charakter_info_queue", *(BODY for word in arguments if word == BODY))

    sentence = "There is no queue called esi_charakter_info_queue; did you mean esi_character_info_queue?"
    assert told == (1, "", f"killreport: {sentence}\n")


async def test_the_table_has_a_row_for_each_queue_also_when_piped(terminal: Terminal) -> None:
    status, output, _ = terminal.run("list")

    assert status == 0
    assert [line.split()[0] for line in output.splitlines()[1:]] == [row.queue for row in QUEUES]
