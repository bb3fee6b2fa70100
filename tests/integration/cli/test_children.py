"""The contract of a process with whoever started it: READY, an end in order, a distinct end of one grown too large."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from killreport.cli.processes.recycling import RECYCLED
from killreport.fleet.table import FLEET
from tests.integration.cli.test_run_command import PATIENCE_SECONDS, _environment, _running
from tests.ports import free_ports

pytestmark = pytest.mark.fleet

RUNNING_FOR_EVER = [row.name for row in FLEET if row.kind != "job"]


class _Feed(BaseHTTPRequestHandler):
    """R2Z2 with a head, and nothing after it."""

    def do_GET(self) -> None:
        is_head = self.path.endswith("/sequence.json")
        self.send_response(200 if is_head else 404)
        self.end_headers()
        if is_head:
            self.wfile.write(json.dumps({"sequence": 1_000}).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the settings of a database of the test's own, a feed that answers, and an ESI that does not."""
    api_port, web_port = free_ports(2)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Feed) as feed:
        serving = threading.Thread(target=feed.serve_forever)
        serving.start()
        try:
            yield _environment(
                tmp_path,
                KILLREPORT_DATABASE_URL=database_url,
                KILLREPORT_API_PORT=str(api_port),
                KILLREPORT_WEB_PORT=str(web_port),
                KILLREPORT_R2Z2_URL=f"http://127.0.0.1:{feed.server_port}",
                KILLREPORT_ESI_URL="http://127.0.0.1:1",
            )
        finally:
            feed.shutdown()
            serving.join()


def _said(manager: socket.socket) -> list[bytes]:
    """Return all that a process said that has ended."""
    manager.setblocking(False)
    words: list[bytes] = []
    with suppress(BlockingIOError):
        while True:
            words.append(manager.recv(100))
    return words


def test_every_service_and_worker_says_ready_and_ends_in_order_when_told(environment: dict[str, str]) -> None:
    with ExitStack() as stack:
        running = {name: stack.enter_context(_running(name, environment)) for name in RUNNING_FOR_EVER}
        ready = {name: manager.recv(100) for name, (_process, manager) in running.items()}
        for process, _manager in running.values():
            process.send_signal(signal.SIGTERM)
        limits = {row.name: row.kill_timeout.total_seconds() for row in FLEET}
        ended = {name: process.wait(limits[name]) for name, (process, _manager) in running.items()}
        said = {name: _said(manager) for name, (_process, manager) in running.items()}

    assert len(running) == 10
    assert set(ready.values()) == {b"READY=1"}
    assert {name for name, words in said.items() if b"STOPPING=1" in words} == set(running)
    assert {name for name, words in said.items() if any(word.startswith(b"STATUS=") for word in words)} >= {
        row.name for row in FLEET if row.queue is not None
    }
    assert set(ended.values()) == {0}


@pytest.mark.parametrize("name", ["killreport-frontend", "worker-types"])
def test_one_that_grew_beyond_its_limit_ends_in_order_with_a_status_of_its_own(
    environment: dict[str, str], name: str
) -> None:
    with _running(name, {**environment, "KILLREPORT_MEMORY_LIMIT_MB": "1"}) as (process, manager):
        status = process.wait(PATIENCE_SECONDS)
        said = manager.recv(100)
        while said == b"READY=1":
            said = manager.recv(100)

    assert (status, said) == (RECYCLED, b"STOPPING=1")


@pytest.mark.parametrize("name", [row.name for row in FLEET if row.is_single])
def test_of_those_there_may_be_one_of_the_second_waits_and_takes_over(environment: dict[str, str], name: str) -> None:
    with _running(name, environment) as (first, first_manager):
        assert first_manager.recv(100) == b"READY=1"
        with _running(name, environment) as (second, second_manager):
            os.kill(first.pid, signal.SIGKILL)
            assert second_manager.recv(100) == b"READY=1"
            assert second.poll() is None
            second.send_signal(signal.SIGTERM)
            assert second.wait(PATIENCE_SECONDS) == 0
