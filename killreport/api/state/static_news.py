"""News of the static data: heard once a process, and all that was made from the former is made anew.

Told by the database itself, at the commit of who changed it, whatever else carries events; and looked for now and then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import structlog

from killreport.api.state.listening import acting_on
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.db.listen import listen
from killreport.eve.changes import STATIC_CHANNEL
from killreport.eve.keeping import UniverseKeeper

LOOK_SECONDS = 60.0
# What comes within this time is acted on together: a patch has its new types learnt one after the other.
PAUSE_SECONDS = 0.5

_log = structlog.get_logger(__name__)


def keeping_static_data(
    database: Database, static: UniverseKeeper, renew: Callable[[], Awaitable[None]]
) -> AbstractAsyncContextManager[None]:
    """Keep the static data of the process up to date while the block runs. renew: called after each change."""

    async def refresh() -> None:
        try:
            async with database.connection() as connection:
                is_new = await static.refresh(connection)
        except DATABASE_ERRORS as error:
            _log.warning("static_data_not_read", reason=str(error))
            return
        if is_new:
            await renew()

    return acting_on(
        "static-news",
        lambda: listen(database, STATIC_CHANNEL),
        refresh,
        look_seconds=LOOK_SECONDS,
        pause_seconds=PAUSE_SECONDS,
    )
