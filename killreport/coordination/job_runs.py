"""The record of scheduled jobs: one row a run, from its start to its end, kept for the status page and for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from killreport.db.database import Connection

Status = Literal["running", "succeeded", "failed", "skipped", "stopped"]
Trigger = Literal["schedule", "hand"]

PROCESS_DIED = "its process died"
# Of each job: more than a year of a daily one.
KEPT_RUNS = 500

_COLUMNS = "run_id, job, trigger, status, started_at, ended_at, counts, report, error"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run. ended_at: None while it runs. report: its sentence. error: why it failed; None otherwise."""

    run_id: int
    job: str
    trigger: Trigger
    status: Status
    started_at: datetime
    ended_at: datetime | None
    counts: dict[str, int]
    report: str | None
    error: str | None

    @property
    def seconds(self) -> float | None:
        """Return how long it took; None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


async def begin_run(connection: Connection, job: str, trigger: Trigger) -> int:
    """Record that the job runs now and return the run's id.

    Only for who holds the job's lock: a run still recorded as running is of a process that died, and is closed as such.
    The oldest runs beyond KEPT_RUNS are forgotten.
    """
    await connection.execute(
        """update job_run set status = 'failed', ended_at = clock_timestamp(), error = $2
           where job = $1 and status = 'running'""",
        job,
        PROCESS_DIED,
    )
    await connection.execute(
        """delete from job_run where job = $1 and run_id <=
               (select run_id from job_run where job = $1 order by run_id desc offset $2 limit 1)""",
        job,
        KEPT_RUNS - 1,
    )
    run_id: int = await connection.fetchval(
        "insert into job_run (job, trigger, status) values ($1, $2, 'running') returning run_id", job, trigger
    )
    return run_id


async def end_run(
    connection: Connection,
    run_id: int,
    status: Status,
    counts: Mapping[str, int],
    *,
    report: str | None = None,
    error: str | None = None,
) -> None:
    """Record how the run ended; does nothing where it is recorded as ended already."""
    await connection.execute(
        """update job_run set status = $2, ended_at = clock_timestamp(), counts = $3, report = $4, error = $5
           where run_id = $1 and status = 'running'""",
        run_id,
        status,
        json.dumps(dict(counts)),
        report,
        error,
    )


async def note_skipped(connection: Connection, job: str, trigger: Trigger, report: str) -> None:
    """Record that the job was asked for and did not run."""
    await connection.execute(
        """insert into job_run (job, trigger, status, started_at, ended_at, report)
           select $1, $2, 'skipped', moment, moment, $3 from clock_timestamp() as moment""",
        job,
        trigger,
        report,
    )


async def find_running(connection: Connection, job: str) -> JobRun | None:
    """Return the run of the job that is recorded as running."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from job_run where job = $1 and status = 'running' order by run_id desc limit 1",  # noqa: S608
        job,
    )
    return None if row is None else _read(row)


async def list_job_runs(
    connection: Connection,
    job: str | None = None,
    limit: int = 20,
    beyond: int | None = None,
    *,
    is_forward: bool = True,
) -> list[JobRun]:
    """Return the latest runs, of one job or of all, the newest first; not forward, the oldest in the same order.

    beyond: only runs after the one of this id in that order; not forward, before it.
    """
    sign, direction = ("<", "desc") if is_forward else (">", "asc")
    rows = await connection.fetch(
        f"""select {_COLUMNS} from job_run
            where ($1::text is null or job = $1) and ($3::bigint is null or run_id {sign} $3)
            order by run_id {direction} limit $2""",  # noqa: S608
        job,
        limit,
        beyond,
    )
    runs = [_read(row) for row in rows]
    return runs if is_forward else runs[::-1]


async def last_runs(connection: Connection) -> dict[str, JobRun]:
    """Return the latest run of every job that ever ran, skipped ones aside, by its name."""
    rows = await connection.fetch(
        f"""select distinct on (job) {_COLUMNS} from job_run where status <> 'skipped'
            order by job, run_id desc"""  # noqa: S608
    )
    return {row["job"]: _read(row) for row in rows}


async def present_instant(connection: Connection) -> datetime:
    """Return what time it is by the clock that the records are written by."""
    now: datetime = await connection.fetchval("select clock_timestamp()")
    return now


async def last_completed(connection: Connection, job: str, now: datetime) -> datetime | None:
    """Return when the latest run began that came to an end by itself; with none, since when the job is on record.

    A run that was stopped or whose process died has left work to do; one in the future was written by a clock that was
    ahead, and tells nothing. None for a job that nobody ever asked for.
    """
    since: datetime | None = await connection.fetchval(
        """select coalesce(
               max(started_at) filter (where status in ('succeeded', 'failed') and error is distinct from $2
                                       and started_at <= greatest($3, clock_timestamp())),
               min(started_at)
           ) from job_run where job = $1""",
        job,
        PROCESS_DIED,
        now,
    )
    return since


def _read(row: Any) -> JobRun:
    return JobRun(**{**row, "counts": json.loads(row["counts"])})
