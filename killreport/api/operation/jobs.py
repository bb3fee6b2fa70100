"""Starting a scheduled job now."""

from __future__ import annotations

import asyncio

from killreport.api.context import Info
from killreport.errors import Refused, Unavailable
from killreport.fleet.table import ProcessRow, find_process
from killreport.supervisor.client import NoSupervisor, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import Request

PATIENCE_SECONDS = 10.0


def find_job(name: str) -> ProcessRow:
    """Return the job. Raises NotFound for a name that is no process, Refused for one that is no job."""
    row = find_process(name)
    if row.kind != "job":
        raise Refused(f"{name} is a {row.kind}, not a job.")
    return row


async def resolve_trigger_job(info: Info, *, name: str) -> str:
    """Have the supervisor start the job, and return its name.

    Raises as `find_job`, Conflict where it runs already, Unavailable where no supervisor answers on this machine.
    """
    find_job(name)
    folder = FleetFolder.at(info.context.settings.home)
    try:
        await asyncio.to_thread(ask, folder, Request(verb="trigger", name=name), PATIENCE_SECONDS)
    except NoSupervisor:
        raise Unavailable(
            "No supervisor answers on the machine of the API, so nothing was started: start the job where its processes"
            f" are managed, or by `killreport run {name}`."
        ) from None
    return name
