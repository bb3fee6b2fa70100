"""`/`: the list of kills, newest first, live on its first page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from killreport.web.live import PAGE_ROWS
from killreport.web.rows import by_day
from killreport.web.site import Site


async def home(request: Request) -> Response:
    """Render one page of kills; `?after=` is the cursor of the page before."""
    site: Site = request.app.state.site
    after = request.query_params.get("after") or None
    # Taken before the API is asked: what is stored in between then comes by the stream, at worst twice.
    since = site.live.last_event_id
    answer = await site.client_for(request).list_killmails(PAGE_ROWS, after)
    page = answer.killmails
    return site.page(
        "home.html",
        days=by_day([site.row(row) for row in page.rows]),
        is_first=after is None,
        since=since,
        limit=PAGE_ROWS,
        older=page.page_info.end_cursor if page.page_info.has_next_page else None,
        killmail_count=answer.status.killmail_count,
    )
