"""The one consumer loop of the embedded queues."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

import asyncpg
import structlog

from killreport.background import beside, wait_or_end
from killreport.backoff import Backoff
from killreport.clock import monotonic
from killreport.db.connection import connect
from killreport.db.database import DATABASE_ERRORS, Connection
from killreport.fleet.table import ProcessRow
from killreport.queueing import embedded_store as store
from killreport.queueing.broker import Delivery, Handler, Priority
from killreport.queueing.handling import Absence, Again, Back, Dead, Done, Outcome, handle

# Before the second try to come back; the first is made at once.
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 5.0
# How often a consumer looks without being told: for what a consumer that died had, and for what was delayed.
LOOK_SECONDS = 2.0
LOOK_SPREAD = 0.25
# Two consumers that both find something due: the one that comes second need not ask again in the same millisecond.
LOOK_FLOOR_SECONDS = 0.005
STATEMENT_SECONDS = 30.0
# A consumer that is told to stop while the database is away waits so long to say what it has done.
FAREWELL_SECONDS = 8.0

CONSUMER_SESSION = {
    # A lease or an acknowledgement that is lost with the server is one more delivery; nothing waits for the disk here.
    "synchronous_commit": "off",
    # The plan is made when the tables are small and kept while they grow: it must be the one for large ones.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    # It looks every other second: one that says nothing for so long is gone, whatever stands between keeps quiet about
    # it, and its messages are another's.
    "idle_session_timeout": "60s",
}

log = structlog.get_logger()


@dataclass(frozen=True, eq=False, slots=True)
class _Leased:
    """A message in hand. Told from others by identity: one may come twice, when it was lost and found."""

    message_id: int
    body: bytes
    delivery: Delivery


class EmbeddedConsumer:
    """Takes messages of one queue and hands them to a handler, up to `prefetch` at once, until told to stop."""

    def __init__(
        self, url: str, row: ProcessRow, handler: Handler, prefetch: int, stop: asyncio.Event, *, drain: bool
    ) -> None:
        self._url = url
        self._row = row
        self._queue = str(row.queue)
        self._handler = handler
        self._prefetch = prefetch
        self._stop = stop
        self._drain = drain
        self._connection: Connection | None = None
        self._consumer_id: int | None = None
        self._absence = Absence()
        self._look_at = 0.0
        self._wake = asyncio.Event()
        # A place is taken by a message, and after it by a pause where the other side is away.
        self._places: set[asyncio.Task[None]] = set()
        self._in_hand: set[_Leased] = set()
        # What a place failed with, which no handler can cause. It ends the consumer, or the message would stay in hand.
        self._failure: BaseException | None = None
        self._settled: list[tuple[_Leased, Outcome]] = []

    async def run(self) -> None:
        """Work until told to stop or, draining, until nothing is left; then let what is in hand finish.

        Comes back by itself when the connection is lost. Cancelled, it returns what is in hand, uncounted.
        """
        try:
            async with beside(self._watch_stop(), "stop"):
                await self._keep_working()
        finally:
            for place in self._places:
                place.cancel()
            await asyncio.gather(*self._places, return_exceptions=True)
            await self._leave()

    async def _keep_working(self) -> None:
        backoff = Backoff(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS)
        give_up_at: float | None = None
        while True:
            try:
                connection = await self._attach()
                backoff.reset()
                return await self._work(connection)
            except asyncpg.SyntaxOrAccessError:
                raise  # no tables, no rights: waiting does not help
            except DATABASE_ERRORS as error:
                pause = backoff.next()
                log.warning("queue_connection_lost", queue=self._queue, reason=str(error), retry_seconds=pause)
            if self._connection is not None:
                self._connection.terminate()
            if self._stop.is_set() and not self._places:
                give_up_at = give_up_at or monotonic() + FAREWELL_SECONDS
                if not self._in_hand:
                    return None
                if monotonic() > give_up_at:
                    log.warning("queue_left_without_word", queue=self._queue, in_hand=len(self._in_hand))
                    return None
            await asyncio.sleep(pause)

    async def _attach(self) -> Connection:
        """Connect, listen, and take over what the connection before had in hand."""
        connection = await connect(
            self._url, f"consume {self._queue}", seconds=STATEMENT_SECONDS, session=CONSUMER_SESSION
        )
        self._connection = connection
        connection.add_termination_listener(lambda _connection: self._look_now())
        await connection.add_listener(store.CHANNEL, lambda _connection, _pid, _channel, queue: self._notified(queue))
        in_hand = [leased.message_id for leased in self._in_hand]
        before = self._consumer_id
        self._consumer_id, kept = await store.attach(connection, self._queue, before, in_hand)
        if before is not None:
            log.info("queue_connection_back", queue=self._queue, in_hand=len(in_hand), kept=kept)
        self._look_now()
        return connection

    async def _work(self, connection: Connection) -> None:
        while True:
            self._wake.clear()
            if self._failure is not None:
                raise self._failure
            await self._settle(connection)
            if monotonic() >= self._look_at:
                await self._look(connection)
            room, taken = self._prefetch - len(self._places), 0
            if room > 0 and not self._stop.is_set():
                taken = await self._take(connection, room)
            if not self._in_hand and (self._stop.is_set() or (self._drain and room > 0 and taken == 0)):
                return
            await wait_or_end(self._wake, max(0.0, self._look_at - monotonic()))

    async def _take(self, connection: Connection, limit: int) -> int:
        rows = await store.take(connection, self._queue, self._lease(), limit)
        for row in rows:
            delivery = Delivery(
                queue=self._queue,
                attempt=row["attempt"],
                priority=Priority(row["priority"]),
                published_at=row["published_at"],
                losses=row["losses"],
            )
            leased = _Leased(row["message_id"], row["body"], delivery)
            self._in_hand.add(leased)
            place = asyncio.create_task(self._occupy(leased))
            self._places.add(place)
            place.add_done_callback(self._free)
        return len(rows)

    async def _occupy(self, leased: _Leased) -> None:
        outcome = await handle(self._row, leased.body, leased.delivery, self._handler, absence=self._absence)
        self._settled.append((leased, outcome))
        self._wake.set()
        # Who drains is done when nothing is ready: it leaves what must wait, and waits for nobody.
        if isinstance(outcome, Back) and not self._drain:
            await wait_or_end(self._stop, outcome.delay.total_seconds())

    def _free(self, place: asyncio.Task[None]) -> None:
        self._places.discard(place)
        if not place.cancelled():
            self._failure = self._failure or place.exception()
        self._wake.set()

    async def _settle(self, connection: Connection) -> None:
        """Write what became of the messages whose handlers have finished."""
        batch = self._settled[:]
        if not batch:
            return
        done: list[int] = []
        returned: list[tuple[int, int, timedelta]] = []
        dead: list[tuple[int, str]] = []
        for leased, outcome in batch:
            match outcome:
                case Done():
                    done.append(leased.message_id)
                case Back(delay, _):
                    returned.append((leased.message_id, leased.delivery.attempt, delay))
                case Again(delay, _):
                    returned.append((leased.message_id, leased.delivery.attempt + 1, delay))
                case Dead(reason):
                    dead.append((leased.message_id, reason))
                case _:
                    assert_never(outcome)
        if done:
            await store.delete_done(connection, self._lease(), done)
        if returned:
            await store.give_back(connection, self._lease(), returned)
            soonest = min(delay for _, _, delay in returned)
            self._look_at = min(self._look_at, monotonic() + soonest.total_seconds())
        if dead:
            await store.bury(connection, self._lease(), dead)
        # Only now: where a statement failed, the connection comes back and all of it is said again.
        del self._settled[: len(batch)]
        self._in_hand.difference_update(leased for leased, _ in batch)

    async def _look(self, connection: Connection) -> None:
        """Bring back what dead consumers had and what is due, and note when to look again."""
        lost = await store.return_lost(connection, self._queue, self._lease())
        if lost:
            log.warning("queue_messages_returned", queue=self._queue, count=lost)
        next_due = await store.promote(connection, self._queue)
        # Spread, so that the consumers of a queue do not all look in the same instant.
        pause = LOOK_SECONDS * (1 + LOOK_SPREAD * random.random())  # noqa: S311 - nothing secret
        self._look_at = monotonic() + (pause if next_due is None else min(pause, next_due + LOOK_FLOOR_SECONDS))

    async def _leave(self) -> None:
        """Return what is still in hand and end the connection; where it is lost, the others find out by themselves."""
        if self._connection is None:
            return
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                if not self._connection.is_closed() and self._consumer_id is not None:
                    await self._settle(self._connection)
                    await store.release_all(self._connection, self._queue, self._consumer_id)
                    await self._connection.close()
        except DATABASE_ERRORS as error:
            log.warning("queue_left_without_word", queue=self._queue, reason=str(error))
        finally:
            self._connection.terminate()

    def _lease(self) -> int:
        assert self._consumer_id is not None  # set by `_attach`, before which there is no work
        return self._consumer_id

    def _notified(self, queue: str) -> None:
        if queue == self._queue:
            self._wake.set()

    def _look_now(self) -> None:
        self._look_at = 0.0
        self._wake.set()

    async def _watch_stop(self) -> None:
        await self._stop.wait()
        self._wake.set()
