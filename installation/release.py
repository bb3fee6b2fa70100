"""Install this checkout beside the releases that are there already, and have `killreport` mean it from now on.

Usage: python3 installation/release.py PREFIX BIN_FOLDER. Each release has a folder of its own in PREFIX/releases, and
what runs keeps the files it was started from: an update changes nothing under a running fleet. A release that is there
already is only made the current one, which needs no network: so one goes back.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
COMPLETE = "complete.stamp"


def release_name() -> tuple[str, bool]:
    """Return version and commit of this checkout, and whether there are changes that no commit has."""
    text = (SOURCE / "killreport" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    version = found[1] if found else "unknown"
    try:
        git = ("git", "-C", str(SOURCE))
        commit = subprocess.run((*git, "rev-parse", "--short", "HEAD"), capture_output=True, check=True, text=True)
        changes = subprocess.run((*git, "status", "--porcelain"), capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return version, True  # an archive without history: whether it is the one from before cannot be told
    return f"{version}-{commit.stdout.strip()}", bool(changes.stdout.strip())


def build(folder: Path) -> int:
    """Make the release's folder, whole or not at all for `is_complete`; return the status for the shell."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    locks = (str(SOURCE / name) for name in ("requirements-build.lock", "requirements.lock"))
    if status := subprocess.run((python, str(SOURCE / "installation" / "packages.py"), *locks), check=False).returncode:
        return status
    pip = (
        python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
    )
    if status := subprocess.run((*pip, str(SOURCE)), check=False).returncode:
        return status
    (folder / COMPLETE).touch()
    return 0


def make_current(prefix: Path, folder: Path, bin_folder: Path) -> None:
    """Have `current` and the command mean this release; each replaced at once, so that there always is one."""
    link = prefix / "current.new"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.relative_to(prefix))
    link.replace(prefix / "current")
    bin_folder.mkdir(parents=True, exist_ok=True)
    command = bin_folder / "killreport.new"
    # The link is read when the command starts, so that what runs stays in its release when the link moves on.
    command.write_text(f'#!/bin/sh\nexec "$(readlink -f {shlex.quote(str(prefix / "current"))})/bin/killreport" "$@"\n')
    command.chmod(0o755)
    command.replace(bin_folder / "killreport")


def install(prefix: Path, bin_folder: Path) -> int:
    """Do what the module says and return the status for the shell."""
    name, is_changed = release_name()
    folder = prefix / "releases" / (f"{name}-changed" if is_changed else name)
    if is_changed or not (folder / COMPLETE).exists():
        print(f"Installing KillReport {name} in {folder}: about 40 MB to download, 200 MB on the disk.", flush=True)
        if status := build(folder):
            return status
    (folder / "command").write_text(f"{bin_folder / 'killreport'}\n", encoding="utf-8")
    make_current(prefix, folder, bin_folder)
    print(f"{bin_folder / 'killreport'} is KillReport {name}.")
    if shutil.which("killreport") != str(bin_folder / "killreport"):
        print(f"{bin_folder} is not the first place of PATH that has a killreport.")
    return 0


if __name__ == "__main__":
    sys.exit(install(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()))
