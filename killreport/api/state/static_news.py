"""News of the static data: heard once a process, and all that was made from the former is made anew.

Told by the database itself, at the commit of who changed it, whatever else carries events; and looked for now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import structlog

from killreport.background import beside, keep, wait_or_end
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.db.listen import listen
from killreport.eve.changes import STATIC_CHANNEL
from killreport.eve.keeping import UniverseKeeper

LOOK_SECONDS = 60.0
# What comes within this time is acted on together: a patch has its new types learnt one after the other.
PAUSE_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class StaticNews:
    """Keeps the static data of the process up to date. renew: called after each change."""

    def __init__(self, database: Database, static: UniverseKeeper, renew: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._static = static
        self._renew = renew
        self._woken = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen in the background while the block runs."""
        async with beside(keep(self._listen, "static-listen")), beside(keep(self._act, "static-news")):
            yield

    async def _listen(self) -> None:
        async with aclosing(listen(self._database, STATIC_CHANNEL)) as payloads:
            async for _payload in payloads:
                self._woken.set()

    async def _act(self) -> None:
        while True:
            await wait_or_end(self._woken, LOOK_SECONDS)
            self._woken.clear()
            try:
                async with self._database.connection() as connection:
                    is_new = await self._static.refresh(connection)
            except DATABASE_ERRORS as error:
                _log.warning("static_data_not_read", reason=str(error))
                continue
            if is_new:
                await self._renew()
            await asyncio.sleep(PAUSE_SECONDS)
