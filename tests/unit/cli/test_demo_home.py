"""A demo's home, to which a verb of the real fleet is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.cli.fleet.supervisor import DEMO_LOCK, ensure_supervisor, keep_settings, tell_differences
from killreport.config import load_settings
from killreport.errors import Refused
from killreport.supervisor.folder import FleetFolder


def test_a_demo_is_not_told_to_take_the_settings_of_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load_settings({"KILLREPORT_HOME": str(tmp_path)})
    folder = FleetFolder.make(tmp_path)
    keep_settings(loaded.settings.replace(esi_url="http://127.0.0.1:1"), folder)
    tell_differences(loaded, folder)
    assert "KILLREPORT_ESI_URL" in capsys.readouterr().err
    (tmp_path / DEMO_LOCK).touch()
    tell_differences(loaded, folder)
    assert capsys.readouterr().err == ""


def test_no_real_fleet_is_started_on_what_a_demo_made_up(tmp_path: Path) -> None:
    (tmp_path / DEMO_LOCK).touch()
    with pytest.raises(Refused, match="with made-up data: start it with killreport demo"):
        ensure_supervisor(load_settings({"KILLREPORT_HOME": str(tmp_path)}).settings)
