"""`/status`: how the processes and their queues do."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from killreport.clock import utc_now
from killreport.web.health import feed_health, health_groups, troubles
from killreport.web.model import ApiProcess, ApiQueue, StatusOfFeed, Struct
from killreport.web.site import Site

DOCUMENT = """
query Site_Status {
  processes: fleet {
    name kind description isExtra queueName schedule nextRunAt isAlive lastSuccessAt lastErrorAt lastError lastReport
    waitsFor waitsSince
  }
  workerStatus { queueName messageCount delayedCount deadLetterCount oldestMessageAt ratePerSecond trouble }
  status { killmailCount lastStoredAt feed { newestKillmailAt heardAt isSilent trouble } }
}
"""


class StatusAnswer(Struct, frozen=True):
    """Answer to `DOCUMENT`; what could not be told is None."""

    processes: list[ApiProcess | None]
    worker_status: list[ApiQueue | None]
    status: StatusOfFeed

    @property
    def told_processes(self) -> list[ApiProcess]:
        """Return the processes of which the API could tell."""
        return [process for process in self.processes if process is not None]

    @property
    def queues(self) -> list[ApiQueue]:
        """Return the queues of which the API could tell."""
        return [queue for queue in self.worker_status if queue is not None]


async def status(request: Request) -> Response:
    """Render the state of every process, made anew at each look."""
    site: Site = request.app.state.site
    answer = await site.client_for(request).ask(DOCUMENT, StatusAnswer)
    now = utc_now()
    groups = health_groups(answer.told_processes, answer.queues, now)
    return site.page(
        "status.html",
        groups=groups,
        process_count=len(answer.told_processes),
        troubles=troubles(groups),
        feed=feed_health(answer.status.feed, now),
        queue_trouble=next((queue.trouble for queue in answer.queues if queue.trouble), None),
        as_of=f"{now:%H:%M:%S}",
        killmail_count=answer.status.killmail_count,
    )
