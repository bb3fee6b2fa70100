"""Resolvers of the installation's status, its queues and its processes."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.status.processes import Process, WorkerStatus, process_status, worker_status
from killreport.cache.heartbeat import list_heartbeats
from killreport.clock import utc_now
from killreport.db.job_runs import list_job_runs
from killreport.fleet.table import FLEET, QUEUES
from killreport.killmail.queries import FeedStatus, feed_status

resolvers = Resolvers()


async def resolve_status(_root: Sequence[None], info: FieldInfo) -> list[FeedStatus]:
    """Return counts and ages, in one statement."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        return [await feed_status(connection)]


async def resolve_worker_status(_root: Sequence[None], info: FieldInfo) -> list[list[WorkerStatus]]:
    """Return one row a queue, in the fleet's order; within two seconds, whatever the queues do."""
    context: ApiContext = info.context
    counts = await context.queues.counts([str(row.queue) for row in QUEUES])
    async with context.database.connection() as connection:
        heartbeats = await list_heartbeats(connection)
    now = utc_now()
    return [
        [
            worker_status(row, counts if isinstance(counts, str) else counts[place], heartbeats, now)
            for place, row in enumerate(QUEUES)
        ]
    ]


# More than enough for the last success and the last failure of every job.
_RUNS = 500


async def resolve_processes(_root: Sequence[None], info: FieldInfo) -> list[list[Process]]:
    """Return the fleet, in its order."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        heartbeats = await list_heartbeats(connection)
        runs = await list_job_runs(connection, limit=_RUNS)
    now = utc_now()
    return [[process_status(row, heartbeats, runs, now) for row in FLEET]]


resolvers.field("Query", "status", resolve_status)
resolvers.field("Query", "workerStatus", resolve_worker_status)
resolvers.field("Query", "processes", resolve_processes)
