"""What `--version` says, in a checkout and of a build."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from killreport import __version__
from killreport.cli import version
from killreport.cli.main import app

ROOT = Path(__file__).parents[3]


def test_the_version_names_the_commit_of_the_checkout() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("This is no checkout.")
    commit = subprocess.run(
        ["git", "-C", ROOT, "log", "-1", "--format=%h, %cs"], capture_output=True, check=True, text=True
    ).stdout.strip()
    assert CliRunner().invoke(app, ["--version"]).output == f"killreport {__version__} ({commit})\n"


def test_what_the_build_wrote_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "_written", lambda: "abc1234 2026-11-29")
    assert version.version_line() == f"killreport {__version__} (abc1234, 2026-11-29)"


def test_a_copy_without_history_has_its_version_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "_written", lambda: "")
    monkeypatch.setattr(version, "_of_checkout", lambda: "")
    assert version.version_line() == f"killreport {__version__}"


def test_an_archive_of_the_source_has_the_commit_in_place_of_git() -> None:
    written = (ROOT / "killreport" / "commit.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r"\$Format:%h %cs\$\n|[0-9a-f]{7,} \d{4}-\d\d-\d\d\n", written) is not None
    assert "killreport/commit.txt export-subst" in (ROOT / ".gitattributes").read_text(encoding="utf-8")
