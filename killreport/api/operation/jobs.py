"""Starting a scheduled job now."""

from __future__ import annotations

import asyncio

from killreport.api.context import Info
from killreport.api.state.processes import find_job
from killreport.errors import Unavailable
from killreport.supervisor.client import NoSupervisor, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import Request

PATIENCE_SECONDS = 10.0


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
