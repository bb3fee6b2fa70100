"""Runs one job: alone, within its time, and on the record."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib import import_module
from types import ModuleType

import structlog

from killreport.background import racing
from killreport.clock import monotonic
from killreport.config import Settings
from killreport.coordination.job_runs import (
    Status,
    Trigger,
    begin_run,
    end_run,
    find_running,
    last_completed,
    note_skipped,
)
from killreport.coordination.single_instance import hold_lock
from killreport.cron.progress import JobProgress
from killreport.db.database import DATABASE_ERRORS, Connection, Database
from killreport.errors import Conflict, KillreportError, Permanent, Refused, Unavailable
from killreport.fleet.entries import entry_of
from killreport.fleet.schedule import last_due, next_run
from killreport.fleet.table import ProcessRow, find_process

log = structlog.get_logger()


@dataclass(frozen=True)
class JobReport:
    """How a run ended. sentence: for people, one line. counts: figures by name."""

    job: str
    status: Status
    counts: dict[str, int]
    sentence: str
    seconds: float

    def to_json(self) -> str:
        """Return the report as one JSON object."""
        return json.dumps(asdict(self))


class _Stopped(Exception):
    """The process was told to stop before the job had ended."""


async def run_job(
    name: str,
    settings: Settings,
    database: Database,
    *,
    stop: asyncio.Event,
    everything: bool = False,
    trigger: Trigger = "hand",
    if_due_at: datetime | None = None,
) -> JobReport:
    """Run the job now, unless it runs already somewhere on this database, and return how it ended.

    stop: when it is set, the work is broken off and the run recorded as stopped. if_due_at: the present instant, where
    the job is to run only if its schedule has come round since its last complete run began, or it is urgent.

    Raises NotFound for a name that is no process, Refused for a process that is no job, Permanent for a run beyond the
    time limit of the fleet table, Unavailable where the lock was lost, and what the job raises; all but the first two
    are recorded.
    """
    row = find_process(name)
    if row.kind != "job" or row.time_limit is None:
        raise Refused(f"{name} is a {row.kind}, not a job.")
    module_name, function = entry_of(row)
    job = import_module(module_name)
    progress = JobProgress(everything=everything)
    began = monotonic()
    async with contextlib.AsyncExitStack() as stack:
        try:
            lost = await stack.enter_async_context(hold_lock(database, f"job {name}"))
        except Conflict:
            sentence = await _skip(name, database, trigger)
            return _report(name, "skipped", progress, sentence, began)
        async with database.transaction() as connection:
            if if_due_at is not None and not await _is_due(row, job, connection, if_due_at):
                return _report(name, "skipped", progress, _not_due(row, if_due_at), began)
            run_id = await begin_run(connection, name, trigger)
        async with _recording(database, run_id, progress) as ending:
            # Returns one sentence about its work; cancelled at any point, it may be begun again.
            work: Awaitable[str] = getattr(job, function)(settings, database, progress=progress)
            try:
                ending.sentence = await _watch(work, stop, lost, row.time_limit)
            except _Stopped:
                ending.status = "stopped"
                ending.sentence = "Stopped before the end; what was done is kept, and the next run continues."
    return _report(name, ending.status, progress, ending.sentence, began)


@dataclass
class _Ending:
    status: Status = "succeeded"
    sentence: str = ""


@asynccontextmanager
async def _recording(database: Database, run_id: int, progress: JobProgress) -> AsyncIterator[_Ending]:
    """Write down at the end of the block how the run ended, whatever it ended with."""
    ending = _Ending()
    try:
        yield ending
    except BaseException as error:
        # Also for a second signal, which cancels this very task.
        reason = str(error) if isinstance(error, KillreportError) else f"{type(error).__name__}: {error}"
        with contextlib.suppress(KillreportError, *DATABASE_ERRORS):
            # What could not be recorded is recognised by the next run.
            async with database.connection() as connection:
                await end_run(connection, run_id, "failed", progress.counts, error=reason)
        raise
    async with database.connection() as connection:
        await end_run(connection, run_id, ending.status, progress.counts, report=ending.sentence)


async def _watch(work: Awaitable[str], stop: asyncio.Event, lost: asyncio.Event, limit: timedelta) -> str:
    """Return what the work returns, unless it is told to stop, loses its lock or takes too long: then cancel it."""
    # Nothing of the work may go on once the lock is given back; how it takes the cancelling is not the news.
    async with racing(work, stop.wait(), lost.wait()) as tasks:
        working: asyncio.Future[str] = tasks[0]
        await asyncio.wait(tasks, timeout=limit.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if stop.is_set():
            raise _Stopped
        if lost.is_set():
            raise Unavailable("The connection that holds the job's lock was lost.")
        raise Permanent(f"It took longer than its limit of {limit}; what was done is kept, and the next run continues.")


async def _is_due(row: ProcessRow, job: ModuleType, connection: Connection, now: datetime) -> bool:
    """Tell whether the schedule has come round since the last complete run. Only for who holds the job's lock.

    A job may offer `is_urgent`, which tells of work that does not wait for the schedule.

    A job that was never asked for is put on record, so that it becomes due with the next instant of its schedule: that
    something starts for the first time must not start every job.
    """
    is_urgent: Callable[[Connection], Awaitable[bool]] | None = getattr(job, "is_urgent", None)
    if is_urgent is not None and await is_urgent(connection):
        return True
    due = last_due(row, now)
    since = await last_completed(connection, row.name, now)
    if since is None:
        await note_skipped(connection, row.name, "schedule", "On its schedule from now on.")
    return since is not None and due is not None and since < due


def _not_due(row: ProcessRow, now: datetime) -> str:
    due = next_run(row, now)
    return f"{row.name} has no schedule." if due is None else f"{row.name} is not due before {due:%Y-%m-%d %H:%M} UTC."


async def _skip(name: str, database: Database, trigger: Trigger) -> str:
    async with database.connection() as connection:
        running = await find_running(connection, name)
        since = "" if running is None else f" since {running.started_at:%Y-%m-%d %H:%M:%S} UTC"
        sentence = f"{name} is running already{since}."
        await note_skipped(connection, name, trigger, sentence)
    return sentence


def _report(name: str, status: Status, progress: JobProgress, sentence: str, began: float) -> JobReport:
    seconds = round(monotonic() - began, 3)
    log.info("job_ended", job=name, status=status, seconds=seconds, **progress.counts)
    return JobReport(name, status, dict(progress.counts), sentence, seconds)
