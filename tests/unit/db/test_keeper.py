"""The keeper's threads: none of them can end without the keeper hearing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from killreport.db import keeper
from killreport.db.cluster import Cluster
from killreport.db.keeper import Keeper
from killreport.db.server_folder import folder_of, open_lock


class StandIn:
    """A cluster whose server is a program that waits for its end."""

    server: subprocess.Popen[bytes]

    def clear_leftovers(self) -> None:
        """Leave nothing."""

    def ensure_roles(self, _socket_folder: Path) -> None:
        """Have none."""

    def prune_logs(self) -> None:
        """Keep none."""

    def start(self, _socket_folder: Path) -> subprocess.Popen[bytes]:
        """Start the program; returns once it ends by SIGINT, as PostgreSQL does where a shell has it ignored."""
        program = "import signal as s; s.signal(s.SIGINT, s.default_int_handler); print('ready', flush=True); s.pause()"
        self.server = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.server.stdout is not None
        with self.server.stdout as words:
            assert words.readline() == b"ready\n"
        return self.server


@pytest.mark.timeout(60)
def test_a_server_whose_folder_is_gone_ends_instead_of_waiting_for_users_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = StandIn()
    monkeypatch.setattr(keeper, "server_answers", lambda _folder: True)
    lock = open_lock(tmp_path / "keeper.lock")

    Keeper(folder_of(tmp_path / "removed"), cast(Cluster, cluster), tmp_path, lock).serve()

    assert cluster.server.poll() is not None
