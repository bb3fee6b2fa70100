"""`/status`: how the processes and their queues do."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from killreport.clock import utc_now
from killreport.web.health import feed_health, health_groups, troubles
from killreport.web.site import Site


async def status(request: Request) -> Response:
    """Render the state of every process, made anew at each look."""
    site: Site = request.app.state.site
    answer = await site.client_for(request).status()
    now = utc_now()
    groups = health_groups(answer, now)
    return site.page(
        "status.html",
        groups=groups,
        process_count=len(answer.told_processes),
        troubles=troubles(groups),
        feed=feed_health(answer, now),
        queue_trouble=next((queue.trouble for queue in answer.queues if queue.trouble), None),
        as_of=f"{now:%H:%M:%S}",
        killmail_count=answer.status.killmail_count,
    )
