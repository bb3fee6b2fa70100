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


def _name_of(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"#{user_id}"
