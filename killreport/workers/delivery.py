"""Stores what a feed hands on, in one transaction a delivery, and does not let go of one until it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from killreport.background import wait_or_end
from killreport.backoff import Backoff
from killreport.clock import utc_now
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.fleet.notify import notify_status
from killreport.ingest.reading import read_package
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.stored.quarantine import Reject
from killreport.killmail.writing.store import FeedCursor, KillmailWriter, Stored
from killreport.zkillboard import progress
from killreport.zkillboard.package import FeedDelivery
from killreport.zkillboard.walk import GAP_LIFE_SECONDS

log = structlog.get_logger()


class DeliveryKeeper:
    """Stores the deliveries of one feed, in their order.

    cursor: where the feed stands now. has_debt: set whenever days are owed to the history. on_stored: called after
    each commit of a killmail; it must not wait for anything.
    """

    def __init__(
        self,
        database: Database,
        writer: KillmailWriter,
        feed: str,
        *,
        cursor: int | None,
        has_debt: asyncio.Event,
        on_stored: Callable[[Stored], None] = lambda _stored: None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._feed = feed
        self._cursor = cursor
        self._has_debt = has_debt
        self._on_stored = on_stored

    async def keep(self, delivery: FeedDelivery, ended: asyncio.Event) -> bool:
        """Store a delivery, trying until the database takes it; return False when told to end before it did.

        A killmail that the database refuses for what it holds is in the quarantine by then, so that the feed goes on.
        """
        entry = read_package(delivery.package, self._feed, is_from_feed=True) if delivery.package else None
        backoff = Backoff()
        while True:
            try:
                stored = await self._store(delivery, entry)
            except DATABASE_ERRORS as error:
                pause = backoff.next()
                log.warning("database_trouble", sequence=delivery.next_sequence, reason=str(error), pause_seconds=pause)
                if await wait_or_end(ended, pause):
                    return False
                notify_status(f"waits for the database: {error}")
                continue
            if backoff.failures:
                notify_status("follows the feed")
            if stored is not None and entry is not None:
                self._on_stored(stored)
            self._tell(delivery, entry, stored)
            if delivery.next_sequence is not None:
                self._cursor = delivery.next_sequence
            return True

    async def _store(self, delivery: FeedDelivery, entry: Arrival | Reject | None) -> Stored | None:
        sequence = delivery.next_sequence
        if sequence is not None and (delivery.jumped_from is not None or delivery.lost_gaps):
            await self._give_up(delivery, sequence)
            return None
        return await self._writer.store(
            self._database,
            [entry] if isinstance(entry, Arrival) else [],
            rejects=[entry] if isinstance(entry, Reject) else [],
            cursor=None if sequence is None else FeedCursor(self._feed, sequence),
            gaps=delivery.gaps,
            filled_gaps=delivery.filled_gaps,
        )

    async def _give_up(self, delivery: FeedDelivery, sequence: int) -> None:
        """Note which days the history must make good for numbers that are not to be had any more."""
        now = utc_now()
        async with self._database.connection() as connection:
            if delivery.jumped_from is not None:
                moved_at = await progress.find_last_move(connection, self._feed) or now
                await progress.note_jump(connection, self._feed, sequence, progress.list_days_between(moved_at, now))
            else:
                noted_at = now - timedelta(seconds=GAP_LIFE_SECONDS)
                days = progress.list_days_between(noted_at, now)
                await progress.give_up_gaps(connection, self._feed, delivery.lost_gaps, days)
        self._has_debt.set()

    def _tell(self, delivery: FeedDelivery, entry: Arrival | Reject | None, stored: Stored | None) -> None:
        """Write one line for each outcome; a gap that is still one is none."""
        if delivery.jumped_from is not None:
            log.warning("feed_jump", feed=self._feed, left=delivery.jumped_from, reached=delivery.next_sequence)
        if delivery.lost_gaps:
            log.warning("feed_gap_lost", feed=self._feed, sequences=delivery.lost_gaps)
        gaps = [sequence for sequence in delivery.gaps if self._cursor is not None and sequence >= self._cursor]
        if gaps:
            log.warning("feed_gap", feed=self._feed, first=gaps[0], count=len(gaps))
        if isinstance(entry, Reject):
            log.warning("killmail_quarantined", reference=entry.reference, reason=entry.reason, path=entry.path)
        elif entry is not None and stored is not None:
            event = "killmail_known"
            if stored.quarantined:
                event = "killmail_quarantined"
            elif stored.new_ids:
                event = "killmail_stored"
            elif stored.changed_ids:
                event = "killmail_changed"
            log.info(event, killmail_id=entry.mail.killmail_id, reference=entry.reference)
