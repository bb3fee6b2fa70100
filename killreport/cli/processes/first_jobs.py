"""The jobs a new installation is to run once, in their order, each when the queues have done the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from killreport.errors import Conflict
from killreport.fleet.table import QUEUES

if TYPE_CHECKING:
    from killreport.cli.processes.foreground import FleetScreen
    from killreport.config import Settings
    from killreport.db.database import Database
    from killreport.queueing.broker import Broker
    from killreport.supervisor.main import Supervisor

FIRST_JOBS = (
    "queue-alliances",
    "queue-alliance-corporations",
    "snapshot-alliances",
    "snapshot-corporations",
    "update-alliance-counts",
    "queue-character-corporations",
    "queue-characters",
)
# New killmails keep the queues from ever being empty for long; the next job then does with what there is.
MAX_WAIT_SECONDS = 120.0
LOOK_SECONDS = 0.5


async def run_first_jobs(settings: Settings, database: Database, run: Callable[[str], Awaitable[object]]) -> None:
    """Run the jobs that have never succeeded on this database. run: does so with the one of that name."""
    from killreport.coordination.job_runs import last_runs
    from killreport.queueing.open import open_broker

    async with database.connection() as connection:
        done = {job for job, run in (await last_runs(connection)).items() if run.status == "succeeded"}
    async with open_broker(settings, database) as broker:
        for job in FIRST_JOBS:
            if job not in done:
                await _wait_until_idle(broker)
                await run(job)


async def run_first_jobs_told(
    settings: Settings, database: Database, supervisor: Supervisor, screen: FleetScreen
) -> None:
    """Run those jobs as processes of the supervisor's, and tell how each ended; one that fails stops none."""

    async def run(job: str) -> None:
        try:
            record = await asyncio.shield(await supervisor.verbs.trigger(job))
        except Conflict as refusal:
            screen.trouble(job, str(refusal))
        else:
            seconds = (record.ended_at - record.started_at).total_seconds() if record.ended_at else 0.0
            screen.job_ended(job, "succeeded" if record.status == 0 else "failed", seconds, record.last_line)

    await run_first_jobs(settings, database, run)


async def _wait_until_idle(broker: Broker) -> None:
    """Return when no queue has anything ready, or when that takes too long."""
    looks = int(MAX_WAIT_SECONDS / LOOK_SECONDS)
    for _ in range(looks):
        counts = [await broker.counts(str(row.queue)) for row in QUEUES]
        if not any(count.ready or count.unacked for count in counts):
            return
        await asyncio.sleep(LOOK_SECONDS)
