"""Programs of Python that a test runs and that are too heavy for the project's own environment."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REQUIRES_SERVICES


def programs_of(config: pytest.Config, requirements: Path, *options: str) -> Path:
    """Return the folder `bin` of an environment with the requirements; skips the test where pip cannot fetch them.

    options: more of them for `pip install`.
    """
    assert config.cache is not None
    folder = config.cache.mkdir(f"venv-{requirements.parent.name}")
    done = folder / "installed"
    key = f"{sys.version}\n{requirements.read_text(encoding='utf-8')}"
    # Parallel test processes share the folder.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != key:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")], check=True)
            pip = (folder / "venv/bin/pip", "install", "--quiet", "--disable-pip-version-check")
            result = subprocess.run(
                [*pip, *options, "-r", str(requirements)],
                capture_output=True,
                text=True,
                check=False,
            )
            if result.returncode != 0:
                assert not REQUIRES_SERVICES, result.stderr
                pytest.skip("pip could not fetch what this test needs")
            done.write_text(key)
    return folder / "venv" / "bin"
