"""Releases side by side: which one `killreport` means."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from installation import release


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the folders that are made; each gets a command that tells where it stands."""
    names: list[str] = []

    def build(folder: Path) -> int:
        names.append(folder.name)
        program = folder / "bin" / "killreport"
        program.parent.mkdir(parents=True)
        program.write_text('#!/bin/sh\necho "$0 $*"\n')
        program.chmod(0o755)
        (folder / release.COMPLETE).touch()
        return 0

    monkeypatch.setattr(release, "build", build)
    return names


def is_at(monkeypatch: pytest.MonkeyPatch, name: str, *, is_changed: bool = False) -> None:
    monkeypatch.setattr(release, "release_name", lambda: (name, is_changed))


def said(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [folder / "killreport", *arguments], capture_output=True, check=True, text=True
    ).stdout.strip()


def test_the_command_runs_the_release_itself_and_not_the_link(
    tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_at(monkeypatch, "0.1.0-aaa")
    assert release.install(tmp_path / "it's here", tmp_path / "bin") == 0
    assert said(tmp_path / "bin", "list", "a b") == f"{tmp_path}/it's here/releases/0.1.0-aaa/bin/killreport list a b"


def test_one_goes_back_without_making_anything(
    tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("0.1.0-aaa", "0.2.0-bbb", "0.1.0-aaa"):
        is_at(monkeypatch, name)
        release.install(tmp_path, tmp_path / "bin")
    assert built == ["0.1.0-aaa", "0.2.0-bbb"]
    assert said(tmp_path / "bin").startswith(f"{tmp_path}/releases/0.1.0-aaa/")


def test_a_release_that_could_not_be_made_leaves_the_one_that_is_there(
    tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_at(monkeypatch, "0.1.0-aaa")
    release.install(tmp_path, tmp_path / "bin")
    is_at(monkeypatch, "0.2.0-bbb")
    monkeypatch.setattr(release, "build", lambda folder: 1)
    assert release.install(tmp_path, tmp_path / "bin") == 1
    assert said(tmp_path / "bin").startswith(f"{tmp_path}/releases/0.1.0-aaa/")


def test_a_checkout_with_changes_is_made_each_time_and_never_passes_for_its_commit(
    tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_at(monkeypatch, "0.1.0-aaa", is_changed=True)
    release.install(tmp_path, tmp_path / "bin")
    assert built == ["0.1.0-aaa-changed"]
