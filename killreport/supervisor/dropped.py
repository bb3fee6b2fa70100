"""What runs of processes that the fleet has no longer, as after an update."""

from __future__ import annotations

from collections.abc import Container

import structlog

from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.child import Child, adopt_child
from killreport.supervisor.process.slot import ProcessSlot

# From SIGTERM to SIGKILL, for what no row tells of any more.
KILL_SECONDS = 15.0

log = structlog.get_logger()


def adopt_dropped(folder: FleetFolder, names: Container[str]) -> list[Child]:
    """Take over what lives in slots of other names than these, to be ended; what nobody answers for ends at once."""
    found = []
    for path in folder.slots.glob("*.*.?"):
        name, slot = path.name.rsplit(".", 2)[0], ProcessSlot(path)
        if name in names or slot.is_free():
            continue
        log.warning("process_dropped", process=name)
        if (child := adopt_child(slot)) is not None:
            found.append(child)
    return found
