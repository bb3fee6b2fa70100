"""Resolvers of the installation's status, its queues and its processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import Resolvers
from killreport.api.paging.cursor import IDS
from killreport.api.paging.pages import Connection, PageArguments, page_of
from killreport.api.state.polls import follow_runs, list_worker_status
from killreport.api.state.processes import ProcessStatus, WorkerStatus, find_job, process_status
from killreport.api.status.feed import FeedState, read_feed_state
from killreport.clock import utc_now
from killreport.coordination.heartbeats import list_heartbeats
from killreport.coordination.job_runs import JobRun, last_runs, list_job_runs
from killreport.killmail.stored.queries import FeedStatus, feed_status

resolvers = Resolvers()


async def resolve_status(info: Info) -> FeedStatus:
    """Return counts and ages, in one statement."""
    async with info.context.database.connection() as connection:
        return await feed_status(connection)


async def resolve_worker_status(info: Info) -> list[WorkerStatus]:
    """Return one row a queue, in the fleet's order; within two seconds, whatever the queues do."""
    return await list_worker_status(info.context.database, info.context.queues, info.context.rows)


async def resolve_worker(processes: Sequence[ProcessStatus], info: Info) -> list[WorkerStatus | None]:
    """Return the row of `workerStatus` of each process; all are asked for at once."""
    by_process = {row.process_name: row for row in await resolve_worker_status(info)}
    return [by_process.get(process.name) for process in processes]


def follow_worker_status(info: Info) -> AsyncIterator[list[WorkerStatus]]:
    """Return an async iterator of the rows as they change; not a generator, which would begin when first read."""
    return info.context.polls.workers.follow()


# More than enough for the last success and the last failure of every job.
_RUNS = 500


async def resolve_fleet(info: Info) -> list[ProcessStatus]:
    """Return the fleet, in its order."""
    async with info.context.database.connection() as connection:
        heartbeats = await list_heartbeats(connection)
        runs = await list_job_runs(connection, limit=_RUNS)
    now = utc_now()
    return [process_status(row, heartbeats, runs, now) for row in info.context.rows]


async def resolve_feed(statuses: Sequence[FeedStatus], info: Info) -> list[FeedState]:
    """Return how the feed does."""
    async with info.context.database.connection() as connection:
        state = await read_feed_state(connection, info.context.settings.feed_silence_seconds)
    return [state] * len(statuses)


async def resolve_job_runs(info: Info, *, job: str | None = None, **arguments: Any) -> Connection[JobRun]:
    """Return one page. Raises NotFound for a name that is no process, Refused for one that is no job."""
    if job is not None:
        find_job(job)
    asked = PageArguments(**arguments).read(IDS.decode)
    async with info.context.database.connection() as connection:
        runs = await list_job_runs(connection, job, asked.size + 1, asked.cursor, is_forward=asked.is_forward)
    return page_of(asked, runs, attrgetter("run_id"))


async def resolve_last_run(processes: Sequence[ProcessStatus], info: Info) -> list[JobRun | None]:
    """Return the last run of each process, in one statement for all."""
    async with info.context.database.connection() as connection:
        runs = await last_runs(connection)
    return [runs.get(process.name) for process in processes]


async def follow_job_runs(info: Info) -> AsyncIterator[JobRun]:
    """Return an async iterator of runs that begin or end from now on."""
    return await follow_runs(info.context.polls)


resolvers.root("Query", "status", resolve_status)
resolvers.field("Status", "feed", resolve_feed)
resolvers.root("Query", "workerStatus", resolve_worker_status)
resolvers.root("Query", "fleet", resolve_fleet)
resolvers.root("Query", "processes", resolve_fleet)
resolvers.root("Query", "jobRuns", resolve_job_runs)
resolvers.field("Process", "worker", resolve_worker)
resolvers.field("Process", "lastRun", resolve_last_run)
resolvers.columns("JobRun", id="run_id", counts=lambda run: list(run.counts.items()))
resolvers.columns("JobRunCount", name=itemgetter(0), count=itemgetter(1))
resolvers.source("workerStatus", follow_worker_status)
resolvers.source("jobRuns", follow_job_runs)
