"""Starting a scheduled job now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.errors import Refused, Unavailable
from killreport.fleet.table import find_process
from killreport.supervisor.client import NoSupervisor, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import Request

PATIENCE_SECONDS = 10.0


async def resolve_trigger_job(_root: Sequence[None], info: FieldInfo, *, name: str) -> list[str]:
    """Have the supervisor start the job, and return its name.

    Raises NotFound for a name that is no process, Refused for one that is no job, Conflict where it runs already,
    Unavailable where no supervisor answers on this machine.
    """
    context: ApiContext = info.context
    row = find_process(name)
    if row.kind != "job":
        raise Refused(f"{name} is a {row.kind}, not a job.")
    folder = FleetFolder.at(context.settings.home)
    try:
        await asyncio.to_thread(ask, folder, Request(verb="trigger", name=name), PATIENCE_SECONDS)
    except NoSupervisor:
        raise Unavailable(
            "No supervisor answers on the machine of the API, so nothing was started: start the job where its processes"
            f" are managed, or by `killreport run {name}`."
        ) from None
    return [name]
