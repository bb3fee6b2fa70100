"""What `killreport logs` shows of logs that turned, of several processes, as whole lines and as fast as they come."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from killreport.cli.main import app
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.logs.stamped_log import StampedLog


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FleetFolder:
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path))
    return FleetFolder.make(tmp_path)


def write(folder: FleetFolder, name: str, stream: str, texts: list[str], *, largest_bytes: int = 10_000_000) -> None:
    """Write lines a second apart, the last one now."""
    log, now = StampedLog(folder.log(name, stream), largest_bytes), datetime.now(UTC)
    for place, text in enumerate(texts):
        log.prepare()
        log.append(text.encode() + b"\n", now - timedelta(seconds=len(texts) - place))
    log.close()


def shown(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, ["logs", *arguments, "--nostream", "--raw"])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_the_last_lines_are_those_of_all_kept_files(folder: FleetFolder) -> None:
    write(folder, "worker-types", "out", [f"line {number}" for number in range(1_000)], largest_bytes=10_000)
    assert len(list(folder.logs.glob("worker-types-out.log*"))) > 3
    assert shown("worker-types", "-n", "700") == [f"line {number}" for number in range(300, 1_000)]
    assert shown("worker-types", "--since", "500s", "--out")[-490:] == [f"line {n}" for n in range(510, 1_000)]
    assert shown("worker-types", "-n", "0") == []
    assert len(shown("worker-types")) == 20


def test_lines_of_several_processes_come_in_the_order_of_time_and_are_counted_together(folder: FleetFolder) -> None:
    write(folder, "worker-types", "out", ["a1", "a2", "a3", "a4"])
    write(folder, "killreport-backend", "out", ["b1", "b2"])
    assert shown("worker-types", "killreport-backend", "-n", "3")[0] in ("a3", "b1")
    assert sorted(shown("worker-types", "killreport-backend", "-n", "4")) == ["a3", "a4", "b1", "b2"]
    assert (folder.logs / "backend-out.log").exists()


def test_each_stream_can_be_had_alone_as_with_pm2(folder: FleetFolder) -> None:
    write(folder, "worker-types", "out", ['{"event": "message_done", "level": "info"}'])
    write(
        folder,
        "worker-types",
        "error",
        ['{"event": "an older release", "level": "info"}', '{"event": "message_dead", "level": "error"}', "Traceback"],
    )
    assert shown("worker-types", "--out") == ['{"event": "message_done", "level": "info"}']
    assert shown("worker-types", "--err") == ['{"event": "message_dead", "level": "error"}', "Traceback"]
    assert shown("worker-types", "--err", "-n", "1") == ["Traceback"]
    assert len(shown("worker-types", "--err", "--out")) == 4


def test_what_a_terminal_would_obey_is_shown_as_a_sign(folder: FleetFolder) -> None:
    write(folder, "worker-types", "out", ["\x1b]52;c;ZXZpbA==\x07 name"])
    assert shown("worker-types") == ["�]52;c;ZXZpbA==� name"]


def test_following_shows_every_line_of_a_log_that_turns_again_and_again(folder: FleetFolder) -> None:
    count = int(os.environ.get("KILLREPORT_TEST_LOG_LINES", "50000"))
    write(folder, "worker-types", "out", ["first"])
    command = [sys.executable, "-m", "killreport", "logs", "worker-types", "--raw", "-f"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "first\n"
        log = StampedLog(folder.log("worker-types", "out"), largest_bytes=10_000_000 * count // 1_000_000)
        for begin in range(0, count, 100):
            log.prepare()
            log.append(b"".join(b"%d\n" % number for number in range(begin, begin + 100)), datetime.now(UTC))
        log.close()
        seen = [int(process.stdout.readline()) for _ in range(count)]
    finally:
        process.kill()
        process.communicate()
    assert len(list(folder.logs.glob("worker-types-out.log*"))) > 3  # it turned several times meanwhile
    assert seen == list(range(count))
