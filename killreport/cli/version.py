"""Which release this is, and of which commit."""

from __future__ import annotations

import subprocess
from importlib import resources
from pathlib import Path

from killreport import __version__

GIT_SECONDS = 5


def version_line() -> str:
    """Return `killreport 0.1.0 (daf75f9, 2026-11-29)`: commit and day are left out where they cannot be known."""
    hash_, _, day = (_written() or _of_checkout()).partition(" ")
    return f"killreport {__version__} ({hash_}, {day})" if hash_ else f"killreport {__version__}"


def _written() -> str:
    """Return what the build wrote, or `git archive`; nothing in a checkout, where the file has neither."""
    text = (resources.files("killreport") / "commit.txt").read_text(encoding="utf-8").strip()
    return "" if text.startswith("$") else text


def _of_checkout() -> str:
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    command = ("git", "-C", str(root), "log", "-1", "--format=%h %cs")
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=GIT_SECONDS)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
