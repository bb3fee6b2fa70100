"""Where PostgreSQL's programs are copied to, so that root's server can run them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from killreport.db import programs
from killreport.db.privileges import ServerUser
from killreport.db.programs import usable_programs
from killreport.errors import Unavailable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server changes its user")
STRANGER = ServerUser(61000, 61000)


@pytest.fixture
def binaries(tmp_path: Path) -> Path:
    """Return an installation that the stranger cannot run where it is."""
    folder = tmp_path / "closed" / "site" / "pginstall"
    (folder / "bin").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    for name in ("postgres", "initdb"):
        (folder / "bin" / name).write_text("#!/bin/sh\n")
        (folder / "bin" / name).chmod(0o700)
    return folder


@pytest.fixture
def open_place() -> Iterator[Path]:
    """Yield a folder that everybody can enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_place_that_others_could_write_to_or_not_enter_is_passed_over_and_left_as_it_was(
    binaries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writable, closed = tmp_path / "writable", tmp_path / "closed" / "place"
    writable.mkdir()
    writable.chmod(0o777)
    monkeypatch.setattr(programs, "PLACES", (writable, tmp_path / "missing" / "place", closed))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "closed"))
    with pytest.raises(Unavailable, match="there is no place to copy them to"):
        usable_programs(binaries, STRANGER)
    assert list(writable.iterdir()) == []
    assert not closed.exists()


def test_the_copy_is_root_s_made_once_and_removed_when_its_source_is_gone(
    binaries: Path, open_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "PLACES", (open_place,))
    copied = usable_programs(binaries, STRANGER)
    assert usable_programs(binaries, STRANGER) == copied
    assert (copied / "bin" / "initdb").stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_uid for path in open_place.rglob("*")} == {0}

    moved = binaries.with_name("other")
    binaries.rename(moved)
    assert usable_programs(moved, STRANGER) != copied
    assert not copied.exists()
