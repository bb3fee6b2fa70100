"""What is known of the processes: their queues, their heartbeats and their runs, joined by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from killreport.config import Settings
from killreport.coordination.heartbeats import ProcessHeartbeat
from killreport.coordination.job_runs import JobRun
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import KillreportError, Refused, Unavailable
from killreport.fleet.schedule import next_run
from killreport.fleet.table import ProcessRow, find_process
from killreport.queueing.broker import Broker, QueueCounts
from killreport.queueing.open import open_broker

# The answer shall come although the queues do not.
PATIENCE_SECONDS = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """A row of `workerStatus`; the schema says what its fields mean."""

    queue_name: str
    process_name: str
    kind: str
    message_count: int | None
    consumer_count: int | None
    delayed_count: int | None
    unacked_count: int | None
    dead_letter_count: int | None
    oldest_message_at: datetime | None
    trouble: str | None
    is_alive: bool
    rate_per_second: float
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A row of `processes`; the schema says what its fields mean."""

    name: str
    kind: str
    description: str
    is_extra: bool
    queue_name: str | None
    schedule: str | None
    next_run_at: datetime | None
    is_alive: bool | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    last_report: str | None
    waits_for: str | None
    waits_since: datetime | None
    memory_limit_mb: int


class QueueCounter:
    """Asks the queues for the API. Connects when first asked, and again after the broker was away."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._stack = AsyncExitStack()
        self._broker: Broker | None = None
        self._asking = asyncio.Lock()  # one question at a time: a status page is no reason for more connections

    async def ask(self, work: Callable[[Broker], Awaitable[T]], patience_seconds: float = PATIENCE_SECONDS) -> T:
        """Return what the work got from the queues. Raises Unavailable where they do not answer in time."""
        try:
            async with asyncio.timeout(patience_seconds), self._asking:
                if self._broker is None:
                    opening = open_broker(self._settings, self._database, patience_seconds=PATIENCE_SECONDS / 2)
                    self._broker = await self._stack.enter_async_context(opening)
                return await work(self._broker)
        except TimeoutError:
            raise Unavailable("The queues do not answer.") from None

    async def counts(self, queues: Sequence[str]) -> list[QueueCounts] | str:
        """Return the counts of the queues, in their order, or within two seconds why they are not known."""

        async def count(broker: Broker) -> list[QueueCounts]:
            return [await broker.counts(queue) for queue in queues]

        try:
            return await self.ask(count)
        except (KillreportError, *DATABASE_ERRORS) as error:
            return str(error)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[QueueCounter]:
        """Lend itself, and disconnect at the end."""
        async with self._stack:
            yield self


def worker_status(
    row: ProcessRow, counts: QueueCounts | str, heartbeats: Sequence[ProcessHeartbeat], now: datetime
) -> WorkerStatus:
    """Return the status of a worker with a queue. counts: a sentence where they are not known."""
    known = None if isinstance(counts, str) else counts
    own = [heartbeat for heartbeat in heartbeats if heartbeat.process == row.name]
    living = [heartbeat for heartbeat in own if heartbeat.is_alive(now)]
    error = _latest_error(own)
    return WorkerStatus(
        queue_name=str(row.queue),
        process_name=row.name,
        kind=row.kind,
        message_count=known.ready if known else None,
        consumer_count=known.consumers if known else None,
        delayed_count=known.delayed if known else None,
        unacked_count=known.unacked if known else None,
        dead_letter_count=known.dead if known else None,
        oldest_message_at=known.oldest if known else None,
        trouble=counts if isinstance(counts, str) else None,
        is_alive=bool(living),
        rate_per_second=sum(heartbeat.per_second for heartbeat in living),
        last_success_at=_latest([heartbeat.last_success_at for heartbeat in own]),
        last_error_at=error.last_error_at if error else None,
        last_error=error.last_error if error else None,
    )


def process_status(
    row: ProcessRow, heartbeats: Sequence[ProcessHeartbeat], runs: Sequence[JobRun], now: datetime
) -> ProcessStatus:
    """Return what is known of a process. runs: of all jobs, the newest first."""
    own = [heartbeat for heartbeat in heartbeats if heartbeat.process == row.name]
    of_job = [run for run in runs if run.job == row.name]
    error = _latest_error(own)
    waiting = next((heartbeat for heartbeat in own if heartbeat.is_alive(now) and heartbeat.waits_for), None)
    failure = next((run for run in of_job if run.status == "failed"), None)
    return ProcessStatus(
        name=row.name,
        kind=row.kind,
        description=row.description,
        is_extra=row.is_extra,
        queue_name=row.queue,
        schedule=row.schedule,
        next_run_at=next_run(row, now),
        is_alive=any(heartbeat.is_alive(now) for heartbeat in own) if row.kind == "worker" else None,
        last_success_at=_latest(
            [heartbeat.last_success_at for heartbeat in own]
            + [run.ended_at for run in of_job if run.status == "succeeded"]
        ),
        last_error_at=failure.ended_at if failure else error.last_error_at if error else None,
        last_error=failure.error if failure else error.last_error if error else None,
        last_report=next((run.report for run in of_job if run.report), None),
        waits_for=waiting.waits_for if waiting else None,
        waits_since=waiting.waits_since if waiting else None,
        memory_limit_mb=row.memory_limit_mb,
    )


def find_job(name: str) -> ProcessRow:
    """Return the job. Raises NotFound for a name that is no process, Refused for one that is no job."""
    row = find_process(name)
    if row.kind != "job":
        raise Refused(f"{name} is a {row.kind}, not a job.")
    return row


def _latest(moments: Sequence[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _latest_error(heartbeats: Sequence[ProcessHeartbeat]) -> ProcessHeartbeat | None:
    failed = [heartbeat for heartbeat in heartbeats if heartbeat.last_error_at is not None]
    return max(failed, key=lambda heartbeat: heartbeat.last_error_at or heartbeat.seen_at, default=None)
