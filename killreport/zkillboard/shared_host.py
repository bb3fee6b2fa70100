"""A client of a host that bans: what it says to one process, all processes keep.

Several ask R2Z2's host: the feed, the repair beside it, the job and the command that compare days. Each has a pace of
its own, which together stay below what the host allows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import structlog

from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import KillreportError, Refused, Transient, Unavailable
from killreport.http import HttpClient
from killreport.zkillboard.pacing import pause_left, postpone_requests
from killreport.zkillboard.walk import pause_of

log = structlog.get_logger()


class SharedHost:
    """Asks like the client it is given, but not while any process was told to leave the host alone.

    Without the database, whose absence is others' to tell, it asks as the client would.
    """

    def __init__(self, http: HttpClient, database: Database, endpoint: str) -> None:
        self._http = http
        self._database = database
        self._endpoint = endpoint

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the whole body. Raises as the client, and Transient during a pause."""
        await self._check()
        try:
            return await self._http.get(url, params)
        except (Transient, Refused) as error:
            await self._share(error)
            raise

    async def stream(self, url: str) -> AsyncIterator[bytes]:
        """Yield the body in pieces. Raises like `get`."""
        await self._check()
        try:
            async for piece in self._http.stream(url):
                yield piece
        except (Transient, Refused) as error:
            await self._share(error)
            raise

    async def _check(self) -> None:
        try:
            async with self._database.connection() as connection:
                left = await pause_left(connection, self._endpoint)
        except (Unavailable, *DATABASE_ERRORS):
            return
        if left > 0:
            raise Transient(f"{self._endpoint} asked us to back off; {left:.0f} s are left.", left)

    async def _share(self, error: KillreportError) -> None:
        try:
            async with self._database.connection() as connection:
                await postpone_requests(connection, self._endpoint, timedelta(seconds=pause_of(error) or 0.0))
        except (Unavailable, *DATABASE_ERRORS) as trouble:
            log.warning("pause_not_told", endpoint=self._endpoint, reason=str(trouble))
