"""Programs of Python that a test runs and that are too heavy for the project's own environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fetched import fetched_folder


def programs_of(config: pytest.Config, requirements: Path, *options: str) -> Path:
    """Return the folder `bin` of an environment with the requirements; skips the test where pip cannot fetch them.

    options: more of them for `pip install`.
    """

    def fetch(folder: Path) -> subprocess.CompletedProcess[str]:
        # The pip at hand does it: to put another one there takes longer than what it would fetch. Of what is fetched
        # little is ever imported, so that is compiled and no more.
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", str(venv)], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), "--disable-pip-version-check"]
        install = ["install", "--quiet", "--no-compile", *options, "-r", str(requirements)]
        return subprocess.run([*pip, *install], capture_output=True, text=True, check=False)

    key = f"{sys.version}\n{requirements.read_text(encoding='utf-8')}"
    return fetched_folder(config, f"venv-{requirements.parent.name}", key, "pip", fetch) / "venv" / "bin"
