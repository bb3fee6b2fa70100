"""The unit under which systemd runs a supervisor."""

from __future__ import annotations

from pathlib import Path

UNIT_NAME = "killreport.service"


def supervisor_unit(python: str, home: Path) -> str:
    """Return the unit. python: the interpreter that has the product; home: the fleet's.

    KillMode=process and Delegate leave the processes to the next supervisor when this one dies; ExecStop ends them all
    when an operator stops the unit. Source: systemd.service(5), systemd.kill(5).
    """
    command = f"{argument(python)} -m killreport"
    return f"""\
[Unit]
Description=KillReport's fleet
After=network-online.target postgresql.service rabbitmq-server.service redis-server.service
Wants=network-online.target

[Service]
Type=notify
ExecStart={command} supervise
ExecStop={command} kill
Environment={quoted(f"KILLREPORT_HOME={home}")}
Restart=always
RestartSec=1
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


def quoted(text: str) -> str:
    """Return the text as systemd reads it back from a setting: `%` stands for itself, quotes and backslashes too."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
