"""Makes stored days whole: compares them with zKillboard's history and stores what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

import structlog

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import KillreportError, Malformed, NotFound, Refused, Transient
from killreport.esi.client import open_esi
from killreport.http import Pacer
from killreport.ingest.reading import load_writer, read_body
from killreport.killmail.mail.arrival import Arrival, is_hash
from killreport.killmail.stored.coverage import count_by_day, find_missing, keep_published
from killreport.killmail.stored.quarantine import Reject
from killreport.killmail.writing.store import KillmailWriter
from killreport.zkillboard.bodies import Bodies
from killreport.zkillboard.clients import open_clients
from killreport.zkillboard.history import HistoryReader
from killreport.zkillboard.progress import list_owed_days, settle_days

SOURCE = "history"
BATCH_KILLMAILS = 500
BATCH_BYTES = 8 * 2**20
# A day's file comes out at about 06:00 UTC; asking once an hour is soon enough.
OWED_AGAIN_SECONDS = 3600.0
AFTER_TROUBLE_SECONDS = 300.0
# Beside the feed, on the same host, which bans above 15 a second; a day takes two or three requests.
HISTORY_PER_SECOND = 2.0
# ESI grants 3,600 tokens in 15 minutes to everything about killmails, and a whole answer costs two: no faster than
# that, and others want some too. A pause it asks for is waited out up to this long, so often, before a repair gives up.
ESI_PER_SECOND = 2.0
MAX_ESI_PAUSE_SECONDS = 120.0
MAX_ESI_PAUSES = 3

log = structlog.get_logger()


@dataclass(frozen=True)
class DayRepair:
    """A day compared with its history.

    missing: published killmails that are not stored, even now. postponed: those of them that may be had another time.
    """

    day: date
    published: int
    stored_before: int
    stored_after: int
    missing: int
    postponed: int = 0


class HistoryRepair:
    """Compares and fills days through the one writer.

    bodies: where single killmails are read whose bodies the history does not have (days before 2026-07-01).
    """

    def __init__(
        self,
        database: Database,
        writer: KillmailWriter,
        history: HistoryReader,
        bodies: Bodies,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._writer = writer
        self._history = history
        self._bodies = bodies
        self._sleep = sleep
        self._pacer = Pacer(ESI_PER_SECOND, sleep=sleep)

    async def repair(self, days: Collection[date], *, trust_counts: bool) -> AsyncIterator[DayRepair]:
        """Make the days whole and yield each when it is done, first to last; days not published yet are left out.

        trust_counts: a day with as many killmails as published counts as whole without comparing ids.
        A killmail that is in quarantine stays missing. Safe to repeat and to break off: what is stored stays.
        Raises as the HTTP client and the database do.
        """
        totals = await self._history.totals()
        published_days = sorted(day for day in set(days) if day in totals)
        async with self._database.connection() as connection:
            await keep_published(connection, totals, utc_now())
            counts = await count_by_day(connection, published_days)
        for day in published_days:
            if trust_counts and counts[day] == totals[day]:
                yield DayRepair(day, totals[day], counts[day], counts[day], 0)
            else:
                yield await self._repair_day(day, counts[day])

    async def settle_owed(self) -> Collection[date]:
        """Repair the days owed since a jump of the feed, and return those that are owed still.

        A day is settled once its ids were compared and all that can be had is stored; one that is not published
        stays owed, unless a later one is published: then nothing happened on it.
        """
        async with self._database.connection() as connection:
            owed = await list_owed_days(connection)
        if not owed:
            return []
        newest = max(await self._history.totals(), default=date.min)
        # The newest day may still be growing: it is compared now and once more when the next one is there.
        settled = {day: since for day, since in owed.items() if day < newest}
        async for done in self.repair(owed, trust_counts=False):
            if done.postponed:
                settled.pop(done.day, None)
            log.info(
                "history_repaired",
                day=done.day.isoformat(),
                published=done.published,
                stored=done.stored_after - done.stored_before,
                missing=done.missing,
            )
        async with self._database.connection() as connection:
            await settle_days(connection, settled)
            return await list_owed_days(connection)

    async def keep_settling(self, has_new: asyncio.Event) -> None:
        """Settle what is owed, now, whenever `has_new` is set, and every hour while a day is owed; until cancelled."""
        while True:
            has_new.clear()
            pause: float | None
            try:
                pause = OWED_AGAIN_SECONDS if await self.settle_owed() else None
            except (KillreportError, *DATABASE_ERRORS) as error:
                pause = _pause_after(error)
                log.warning("history_trouble", reason=str(error), pause_seconds=pause)
            try:
                async with asyncio.timeout(pause):
                    await has_new.wait()
            except TimeoutError:
                continue

    async def _repair_day(self, day: date, stored_before: int) -> DayRepair:
        hashes = await self._history.hashes(day)
        async with self._database.connection() as connection:
            missing = await find_missing(connection, hashes)
        postponed = 0
        if missing:
            postponed = await self._store_missing(day, {killmail_id: hashes[killmail_id] for killmail_id in missing})
        async with self._database.connection() as connection:
            stored_after = (await count_by_day(connection, [day]))[day]
            still_missing = await find_missing(connection, missing)
        return DayRepair(day, len(hashes), stored_before, stored_after, len(still_missing), postponed)

    async def _store_missing(self, day: date, wanted: dict[int, str]) -> int:
        """Store what can be had, and return how many may be had another time. What came before an error is stored."""
        batch: list[Arrival | Reject] = []
        postponed: list[int] = []
        size = 0
        try:
            async for killmail_id, body in self._read_bodies(day, dict(wanted), postponed):
                batch.append(read_body(body, killmail_id, SOURCE, wanted[killmail_id]))
                size += len(body)
                if len(batch) == BATCH_KILLMAILS or size >= BATCH_BYTES:
                    await self._store(batch)
                    batch, size = [], 0
        except KillreportError:
            await self._store(batch)
            raise
        await self._store(batch)
        return len(postponed)

    async def _read_bodies(
        self, day: date, wanted: dict[int, str], postponed: list[int]
    ) -> AsyncIterator[tuple[int, bytes]]:
        """Yield the wanted killmails from the day's file of bodies, then those it lacks one by one from ESI."""
        try:
            async for killmail_id, body in self._history.killmails(day):
                if wanted.pop(killmail_id, None) is not None:
                    yield killmail_id, body
        except NotFound:
            log.info("history_without_bodies", day=day.isoformat(), killmails=len(wanted))
        for killmail_id, claimed_hash in sorted(wanted.items()):
            if not is_hash(claimed_hash):  # it would be a part of an address
                log.warning("killmail_not_to_be_had", killmail_id=killmail_id, reason="its hash is none")
                continue
            try:
                yield killmail_id, await self._read_body(killmail_id, claimed_hash)
            except (NotFound, Refused, Malformed, Transient) as error:
                if isinstance(error, Transient):
                    if error.retry_after is not None:
                        raise
                    # This one fails, however often it is asked for; ESI itself being away is another error.
                    postponed.append(killmail_id)
                log.warning("killmail_not_to_be_had", killmail_id=killmail_id, reason=str(error))

    async def _read_body(self, killmail_id: int, claimed_hash: str) -> bytes:
        """Read one killmail at a gentle pace; pauses that ESI asks for are waited out, a few times."""
        for left in reversed(range(MAX_ESI_PAUSES + 1)):
            await self._pacer.turn()
            try:
                return await self._bodies.killmail(killmail_id, claimed_hash)
            except Transient as error:
                if error.retry_after is None or error.retry_after > MAX_ESI_PAUSE_SECONDS or not left:
                    raise
                log.info("history_pauses", reason=str(error), pause_seconds=error.retry_after)
                await self._sleep(error.retry_after)
        raise AssertionError  # the last try returns or raises

    async def _store(self, batch: Sequence[Arrival | Reject]) -> None:
        arrivals = [entry for entry in batch if isinstance(entry, Arrival)]
        rejects = [entry for entry in batch if isinstance(entry, Reject)]
        if batch:
            await self._writer.store(self._database, arrivals, rejects=rejects)


@asynccontextmanager
async def open_repair(settings: Settings, database: Database) -> AsyncIterator[HistoryRepair]:
    """Lend a repair from the configured hosts, with a writer of its own."""
    async with open_clients(settings, database, HISTORY_PER_SECOND) as clients, open_esi(settings, database) as esi:
        writer = await load_writer(database, settings)
        history = HistoryReader(clients.r2z2, settings.r2z2_url)
        yield HistoryRepair(database, writer, history, esi)


def _pause_after(error: Exception) -> float:
    if isinstance(error, Transient) and error.retry_after is not None:
        return max(error.retry_after, 1.0)
    return OWED_AGAIN_SECONDS if isinstance(error, Refused) else AFTER_TROUBLE_SECONDS
