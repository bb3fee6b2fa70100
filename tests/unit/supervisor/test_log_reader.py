"""Logs are read over their rotations, forwards, backwards and as they grow: no line is missed, none shown twice."""

from __future__ import annotations

import os
import random
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from killreport.supervisor.logs.log_reader import LinePosition, LogReader
from killreport.supervisor.logs.stamped_log import StampedLog

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


Read = Callable[[Path], LogReader]


@pytest.fixture
def read() -> Iterator[Read]:
    """Return what makes a reader, closed at the end."""
    readers: list[LogReader] = []

    def make(path: Path) -> LogReader:
        readers.append(LogReader(path))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


def write(log: StampedLog, number: int, at: datetime = NOON) -> None:
    log.prepare()
    log.append(b"%d\n" % number, at)


def numbers(lines: object) -> list[int]:
    assert hasattr(lines, "__iter__")
    return [int(line.split()[1]) for line in lines]


def test_what_is_kept_is_read_in_both_directions_over_all_files(tmp_path: Path, read: Read) -> None:
    log = StampedLog(tmp_path / "x.log", largest_bytes=2_000)
    for number in range(500):
        write(log, number)
    assert len(list(tmp_path.iterdir())) == 6
    reader = read(tmp_path / "x.log")
    backwards = list(reader.backwards())
    oldest = numbers([line for line, _place in backwards])[-1]
    assert numbers(line for line, _place in backwards) == list(range(499, oldest - 1, -1))
    assert numbers(reader.forwards(LinePosition(0, 0))) == list(range(oldest, 500))
    for line, place in backwards[::17]:
        assert next(read(tmp_path / "x.log").forwards(place)) == line
    assert numbers(reader.forwards(backwards[299][1])) == list(range(200, 500))


@pytest.mark.parametrize("block", [1, 7, 64])
def test_lines_are_found_backwards_wherever_the_blocks_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read, block: int
) -> None:
    monkeypatch.setattr("killreport.supervisor.logs.log_reader._BLOCK_BYTES", block)
    (tmp_path / "x.log").write_bytes(b"a\n\nbb\nccc\nunfinished")
    found = list(read(tmp_path / "x.log").backwards())
    assert [line for line, _place in found] == [b"ccc\n", b"bb\n", b"\n", b"a\n"]
    assert [place.offset for _line, place in found] == [6, 3, 2, 0]


def test_following_loses_nothing_when_the_log_turns_between_two_looks(tmp_path: Path, read: Read) -> None:
    chance = random.Random(1)
    log = StampedLog(tmp_path / "x.log", largest_bytes=5_000)
    write(log, 0)
    reader = read(tmp_path / "x.log")
    seen = numbers(reader.forwards(LinePosition(0, 0)))
    written = 1
    while written < 20_000:
        for _ in range(chance.randrange(400)):  # up to three turns between two looks
            write(log, written)
            written += 1
        seen += numbers(reader.news())
    assert seen == list(range(written))


def test_following_begins_with_a_file_that_is_not_there_yet_and_outlives_all_that_happens_to_it(
    tmp_path: Path, read: Read
) -> None:
    path = tmp_path / "x.log"
    reader = read(path)
    assert list(reader.news()) == []
    log = StampedLog(path)
    write(log, 1)
    assert numbers(reader.news()) == [1]
    path.rename(tmp_path / "moved")  # as logrotate does
    write(log, 2)
    assert numbers(reader.news()) == [2]
    os.truncate(path, 0)  # as `flush` does
    assert list(reader.news()) == []
    write(log, 3)
    assert numbers(reader.news()) == [3]
    size = path.stat().st_size
    write(log, 4)
    assert numbers(reader.news()) == [4]
    log.cut(size)  # as the pump does with what a crash left
    assert list(reader.news()) == []
    write(log, 5)
    assert numbers(reader.news()) == [5]


def test_a_line_is_read_once_it_is_whole(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\ntw")
    reader = read(path)
    assert list(reader.forwards(reader.end)) == []
    with path.open("ab") as file:
        file.write(b"o\nthr")
    assert list(reader.news()) == [b"two\n"]
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert list(reader.news()) == [b"three\n"]


def test_an_instant_is_looked_for_by_the_files_first_lines(tmp_path: Path, read: Read) -> None:
    log = StampedLog(tmp_path / "x.log", largest_bytes=3_000)
    for number in range(500):
        write(log, number, NOON + timedelta(seconds=number))
    reader = read(tmp_path / "x.log")
    place = reader.place_of(f"{NOON + timedelta(seconds=450):%Y-%m-%dT%H:%M:%S}.000Z".encode())
    found = numbers(reader.forwards(place))
    assert found[-1] == 499
    assert found[0] <= 450
    assert len(found) < 200
    assert reader.place_of(b"2020") == LinePosition(0, 0)


def test_ten_lines_of_a_large_log_are_read_with_little_memory(tmp_path: Path, read: Read) -> None:
    (tmp_path / "x.log").write_bytes(b"2026-11-24T12:00:00.000Z some words of a line\n" * 200_000)
    tracemalloc.start()
    reader = read(tmp_path / "x.log")
    lines = reader.backwards()
    for _ in range(10):
        next(lines)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
