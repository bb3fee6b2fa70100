"""What the machine does to a supervisor: a disk that is full, a kernel that gives no socket back."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from killreport.errors import Conflict
from killreport.fleet.table import ProcessRow
from killreport.supervisor import pump as pump_module
from killreport.supervisor.listeners import Listeners
from killreport.supervisor.program import Program
from killreport.supervisor.pump import Pump, Scratch
from killreport.supervisor.stamped_log import StampedLog
from tests.integration.supervisor.conftest import eventually
from tests.ports import free_port


async def test_lines_wait_while_the_disk_is_full_and_none_is_lost(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump_module, "TROUBLE_PAUSE_SECONDS", 0.01)
    path, scratch = tmp_path / "x.log", Scratch()
    path.symlink_to("/dev/full")
    try:
        pump = Pump(tmp_path / "x.out", StampedLog(path), scratch)
        writer = os.open(tmp_path / "x.out", os.O_WRONLY)
        os.write(writer, b"one\ntwo\n")
        await asyncio.sleep(0.1)  # long enough for several tries
        path.unlink()
        os.write(writer, b"three\n")
        await asyncio.to_thread(eventually, lambda: path.exists() and path.read_text().count("\n") == 3)
        os.close(writer)
        pump.close()
    finally:
        scratch.close()
    assert [line.split()[1] for line in path.read_text().splitlines()] == ["one", "two", "three"]


def test_where_a_socket_cannot_be_taken_back_a_second_one_accepts_at_the_same_port() -> None:
    port = free_port()
    row = ProcessRow(name="web", kind="service", description="", memory_limit_mb=100)
    program = Program(row=row, command=("true",), port=port)
    before, after = Listeners(), Listeners()
    old = before.get(program)
    after.take_back(program, None)
    new = after.get(program)
    assert old is not None
    assert new is not None
    before.close()
    with socket.create_connection(("127.0.0.1", port), 5):
        new.settimeout(5)
        accepted, _address = new.accept()
        accepted.close()
    after.close()


def test_a_port_where_somebody_else_accepts_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        port = other.getsockname()[1]
        row = ProcessRow(name="web", kind="service", description="", memory_limit_mb=100)
        with pytest.raises(Conflict, match=f"web cannot listen on 127.0.0.1 port {port}: Address already in use."):
            Listeners().get(Program(row=row, command=("true",), port=port))
