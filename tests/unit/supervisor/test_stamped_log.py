"""Log files: every line with its time, rotated at line ends, made anew when somebody took them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from killreport.supervisor.logs.stamped_log import StampedLog

NOW = datetime(2026, 11, 24, 12, 0, 1, 234_567, tzinfo=UTC)
STAMP = "2026-11-24T12:00:01.234Z"


@pytest.mark.parametrize("content", [b"one\ntwo\n", b"one\ntwo"])
def test_every_line_has_its_time(tmp_path: Path, content: bytes) -> None:
    log = StampedLog(tmp_path / "x.log")
    log.append(content, NOW)
    log.close()
    assert (tmp_path / "x.log").read_text() == f"{STAMP} one\n{STAMP} two\n"


def test_full_files_move_on_and_the_oldest_goes(tmp_path: Path) -> None:
    log = StampedLog(tmp_path / "x.log", largest_bytes=10, kept_files=2)
    for number in range(5):
        log.prepare()
        log.append(b"%d\n" % number, NOW)
    log.close()
    found = {path.name: path.read_text().split()[1] for path in tmp_path.iterdir()}
    assert found == {"x.log": "4", "x.log.1": "3", "x.log.2": "2"}


def test_a_file_that_was_moved_away_or_emptied_is_written_on(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    log = StampedLog(path)
    log.append(b"before\n", NOW)
    path.rename(tmp_path / "moved")
    log.prepare()
    log.append(b"after\n", NOW)
    assert path.read_text() == f"{STAMP} after\n"
    path.write_bytes(b"")
    log.prepare()
    assert log.size == 0
    log.append(b"cut\n", NOW)
    log.cut(0)
    log.close()
    assert path.read_bytes() == b""


def test_a_file_that_cannot_be_opened_is_tried_again_and_closes_nobody_elses(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    log = StampedLog(folder / "x.log")
    with pytest.raises(FileNotFoundError):
        log.prepare()
    folder.mkdir()
    log.prepare()
    log.append(b"one\n", NOW)

    # Gone again: the number it had must not be closed a second time when it has become another file's.
    (folder / "x.log").rename(tmp_path / "x.log")
    folder.rmdir()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            log.prepare()
    log.close()
    others = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
    with pytest.raises(FileNotFoundError):
        log.prepare()
    log.close()
    for other in others:
        os.close(other)  # raises where somebody did it already

    folder.mkdir()
    log.prepare()
    log.append(b"two\n", NOW)
    log.close()
    assert (folder / "x.log").read_text() == f"{STAMP} two\n"


def test_a_full_file_that_cannot_be_moved_is_written_on(tmp_path: Path) -> None:
    log = StampedLog(tmp_path / "x.log", largest_bytes=10, kept_files=1)
    (tmp_path / "x.log.1").mkdir()
    (tmp_path / "x.log.1" / "in the way").touch()
    for number in range(3):
        log.prepare()
        log.append(b"%d\n" % number, NOW)
    log.close()
    assert [line.split()[1] for line in (tmp_path / "x.log").read_text().splitlines()] == ["0", "1", "2"]


def test_logs_are_their_owners_alone(tmp_path: Path) -> None:
    StampedLog(tmp_path / "x.log").close()
    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600
