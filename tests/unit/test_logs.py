"""A log line never stops the work: dropped and counted where nobody takes it, and on the stream where it belongs."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from killreport import logs
from killreport.logs import LossyStream, configure_logging


class Stream:
    """A stream over a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str, /) -> int:
        raise AssertionError("the descriptor itself is written to")

    def flush(self) -> None:
        raise AssertionError("the descriptor itself is written to")

    def fileno(self) -> int:
        return self._descriptor


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    outlet, inlet = os.pipe()
    fcntl.fcntl(inlet, fcntl.F_SETPIPE_SZ, 65_536)
    yield outlet, inlet
    os.close(outlet)
    os.close(inlet)


def test_lines_for_a_full_disk_are_dropped_and_told_of_when_it_is_free(tmp_path: Path) -> None:
    full, free = os.open("/dev/full", os.O_WRONLY), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    stream = LossyStream(Stream(full))
    stream.write("one\n")
    stream.write("two\nthree\n")
    assert stream.dropped == 3
    os.dup2(free, full)
    stream.write("four\n")
    told, last = (tmp_path / "log").read_text().splitlines()
    assert (json.loads(told), last) == ({"event": "log_lines_dropped", "level": "warning", "count": 3}, "four")
    assert stream.dropped == 0
    os.close(full)
    os.close(free)


def test_a_pipe_that_nobody_reads_makes_nobody_wait(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PATIENCE_MILLISECONDS", 1)
    outlet, inlet = pipe
    stream = LossyStream(Stream(inlet))
    for number in range(2_000):
        stream.write(f"{number:099}\n")
    taken = os.read(outlet, 1 << 20).count(b"\n")
    assert taken > 500  # what the pipe holds; without the bound, this would never end
    assert taken + stream.dropped == 2_000
    stream.write("after\n")
    told, last = os.read(outlet, 4096).decode().splitlines()
    assert (json.loads(told)["count"], last) == (2_000 - taken, "after")


def test_a_line_that_was_taken_in_part_is_ended_before_the_next(pipe: tuple[int, int]) -> None:
    outlet, inlet = pipe
    stream = LossyStream(Stream(inlet))
    stream.write("x" * 100_000 + "\n")
    cut = len(os.read(outlet, 1 << 20))
    stream.write("after\n")
    assert (cut, os.read(outlet, 4096).decode().splitlines()[::2]) == (65_536, ["", "after"])


def test_what_went_well_goes_to_one_stream_and_what_did_not_to_the_other(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json", "worker-types", splits=True)
    try:
        log = structlog.get_logger()
        log.debug("detail")
        log.info("message_done")
        log.warning("message_again")
        log.error("message_dead")
    finally:
        structlog.reset_defaults()
    out, error = capfd.readouterr()
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["message_done"]
    assert [json.loads(line)["event"] for line in error.splitlines()] == ["message_again", "message_dead"]


def test_a_command_keeps_stdout_for_its_answer(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    try:
        structlog.get_logger().info("done")
    finally:
        structlog.reset_defaults()
    out, error = capfd.readouterr()
    assert (out, json.loads(error)["event"]) == ("", "done")


def test_a_stream_without_a_descriptor_is_written_to_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(Stream):
        def fileno(self) -> int:
            raise ValueError("I/O operation on closed file")

        def write(self, text: str, /) -> int:
            raise ValueError("I/O operation on closed file")

    stream = LossyStream(Closed(0))
    stream.write("lost\n")
    assert stream.dropped == 1
    monkeypatch.setattr(sys, "stderr", Closed(0))
    configure_logging("info", "json")
    structlog.get_logger().warning("nobody hears this")  # and nobody is stopped by it
    structlog.reset_defaults()
