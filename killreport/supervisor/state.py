"""How a process is, as the control socket tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from killreport.supervisor.instance import Instance
from killreport.supervisor.job import ScheduledJob
from killreport.supervisor.process.usage import UsageWatch


class ProcessState(msgspec.Struct, frozen=True, kw_only=True):
    """One process, or one copy of it. memory_bytes: of its whole session. cpu_percent: of one core.

    said: what it last said of itself. waits_for: what somebody else is to do first, and since when; "" for nothing.
    silent_seconds: since its event loop was heard of; None where it never is.
    """

    name: str
    kind: str
    number: int
    is_extra: bool
    status: str
    pid: int | None = None
    restarts: int = 0
    started_at: datetime | None = None
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    schedule: str | None = None
    next_run_at: datetime | None = None
    last_status: int | None = None
    last_line: str = ""
    said: str = ""
    waits_for: str = ""
    silent_seconds: float | None = None


def state_of(owner: Instance | ScheduledJob, watch: UsageWatch) -> ProcessState:
    """Return the state of a copy of a service or worker, or of a job."""
    row, child = owner.program.row, owner.child
    usage = watch.latest.get(child.pid) if child else None
    living = child if child and child.is_alive else None
    own = _job_fields(owner) if isinstance(owner, ScheduledJob) else _instance_fields(owner)
    return ProcessState(
        name=row.name,
        kind=row.kind,
        is_extra=row.is_extra,
        pid=living.pid if living else None,
        started_at=datetime.fromtimestamp(living.started_at, UTC) if living else None,
        cpu_percent=watch.cpu_percent(child.pid if child else None),
        memory_bytes=usage.memory_bytes if usage else 0,
        memory_limit_bytes=row.memory_limit_mb << 20,
        **own,
    )


def _instance_fields(instance: Instance) -> dict[str, Any]:
    child = instance.child if instance.child and instance.child.is_alive else None
    status: str = instance.status
    if not (instance.program.row.is_enabled or child):
        status = "disabled"
    elif status == "running" and not child:
        status = "waiting"  # its end is known before its keeper has done anything about it
    return {
        "number": instance.number,
        "status": status,
        "restarts": instance.restarts,
        "last_status": instance.last_status,
        "said": instance.said,
        "waits_for": child.waits_for if child else "",
        "silent_seconds": round(child.silent_seconds, 1) if child and child.pings else None,
    }


def _job_fields(job: ScheduledJob) -> dict[str, Any]:
    row, records = job.program.row, job.history.read()
    last = next((record for record in reversed(records) if record.ended_at is not None), None)
    idle = "disabled" if not row.is_enabled else "scheduled" if job.is_scheduled else "stopped"
    return {
        "number": 0,
        "status": "running" if job.is_running else idle,
        "restarts": len(records),
        "schedule": row.schedule,
        "next_run_at": job.next_run_at,
        "last_status": last.status if last else None,
        "last_line": last.last_line if last else "",
    }
