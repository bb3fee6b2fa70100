"""Where the work of a worker or a job is written: in a module named after it, or by a function named after it."""

from __future__ import annotations

from killreport.fleet.table import ProcessRow

# Those that differ from each other by a few lines share a module.
_SHARED = {
    "workers.entities": ("alliance-corporations", "alliances", "characters", "corporations"),
    "cron.entities": (
        *("queue-alliance-corporations", "queue-alliances", "queue-character-corporations"),
        *("snapshot-alliances", "snapshot-corporations", "update-alliance-counts"),
    ),
}


def entry_of(row: ProcessRow) -> tuple[str, str]:
    """Return the module and its function that do a worker's or a job's work."""
    package = "workers" if row.kind == "worker" else "cron"
    name = row.name.removeprefix("worker-")
    if name in _SHARED[f"{package}.entities"]:
        return f"killreport.{package}.entities", name.replace("-", "_")
    return f"killreport.{package}.{name.replace('-', '_')}", "run"
