"""`killreport run`: READY when it serves, an orderly end when told, and a sentence where it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from killreport.cli.processes.recycling import RECYCLED
from killreport.db.database import Database
from killreport.db.migrate import list_migrations
from tests.ports import free_ports

PATIENCE_SECONDS = 60


def _environment(home: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KILLREPORT_")}
    return {**kept, "KILLREPORT_HOME": str(home), **settings}


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "killreport", "run", name]


def _run(name: str, environment: dict[str, str]) -> tuple[int, str, str]:
    result = subprocess.run(
        _command(name), capture_output=True, text=True, check=False, env=environment, timeout=PATIENCE_SECONDS
    )
    return result.returncode, result.stdout, result.stderr


@contextmanager
def _running(name: str, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """Lend the process and the socket it reports to; whatever happens, the process is gone afterwards."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("")  # an abstract name of the kernel's choice
        manager.settimeout(PATIENCE_SECONDS)
        address = f"@{manager.getsockname()[1:].decode()}"
        process = subprocess.Popen(_command(name), env={**environment, "NOTIFY_SOCKET": address})
        try:
            yield process, manager
        finally:
            process.kill()
            process.wait()


def test_a_process_above_its_memory_limit_ends_in_order_by_itself(tmp_path: Path, database_url: str) -> None:
    [port] = free_ports(1)
    environment = _environment(
        tmp_path, KILLREPORT_API_PORT=str(port), KILLREPORT_DATABASE_URL=database_url, KILLREPORT_LOG_FORMAT="json"
    )
    result = subprocess.run(
        [*_command("killreport-backend"), "--memory-limit", "64"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=PATIENCE_SECONDS,
    )
    assert (result.returncode, '"event": "memory_limit"' in result.stderr) == (RECYCLED, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_says_ready_when_it_serves_and_ends_in_order_when_told(
    tmp_path: Path, number: signal.Signals
) -> None:
    [port] = free_ports(1)
    environment = _environment(tmp_path, KILLREPORT_WEB_PORT=str(port), KILLREPORT_API_URL="http://127.0.0.1:1")

    with _running("killreport-frontend", environment) as (process, manager):
        first = manager.recv(100)
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as browser:
            browser.sendall(b"GET /robots.txt HTTP/1.0\r\n\r\n")
            answer = browser.recv(100)
        second = manager.recv(100)
        process.send_signal(number)
        third = manager.recv(100)
        status = process.wait(PATIENCE_SECONDS)

    assert (first, second, third, status) == (b"READY=1", b"STATUS=serves requests", b"STOPPING=1", 0)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_service_is_heard_of_as_often_as_its_manager_wants(tmp_path: Path) -> None:
    [port] = free_ports(1)
    environment = _environment(tmp_path, KILLREPORT_WEB_PORT=str(port), KILLREPORT_API_URL="http://127.0.0.1:1")

    with _running("killreport-frontend", environment | {"WATCHDOG_USEC": "100000"}) as (process, manager):
        heard = [manager.recv(100) for _ in range(12)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0

    assert heard.count(b"WATCHDOG=1") >= 10
    assert heard[0] == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("name", "setting"),
    [("killreport-backend", "KILLREPORT_API_PORT"), ("killreport-frontend", "KILLREPORT_WEB_PORT")],
)
def test_a_port_in_use_is_told_with_the_setting_that_chooses_it(tmp_path: Path, name: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = _run(name, _environment(tmp_path, **{setting: str(port)}))

    assert told == (1, "", f"killreport: Port {port} is in use on 127.0.0.1; {setting} chooses another.\n")


async def test_a_configured_database_that_is_behind_is_refused_and_left_alone(
    tmp_path: Path, database: Database
) -> None:
    newest = list_migrations()[-1].version
    async with database.connection() as connection:
        await connection.execute("delete from schema_migration where version = $1", newest)

    told = _run("worker-redisq", _environment(tmp_path, KILLREPORT_DATABASE_URL=database.url))

    assert told == (
        1,
        "",
        "killreport: The database is 1 migration behind this release: run killreport db upgrade.\n",
    )
    async with database.connection() as connection:
        assert await connection.fetchval("select max(version) from schema_migration") == newest - 1


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    [port] = free_ports(1)
    url = f"postgresql://user:hunter2@127.0.0.1:{port}/name"

    status, _, told = _run("worker-redisq", _environment(tmp_path, KILLREPORT_DATABASE_URL=url))

    assert status == 1
    assert told.startswith("killreport: PostgreSQL does not answer: ")
    assert told.count("\n") == 1
    assert "hunter2" not in told
