"""Runs of jobs: page by page, the last of each process, and as they happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.paging.cursor import decode_id
from killreport.api.paging.pages import Connection, PageArguments, page_of
from killreport.api.state.polls import RunChanges, follow_runs
from killreport.api.state.processes import Process
from killreport.db.job_runs import JobRun, last_runs, list_job_runs
from killreport.errors import Refused
from killreport.fleet.table import find_process


@dataclass(frozen=True, slots=True)
class JobRunCountView:
    """A figure of a run."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class JobRunView:
    """One run; the schema says what its fields mean."""

    id: int
    job: str
    trigger: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    counts: list[JobRunCountView]
    report: str | None
    error: str | None


def run_view(run: JobRun) -> JobRunView:
    """Return a run as the schema shows it."""
    counts = [JobRunCountView(*count) for count in run.counts.items()]
    times = (run.started_at, run.ended_at, run.seconds)
    return JobRunView(run.run_id, run.job, run.trigger, run.status, *times, counts, run.report, run.error)


async def resolve_job_runs(
    _root: Sequence[None], info: FieldInfo, *, job: str | None = None, **arguments: Any
) -> list[Connection[JobRunView]]:
    """Return one page. Raises NotFound for a name that is no process, Refused for one that is no job."""
    context: ApiContext = info.context
    if job is not None and (row := find_process(job)).kind != "job":
        raise Refused(f"{job} is a {row.kind}, not a job.")
    asked = PageArguments(**arguments).read(decode_id)
    async with context.database.connection() as connection:
        runs = await list_job_runs(connection, job, asked.size + 1, asked.cursor, is_forward=asked.is_forward)
    return [page_of(asked, [run_view(run) for run in runs], attrgetter("id"))]


async def resolve_last_run(processes: Sequence[Process], info: FieldInfo) -> list[JobRunView | None]:
    """Return the last run of each process, in one statement for all."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        runs = await last_runs(connection)
    return [run_view(runs[process.name]) if process.name in runs else None for process in processes]


class _RunViews:
    """Runs as they happen, as the schema shows them."""

    def __init__(self, changes: RunChanges) -> None:
        self._changes = changes

    def __aiter__(self) -> _RunViews:
        return self

    async def __anext__(self) -> JobRunView:
        return run_view(await anext(self._changes))

    async def aclose(self) -> None:
        await self._changes.aclose()


async def follow_job_runs(info: FieldInfo) -> _RunViews:
    """Return an async iterator of runs that begin or end from now on."""
    context: ApiContext = info.context
    return _RunViews(await follow_runs(context.polls))
