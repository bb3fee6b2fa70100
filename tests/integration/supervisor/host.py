"""A supervisor as a process of its own, for tests that kill it: `python -m tests.integration.supervisor.host HOME`.

Its programs are in HOME/programs.json: what `Program` and its row take, by name.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from killreport.cli.signals import stop_on_signals
from killreport.fleet.table import ProcessRow
from killreport.logs import configure_logging
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.main import supervising
from killreport.supervisor.process import backoff
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.template import Template


def program(
    name: str, command: list[str], *, port: int | None = None, arguments: list[str] | None = None, **fields: Any
) -> Program:
    """Return a program; fields are its row's, times in seconds."""
    for field in ("kill_timeout", "ready_timeout", "time_limit", "restart_delay", "watchdog"):
        if field in fields:
            fields[field] = timedelta(seconds=fields[field])
    usual: dict[str, Any] = {"kind": "worker", "memory_limit_mb": 500, "kill_timeout": timedelta(seconds=5)}
    row = ProcessRow(name=name, description="", **(usual | fields))
    return Program(
        row=row,
        command=command,
        environment={"PATH": os.environ["PATH"], **row.environment},
        port=port,
        arguments=arguments,
    )


async def main(home: Path) -> None:
    """Supervise until SIGTERM."""
    # A crash loop is through in a second instead of half a minute.
    backoff._BASE_SECONDS, backoff._MAX_SECONDS, backoff.SLOW_SECONDS = 0.02, 0.1, 600.0

    def read_programs() -> list[Program]:
        described: dict[str, Any] = json.loads((home / "programs.json").read_text())
        return [program(name, **fields) for name, fields in described.items()]

    # A fleet that has `template.py` is forked from it where its programs have arguments.
    command = (sys.executable, str(home / "template.py"))
    template = None
    if (home / "template.py").exists():
        template = Template(command, dict(os.environ), home / "template.log", fork_seconds=1.0)
    configure_logging("info", "json")
    with stop_on_signals() as stop:
        async with supervising(
            read_programs(),
            FleetFolder.make(home),
            stop,
            template=template,
            read_programs=read_programs,
            disk_warning_mb=4,
        ):
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
