"""How a process is, as the control socket tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from killreport.supervisor.instance import Instance
from killreport.supervisor.job import ScheduledJob
from killreport.supervisor.process.process_table import Usage


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


def instance_state(instance: Instance, usage: Usage | None, cpu_percent: float) -> ProcessState:
    """Return the state of a copy of a service or worker."""
    row, child = instance.program.row, instance.child
    lives = child is not None and child.is_alive
    return ProcessState(
        name=row.name,
        kind=row.kind,
        number=instance.number,
        is_extra=row.is_extra,
        status=_instance_status(instance, lives=lives),
        pid=child.pid if child and lives else None,
        restarts=instance.restarts,
        started_at=datetime.fromtimestamp(child.started_at, UTC) if child and lives else None,
        cpu_percent=cpu_percent,
        memory_bytes=usage.memory_bytes if usage else 0,
        memory_limit_bytes=row.memory_limit_mb << 20,
        last_status=instance.last_status,
        said=instance.said,
        waits_for=child.waits_for if child and lives else "",
        silent_seconds=round(child.silent_seconds, 1) if child and lives and child.pings else None,
    )


def _instance_status(instance: Instance, *, lives: bool) -> str:
    if not (instance.program.row.is_enabled or lives):
        return "disabled"
    # Its end is known before its keeper has done anything about it.
    return "waiting" if instance.status == "running" and not lives else instance.status


def job_state(job: ScheduledJob, usage: Usage | None, cpu_percent: float) -> ProcessState:
    """Return the state of a job: `running`, `scheduled`, `stopped` or `disabled`."""
    row, child = job.program.row, job.child
    records = job.history.read()
    last = next((record for record in reversed(records) if record.ended_at is not None), None)
    return ProcessState(
        name=row.name,
        kind=row.kind,
        number=0,
        is_extra=row.is_extra,
        status=_job_status(job),
        pid=child.pid if child and child.is_alive else None,
        restarts=len(records),
        started_at=datetime.fromtimestamp(child.started_at, UTC) if child and child.is_alive else None,
        cpu_percent=cpu_percent,
        memory_bytes=usage.memory_bytes if usage else 0,
        memory_limit_bytes=row.memory_limit_mb << 20,
        schedule=row.schedule,
        next_run_at=job.next_run_at,
        last_status=last.status if last else None,
        last_line=last.last_line if last else "",
    )


def _job_status(job: ScheduledJob) -> str:
    if job.is_running:
        return "running"
    if not job.program.row.is_enabled:
        return "disabled"
    return "scheduled" if job.is_scheduled else "stopped"
