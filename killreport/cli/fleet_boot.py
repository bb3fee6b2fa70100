"""`killreport startup` and `unstartup`: the fleet after a reboot, by systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from killreport.cli.context import load_all
from killreport.errors import Conflict, KillreportError, NotFound
from killreport.fleet.systemd import UNIT_NAME, supervisor_unit

Folder = Annotated[
    Path | None, typer.Option("--folder", help="Where units are; unset: the system's for root, else the user's.")
]


def startup(
    print_only: Annotated[bool, typer.Option("--print", help="Print the unit and change nothing.")] = False,
    folder: Folder = None,
) -> None:
    """Have systemd run the supervisor from boot on, with what was started. Example: killreport startup --print"""
    settings = load_all().settings
    unit = supervisor_unit(sys.executable, settings.home.absolute())
    if print_only:
        print(unit, end="")
        return
    path = (folder or _unit_folder()) / UNIT_NAME
    if path.exists() and path.read_text(encoding="utf-8") != unit:
        raise Conflict(f"{path} exists and is another one; killreport unstartup removes it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unit, encoding="utf-8")
    print(f"Written: {path}")
    if folder is None:
        _systemctl("daemon-reload")
        _systemctl("enable", UNIT_NAME)
        print("Enabled: the fleet starts with the machine.")


def unstartup(folder: Folder = None) -> None:
    """Take back what `startup` did; what runs goes on. Example: killreport unstartup"""
    path = (folder or _unit_folder()) / UNIT_NAME
    if not path.exists():
        raise NotFound(f"There is no {path}.")
    if folder is None:
        _systemctl("disable", UNIT_NAME)
    path.unlink()
    if folder is None:
        _systemctl("daemon-reload")
    print(f"Removed: {path}")


def _unit_folder() -> Path:
    return Path("/etc/systemd/system") if os.geteuid() == 0 else Path.home() / ".config" / "systemd" / "user"


def _systemctl(*arguments: str) -> None:
    program = shutil.which("systemctl")
    if program is None:
        raise NotFound("This machine has no systemctl; killreport startup --print shows the unit.")
    user = () if os.geteuid() == 0 else ("--user",)
    done = subprocess.run([program, *user, *arguments], capture_output=True, check=False)  # noqa: S603 - fixed words
    if done.returncode != 0:
        raise KillreportError(f"systemctl {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
