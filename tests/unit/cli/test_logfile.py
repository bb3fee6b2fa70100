"""A log file keeps its size and remembers its end."""

from __future__ import annotations

from pathlib import Path

from killreport.cli.logfile import LogFile


def test_a_full_file_becomes_its_own_predecessor(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "part.log", largest_bytes=10)

    for chunk in (b"one\n", b"two\n", b"three\n", b"four\n"):
        log.write(chunk)

    assert (tmp_path / "logs" / "part.log").read_bytes() == b"four\n"
    assert (tmp_path / "logs" / "part.log.1").read_bytes() == b"three\n"


def test_a_chunk_larger_than_the_file_may_be_is_not_lost(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log", largest_bytes=10)

    log.write(b"0123456789abcdef\n")

    assert log.path.read_bytes() == b"0123456789abcdef\n"


def test_a_file_of_an_earlier_start_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "part.log").write_bytes(b"earlier\n")

    LogFile(tmp_path / "part.log", largest_bytes=20).write(b"later\n")

    assert (tmp_path / "part.log").read_bytes() == b"earlier\nlater\n"


def test_the_last_ten_lines_are_remembered(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log")

    log.write(b"".join(b"line %d\n" % number for number in range(1, 13)))

    assert log.last_lines() == [f"line {number}" for number in range(3, 13)]


def test_the_lines_of_an_earlier_process_are_not_shown_as_this_ones(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log")
    log.write(b"of the first\n")

    log.begin()
    log.write(b"of the second\n")

    assert log.last_lines() == ["of the second"]
    assert log.path.read_bytes() == b"of the first\nof the second\n"


def test_bytes_that_are_no_text_can_be_shown(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log")

    log.write(b"caf\xe9\n")

    assert log.last_lines() == ["caf\N{REPLACEMENT CHARACTER}"]


def test_a_process_that_says_nothing_has_a_log_all_the_same(tmp_path: Path) -> None:
    LogFile(tmp_path / "part.log").begin()

    assert (tmp_path / "part.log").read_bytes() == b""
