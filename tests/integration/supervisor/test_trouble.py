"""What the machine does to a supervisor: a disk that is full, a kernel that gives no socket back."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest

from killreport.errors import Conflict
from killreport.fleet.table import ProcessRow
from killreport.supervisor.listeners import Listeners
from killreport.supervisor.logs import pump as pump_module
from killreport.supervisor.logs.journal import WRITING, PumpJournal, Step
from killreport.supervisor.logs.pump import Pump, Scratch
from killreport.supervisor.logs.stamped_log import StampedLog
from killreport.supervisor.process.program import Program
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


async def test_who_writes_while_the_disk_is_full_for_long_is_not_stopped_and_what_is_lost_is_counted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump_module, "TROUBLE_PAUSE_SECONDS", 0.01)
    path, scratch = tmp_path / "x.log", Scratch()
    path.symlink_to("/dev/full")
    written = 40_000

    def write_all() -> None:
        with (tmp_path / "x.out").open("wb") as writer:
            for number in range(written):
                writer.write(b"%d %s\n" % (number, b"." * 50))

    try:
        pump = Pump(tmp_path / "x.out", StampedLog(path), scratch)
        await asyncio.wait_for(asyncio.to_thread(write_all), 30)  # 2.3 MB, into a pipe of 512 kB
        assert pump.dropped > 0
        path.unlink()
        last = f" {written - 1} "
        await asyncio.to_thread(eventually, lambda: path.exists() and last in path.read_text())
        pump.close()
    finally:
        scratch.close()
    lines = [line.partition(" ")[2] for line in path.read_text().splitlines()]
    told = json.loads(lines[0])
    numbers = [int(line.split()[0]) for line in lines[1:]]
    assert told["event"] == "log_lines_dropped"
    assert numbers == list(range(told["count"], written))  # the oldest are gone, and none of the others


async def test_a_log_that_cannot_be_opened_is_opened_when_it_can_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump_module, "TROUBLE_PAUSE_SECONDS", 0.01)
    folder, scratch = tmp_path / "logs", Scratch()
    try:
        pump = Pump(tmp_path / "x.out", StampedLog(folder / "x.log"), scratch)
        with (tmp_path / "x.out").open("wb") as writer:
            writer.write(b"one\n")
        await asyncio.sleep(0.05)  # long enough for a try
        folder.mkdir()
        await asyncio.to_thread(eventually, lambda: (folder / "x.log").exists() and (folder / "x.log").read_text())
        pump.close()
    finally:
        scratch.close()
    assert (folder / "x.log").read_text().split()[1:] == ["one"]


def test_a_journal_has_its_room_on_the_disk_before_it_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.touch()
    os.truncate(path, 32)  # a hole, as a release before made it: a store into it on a full disk is a SIGBUS
    journal = PumpJournal(path)
    assert path.stat().st_blocks > 0
    journal.begin(1, 2, 3)
    journal.close()
    again = PumpJournal(path)
    assert again.read() == Step(WRITING, 1, 2, 3)
    again.close()


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
