"""Resolvers of the installation's status, its queues and its processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.state.polls import list_worker_status
from killreport.api.state.processes import Process, WorkerStatus, process_status
from killreport.api.status.feed import resolve_feed
from killreport.api.status.runs import follow_job_runs, resolve_job_runs, resolve_last_run
from killreport.cache.heartbeat import list_heartbeats
from killreport.clock import utc_now
from killreport.db.job_runs import list_job_runs
from killreport.killmail.stored.queries import FeedStatus, feed_status

resolvers = Resolvers()


async def resolve_status(_root: Sequence[None], info: FieldInfo) -> list[FeedStatus]:
    """Return counts and ages, in one statement."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        return [await feed_status(connection)]


async def resolve_worker_status(_root: Sequence[None], info: FieldInfo) -> list[list[WorkerStatus]]:
    """Return one row a queue, in the fleet's order; within two seconds, whatever the queues do."""
    context: ApiContext = info.context
    rows = await list_worker_status(context.database, context.queues, context.rows)
    return [rows]


async def resolve_worker(processes: Sequence[Process], info: FieldInfo) -> list[WorkerStatus | None]:
    """Return the row of `workerStatus` of each process; all are asked for at once."""
    context: ApiContext = info.context
    rows = await list_worker_status(context.database, context.queues, context.rows)
    by_process = {row.process_name: row for row in rows}
    return [by_process.get(process.name) for process in processes]


def follow_worker_status(info: FieldInfo) -> AsyncIterator[list[WorkerStatus]]:
    """Return an async iterator of the rows as they change; not a generator, which would begin when first read."""
    context: ApiContext = info.context
    return context.polls.workers.follow()


# More than enough for the last success and the last failure of every job.
_RUNS = 500


async def resolve_fleet(_root: Sequence[None], info: FieldInfo) -> list[list[Process]]:
    """Return the fleet, in its order."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        heartbeats = await list_heartbeats(connection)
        runs = await list_job_runs(connection, limit=_RUNS)
    now = utc_now()
    return [[process_status(row, heartbeats, runs, now) for row in context.rows]]


resolvers.field("Query", "status", resolve_status)
resolvers.field("Status", "feed", resolve_feed)
resolvers.field("Query", "workerStatus", resolve_worker_status)
resolvers.field("Query", "fleet", resolve_fleet)
resolvers.field("Query", "processes", resolve_fleet)
resolvers.field("Query", "jobRuns", resolve_job_runs)
resolvers.field("Process", "worker", resolve_worker)
resolvers.field("Process", "lastRun", resolve_last_run)
resolvers.source("workerStatus", follow_worker_status)
resolvers.source("jobRuns", follow_job_runs)
