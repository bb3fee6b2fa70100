"""What is followed of the status: the rows of the workers, and the runs of jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from killreport.api.state.polling import Follower, Poll
from killreport.api.state.processes import QueueCounter, WorkerStatus, worker_status
from killreport.clock import utc_now
from killreport.coordination.heartbeats import list_heartbeats
from killreport.coordination.job_runs import JobRun, list_job_runs
from killreport.db.database import Database
from killreport.fleet.table import ProcessRow

WORKER_SECONDS = 2.0
RUN_SECONDS = 1.0
# So many runs are compared with those of the look before; of a minute there are a handful.
RUNS = 100


async def list_worker_status(
    database: Database, queues: QueueCounter, fleet: Sequence[ProcessRow]
) -> list[WorkerStatus]:
    """Return one row a queue, in the fleet's order; within two seconds, whatever the queues do."""
    rows = [row for row in fleet if row.queue is not None]
    counts = await queues.counts([str(row.queue) for row in rows])
    async with database.connection() as connection:
        heartbeats = await list_heartbeats(connection)
    now = utc_now()
    return [
        worker_status(row, counts if isinstance(counts, str) else counts[place], heartbeats, now)
        for place, row in enumerate(rows)
    ]


class StatusPolls:
    """The polls of one API process."""

    def __init__(self, database: Database, queues: QueueCounter, fleet: Sequence[ProcessRow]) -> None:
        self._database = database
        self._queues = queues
        self._fleet = fleet
        self.workers = Poll("worker_status", self._look_at_workers, WORKER_SECONDS)
        self.runs = Poll("job_runs", self._look_at_runs, RUN_SECONDS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[StatusPolls]:
        """Lend itself, and look no more at the end."""
        try:
            yield self
        finally:
            await self.workers.close()
            await self.runs.close()

    async def _look_at_workers(self) -> list[WorkerStatus]:
        return await list_worker_status(self._database, self._queues, self._fleet)

    async def _look_at_runs(self) -> list[JobRun]:
        async with self._database.connection() as connection:
            return await list_job_runs(connection, limit=RUNS)


class RunChanges:
    """An async iterator of runs that began or ended, the oldest first, after those of the first state."""

    def __init__(self, follower: Follower[list[JobRun]], known: Sequence[JobRun]) -> None:
        self._follower = follower
        self._known = {run.run_id: run.status for run in known}
        self._news: deque[JobRun] = deque()

    def __aiter__(self) -> RunChanges:
        return self

    async def __anext__(self) -> JobRun:
        """Return the next run that is new or has another status than before."""
        while not self._news:
            runs = await anext(self._follower)
            self._news.extend(run for run in reversed(runs) if self._known.get(run.run_id) != run.status)
            self._known = {run.run_id: run.status for run in runs}
        return self._news.popleft()

    async def aclose(self) -> None:
        """Follow no more."""
        await self._follower.aclose()


async def follow_runs(polls: StatusPolls) -> RunChanges:
    """Return what happens from now on to runs of jobs."""
    follower = polls.runs.follow()
    return RunChanges(follower, await anext(follower))
