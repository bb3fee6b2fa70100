"""What is started by something that closed its streams: a daemon, a cron job, `>&-`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("verb", "expected"), [("config check", 0), ("ping", 1), ("--version", 0), ("none", 2)])
def test_a_closed_stream_changes_neither_the_work_nor_the_status(
    closed: str, verb: str, expected: int, tmp_path: Path
) -> None:
    command = f'exec "$0" -m killreport {verb} {closed}'
    environment = {"PATH": os.environ["PATH"], "KILLREPORT_HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], env=environment, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (expected, False), done.stderr.decode()
