"""The supervisor's unit, read by systemd's own checker where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from killreport.cli.fleet import startup as fleet_boot
from killreport.cli.main import main
from killreport.fleet.systemd import UNIT_NAME, supervisor_unit


def test_the_unit_leaves_processes_to_the_next_supervisor() -> None:
    lines = supervisor_unit(("/opt/k r/python", "-m", "killreport"), Path("/var/lib/100%")).splitlines()
    assert 'ExecStart="/opt/k r/python" -m killreport supervise' in lines
    assert 'Environment="KILLREPORT_HOME=/var/lib/100%%"' in lines
    assert 'RequiresMountsFor="/var/lib/100%%"' in lines
    # Tried again for ever, but for the one end that somebody wants.
    assert {"StartLimitIntervalSec=0", "RestartPreventExitStatus=75", "SuccessExitStatus=75"} <= set(lines)
    assert {"Type=notify", "KillMode=process", "OOMPolicy=continue", "Delegate=yes", "Restart=always"} <= set(lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("home", ["plain", "with space", "100%", "back\\slash"])
def test_systemd_finds_nothing_wrong(tmp_path: Path, home: str) -> None:
    path = tmp_path / UNIT_NAME
    path.write_text(supervisor_unit((sys.executable, "-m", "killreport"), tmp_path / home))
    done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False)
    assert UNIT_NAME not in done.stderr


def test_a_unit_may_run_as_somebody_else() -> None:
    unit = supervisor_unit(("/usr/local/bin/killreport",), Path("/var/lib/killreport"), "killreport")
    assert {'ExecStart="/usr/local/bin/killreport" supervise', 'User="killreport"'} <= set(unit.splitlines())


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["killreport", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_startup_writes_the_unit_and_unstartup_removes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path / "home"))
    unit = tmp_path / UNIT_NAME
    assert command(monkeypatch, "startup", "--print") == 0
    printed = capsys.readouterr().out
    assert command(monkeypatch, "startup", "--folder", str(tmp_path)) == 0
    assert unit.read_text() == printed
    unit.write_text("mine")
    assert command(monkeypatch, "startup", "--folder", str(tmp_path)) == 1
    assert f"{unit} exists and is another one" in capsys.readouterr().err
    assert command(monkeypatch, "unstartup", "--folder", str(tmp_path)) == 0
    assert not unit.exists()
    assert command(monkeypatch, "unstartup", "--folder", str(tmp_path)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a fleet run as somebody else")
def test_startup_has_the_fleet_run_as_a_user_whom_the_machine_knows_and_by_the_command_that_was_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    installed = tmp_path / "killreport"
    installed.touch()
    (tmp_path / "command").write_text(f"{installed}\n")
    assert command(monkeypatch, "startup", "--print", "--user", "nobody") == 0
    assert {f'ExecStart="{installed}" supervise', 'User="nobody"'} <= set(capsys.readouterr().out.splitlines())
    assert command(monkeypatch, "startup", "--print", "--user", "no-such-user") == 1
    assert "no user no-such-user" in capsys.readouterr().err


def test_without_systemd_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(fleet_boot, "_unit_folder", lambda: tmp_path / "units")
    assert command(monkeypatch, "startup") == 1
    assert "This machine has no systemctl" in capsys.readouterr().err
    assert not (tmp_path / "units").exists()
