"""The environment beyond the settings: what managers tell this process, and what its children may see.

Beside `killreport.config`, which reads the settings there, nothing else touches the environment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from killreport.config import PREFIX, Settings

_PASSED_ON = frozenset(
    (
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "TZ",
        "TMPDIR",
        "VIRTUAL_ENV",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
    )
)


def watchdog_seconds() -> float | None:
    """Return within which time the process manager wants to hear from this process; None where it does not.

    Source: sd_watchdog_enabled(3): WATCHDOG_USEC, and WATCHDOG_PID where it is another process's.
    """
    wanted, owner = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not wanted.isdigit() or int(wanted) == 0 or owner not in ("", str(os.getpid())):
        return None
    return int(wanted) / 1e6


def editor() -> str:
    """Return the command with which this user edits text: VISUAL, else EDITOR, else vi."""
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"


def is_under_make() -> bool:
    """Tell whether `make` started this program, so that its options go into ARGS."""
    return "MAKELEVEL" in os.environ


def add_to_environment(variables: Mapping[str, str]) -> None:
    """Have this process and its children see these variables too, from now on."""
    os.environ.update(variables)


def notify_socket_address() -> str | bytes | None:
    """Return the address of the process manager's socket, None where no manager waits to hear from this process.

    A leading `@` in NOTIFY_SOCKET stands for the zero byte of Linux's abstract names.
    """
    name = os.environ.get("NOTIFY_SOCKET", "")
    if name.startswith("@"):
        return b"\0" + os.fsencode(name[1:])
    return name or None


def passed_listeners() -> int:
    """Return how many listening sockets the process manager passed on, from descriptor 3 (LISTEN_FDS).

    0 where LISTEN_PID says that they are another process's. Source: sd_listen_fds(3).
    """
    count, owner = os.environ.get("LISTEN_FDS", ""), os.environ.get("LISTEN_PID", "")
    return int(count) if count.isdigit() and owner in ("", str(os.getpid())) else 0


def fleet_environment(home: Path) -> dict[str, str]:
    """Return what a supervisor may see of this process's environment, with the home as it is here."""
    settings = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    return plain_environment() | settings | {f"{PREFIX}HOME": str(home.absolute())}


def plain_environment() -> dict[str, str]:
    """Return what any process may see of this one's environment: nothing of the settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(("LC_", "PYTHON", "SSL_CERT_"))
    }


def child_environment(settings: Settings, **others: str) -> dict[str, str]:
    """Return this process's environment for a child that must have exactly these settings.

    No `KILLREPORT_*` of our own gets through, so a child cannot see a value that was set aside here. The settings'
    secrets are in the result: it is for a process, never for a log.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            environment[f"{PREFIX}{name.upper()}"] = str(plain)
    return environment | others


def replace_environment(environment: Mapping[str, str]) -> None:
    """Have this process see exactly this environment from now on, its time zone included."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def passed_on_environment(*names: str) -> dict[str, str]:
    """Return the variables of these names that are set, for a child that must see nothing else of ours."""
    return {name: os.environ[name] for name in names if name in os.environ}


def runtime_folder() -> Path | None:
    """Return the short-lived private folder the system gives this user, None where it gives none.

    Source: XDG Base Directory Specification, $XDG_RUNTIME_DIR; root's counterpart is /run.
    """
    named = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(named) if named and os.access(named, os.W_OK | os.X_OK) else None


def sudo_user_id() -> int | None:
    """Return the user who became root by sudo for this command, None where nobody did. Source: sudo(8)."""
    named = os.environ.get("SUDO_UID", "")
    return int(named) if named.isdigit() else None


def is_systemd_service() -> bool:
    """Tell whether systemd runs this process, or one above it, as a unit. Source: systemd.exec(5), INVOCATION_ID."""
    return bool(os.environ.get("INVOCATION_ID"))
