"""The unit under which systemd runs a supervisor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

UNIT_NAME = "killreport.service"
# With which a supervisor ends that `killreport kill` ended: systemd is not to start it again.
KILLED_STATUS = 75


def supervisor_unit(program: Sequence[str], home: Path, user: str | None = None) -> str:
    """Return the unit. program: what begins every command of the product; home: the fleet's; user: whom it runs as.

    KillMode=process and Delegate leave the processes to the next supervisor when this one dies; ExecStop ends them all
    when an operator stops the unit. It is started again for ever, but after `killreport kill`; not before the disk of
    the home is there. Source: systemd.service(5), systemd.kill(5), systemd.unit(5).
    """
    command = " ".join((argument(program[0]), *program[1:]))
    run_as = f"User={argument(user)}\n" if user is not None else ""
    return f"""\
[Unit]
Description=KillReport's fleet
After=network-online.target postgresql.service rabbitmq-server.service redis-server.service
Wants=network-online.target
StartLimitIntervalSec=0
RequiresMountsFor={mounts_of(home)}

[Service]
Type=notify
TimeoutStartSec=infinity
ExecStart={command} supervise
ExecStop={command} kill
{run_as}Environment={quoted(f"KILLREPORT_HOME={home}")}
Restart=always
RestartSec=1
RestartPreventExitStatus={KILLED_STATUS}
SuccessExitStatus={KILLED_STATUS}
KillMode=process
Delegate=yes
OOMPolicy=continue
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target default.target
"""


def argument(text: str) -> str:
    """Return the text as one word of a command line (ExecStart=), where `$` would begin a variable."""
    return quoted(text.replace("$", "$$"))


def mounts_of(path: Path) -> str:
    """Return the path as RequiresMountsFor= reads it: quotes come off there, and a backslash stays what it is.

    Nothing for a path that cannot be written so; an empty value is none.
    """
    text = str(path)
    return "" if '"' in text else '"' + text.replace("%", "%%") + '"'


def quoted(text: str) -> str:
    """Return the text as systemd reads it back from a setting: `%` stands for itself, quotes and backslashes too.

    A control character is written as its number: a line's end would begin another setting. Source: systemd.syntax(7).
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + "".join(sign if sign >= " " and sign != "\x7f" else f"\\x{ord(sign):02x}" for sign in escaped) + '"'
