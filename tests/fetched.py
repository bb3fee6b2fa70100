"""Folders of packages that tests need, fetched once into pytest's cache."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REQUIRES_SERVICES


def fetched_folder(
    config: pytest.Config, name: str, key: str, program: str, fetch: Callable[[Path], subprocess.CompletedProcess[str]]
) -> Path:
    """Return a folder of the cache that `fetch` has filled for this key; skips the test where it cannot.

    program: what fetches, for people. Parallel test processes share the folder. Where everything real is required a
    failure is no skip.
    """
    assert config.cache is not None
    folder = config.cache.mkdir(name)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != key:
            result = fetch(folder)
            if result.returncode != 0:
                assert not REQUIRES_SERVICES, result.stderr
                pytest.skip(f"{program} could not fetch what this test needs")
            done.write_text(key)
    return folder
