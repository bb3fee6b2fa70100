"""Whose home it is: files that root leaves in somebody else's lock their owner out."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from killreport.environment import sudo_user_id
from killreport.errors import Refused


def refuse_anothers_home(home: Path) -> None:
    """Raise Refused where root is about to write in a home that belongs to somebody else, or is about to be theirs."""
    if os.geteuid() != 0:
        return
    home = home.resolve()
    if home.exists():
        owner = home.stat().st_uid
    else:
        # By sudo the way there may lead through the user's own folders; in a container everything may be another's.
        above = next(folder for folder in home.parents if folder.exists()).stat().st_uid
        owner = above if above == sudo_user_id() else 0
    if owner != 0:
        name = _name_of(owner)
        raise Refused(
            f"{home} belongs to {name}, and root would leave files there that {name} cannot use: "
            f"run this as {name} (sudo -u {name}), or set KILLREPORT_HOME to a home of root's."
        )


def refuse_locked_home(home: Path) -> None:
    """Raise Refused where a fleet is that this user may not look at: whoever saw nothing there would call it ended."""
    try:
        for folder in (home / "fleet", home / "logs"):
            if folder.exists() and not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
                name = _name_of(folder.stat().st_uid)
                raise Refused(f"The fleet in {home} is {name}'s: run this as {name} (sudo -u {name}).")
    except PermissionError:
        raise Refused(f"{home} is somebody else's, and this user may not look into it.") from None


def _name_of(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"#{user_id}"
