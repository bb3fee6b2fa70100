"""Root leaves nothing in a home that is not root's."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from killreport.cli.main import status_of
from killreport.errors import Refused
from killreport.home import refuse_anothers_home, refuse_locked_home
from killreport.supervisor.folder import FleetFolder

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
NOBODY = 65534


def test_root_makes_nothing_in_the_home_of_somebody_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    with pytest.raises(Refused, match=f"{home} belongs to nobody, and root would leave files there .*sudo -u nobody"):
        FleetFolder.make(home)
    assert list(home.iterdir()) == []
    # To look is allowed.
    assert FleetFolder.at(home).path == home / "fleet"


def test_who_became_root_by_sudo_makes_no_home_in_their_own_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    home = tmp_path / "share" / "killreport"
    refuse_anothers_home(home)  # as in a container, where every folder is somebody else's
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    with pytest.raises(Refused, match="belongs to nobody"):
        refuse_anothers_home(home)


def test_a_home_of_roots_is_roots(tmp_path: Path) -> None:
    refuse_anothers_home(tmp_path)
    refuse_anothers_home(tmp_path / "not there")


@pytest.mark.parametrize("verb", ["fleet check", "db status", "start", "demo", "up", "sim", "supervise"])
def test_every_verb_that_writes_there_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    monkeypatch.setenv("KILLREPORT_HOME", str(home))
    monkeypatch.delenv("KILLREPORT_DATABASE_URL", raising=False)
    assert status_of(verb.split()) == 1
    assert f"{home} belongs to nobody, and root would leave files there" in capsys.readouterr().err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["fleet", "logs", ""])
def test_who_may_not_look_at_a_fleet_is_told_so(name: str) -> None:
    home = Path(tempfile.mkdtemp())  # where every user finds the way
    (home / "fleet").mkdir()
    (home / "logs").mkdir()
    home.chmod(0o755)
    refuse_locked_home(home)
    (home / name).chmod(0)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65_533)  # root may look everywhere
        with pytest.raises(Refused, match="is somebody else's" if not name else "'s: run this as "):
            refuse_locked_home(home)
    finally:
        os.seteuid(before)
        (home / name).chmod(0o700)
        shutil.rmtree(home)
    refuse_locked_home(home)  # where nothing is, nothing is locked
