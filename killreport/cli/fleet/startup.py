"""`killreport startup` and `unstartup`: the fleet after a reboot, by systemd."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from killreport.config import FILE_NAME, PREFIX, LoadedSettings, load_settings
from killreport.errors import Conflict, KillreportError, NotFound, Refused
from killreport.files import write_whole
from killreport.fleet.snapshot import unkept, with_settings
from killreport.fleet.systemd import UNIT_NAME, supervisor_unit

Folder = Annotated[
    Path | None, typer.Option("--folder", help="Folder of the unit; default: the system's for root, else the user's.")
]


def startup(
    print_only: Annotated[bool, typer.Option("--print", help="Print the unit and change nothing.")] = False,
    folder: Folder = None,
    user: Annotated[
        str | None, typer.Option(help="User to run the fleet as, with a system unit; default: root.", metavar="NAME")
    ] = None,
    write_settings: Annotated[
        bool | None,
        typer.Option(help="Write settings that only this shell knows to killreport.toml; default: ask in a terminal."),
    ] = None,
) -> None:
    """Have systemd run the supervisor and what was started from boot on. Example: killreport startup --print

    The unit names the home folder and no other setting. Settings that only this shell knows would be lost at a reboot:
    they are listed and, if you agree, written to killreport.toml.
    """
    loaded = load_settings()
    settings = loaded.settings
    owner = _known(user)
    unit = supervisor_unit(_program(), settings.home.absolute(), owner)
    if print_only:
        print(unit, end="")
        return
    if folder is None:
        _find_systemctl()  # before anything is written that nothing would read
    _keep_settings(loaded, owner, is_wanted=write_settings)
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
        if os.geteuid() != 0:
            print("A user's units start at the first login; from boot on after: loginctl enable-linger")


def _program() -> tuple[str, ...]:
    """Return what runs the product after an update too: the command of `make install`, else this very interpreter."""
    written = Path(sys.prefix) / "command"
    command = written.read_text(encoding="utf-8").strip() if written.exists() else ""
    return (command,) if command and Path(command).exists() else (sys.executable, "-m", "killreport")


def _known(user: str | None) -> str | None:
    """Return the user's name. Raises NotFound where there is no such user, Refused for the unit of a user."""
    if user is None:
        return None
    if os.geteuid() != 0:
        raise Refused("Only root can have the fleet run as somebody else; a unit of your own runs it as you.")
    try:
        return pwd.getpwnam(user).pw_name
    except KeyError:
        raise NotFound(f"This machine has no user {user}: useradd --system {user}") from None


def _keep_settings(loaded: LoadedSettings, owner: str | None, *, is_wanted: bool | None) -> None:
    """Name the settings that a reboot would lose, and write them to the home's file where that is wanted."""
    missing = unkept(loaded)
    if not missing:
        return
    path = loaded.settings.home / FILE_NAME
    named = ", ".join(f"{PREFIX}{name.upper()}" for name in missing)
    print(f"A reboot would lose settings that {path} does not have as they are here: {named}.", file=sys.stderr)
    if is_wanted is None:
        is_wanted = sys.stdin.isatty() and typer.confirm(f"Write them to {path}?", default=True)
        if not is_wanted:
            print("killreport startup --write-settings writes them there.", file=sys.stderr)
    if is_wanted:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, with_settings(before, missing).encode())
        if owner is not None:
            shutil.chown(path, owner)
        print(f"Written: {path}")


def unstartup(folder: Folder = None) -> None:
    """Remove what `startup` installed; running processes go on. Example: killreport unstartup"""
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


def _find_systemctl() -> str:
    program = shutil.which("systemctl")
    if program is None:
        raise NotFound("This machine has no systemctl; killreport startup --print shows the unit.")
    return program


def _systemctl(*arguments: str) -> None:
    program = _find_systemctl()
    user = () if os.geteuid() == 0 else ("--user",)
    done = subprocess.run([program, *user, *arguments], capture_output=True, check=False)  # noqa: S603 - fixed words
    if done.returncode != 0:
        raise KillreportError(f"systemctl {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
