"""worker-redisq: follows the live feed and stores every new killmail.

Input: R2Z2 from the stored cursor, or a RedisQ-shaped queue. Effect: each killmail with all that follows from it, the
cursor and the gaps in one transaction; after it, and beside the feed, unknown entities go to their queues and open
pages are told. Retry: a package that the database does not take is tried until it does, never passed over; one that
cannot be read goes to the quarantine whole. Hazard: a cursor older than what the feed keeps jumps, and the days
between are owed to `history`, which repairs them beside the feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from killreport.background import beside, keep, racing, wait_or_end
from killreport.backoff import Backoff
from killreport.clock import monotonic, utc_now
from killreport.config import Settings
from killreport.coordination.heartbeats import beat
from killreport.coordination.publishers import publishing_killmails
from killreport.coordination.single_instance import single_instance
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import Unavailable
from killreport.esi.client import open_esi
from killreport.fleet.notify import notify_ready, notify_status
from killreport.fleet.table import ProcessRow
from killreport.ingest.reading import load_writer
from killreport.ingest.repair import HistoryRepair
from killreport.killmail.writing.store import KillmailWriter, Stored, find_cursor
from killreport.queueing.open import open_broker
from killreport.workers.delivery import DeliveryKeeper
from killreport.workers.feed_watch import FeedWatch
from killreport.workers.handover import hand_over, keep_handing_over
from killreport.zkillboard import progress, r2z2, redisq
from killreport.zkillboard.bodies import Bodies
from killreport.zkillboard.clients import ZkillboardClients, open_clients
from killreport.zkillboard.history import HistoryReader
from killreport.zkillboard.package import FeedDelivery

NAME = "worker-redisq"
log = structlog.get_logger()


class FollowedFeed(Protocol):
    """Either feed."""

    name: str

    async def next(self) -> FeedDelivery:
        """Return what is to be stored next; may be cancelled at any time."""

    async def read_ahead(self) -> None:
        """Read what comes after it while it is being stored; may be cancelled at any time."""


async def run(
    settings: Settings,
    database: Database,
    *,
    stop: asyncio.Event,
    once: bool = False,
    row: ProcessRow | None = None,  # noqa: ARG001 - as every worker's; nothing of its row can be otherwise
) -> None:
    """Follow the feed until `stop` is set, then finish the package in hand and return.

    once: until the feed has nothing new; then hand what is unknown to the queues and return. Says READY once it is the
    only one and about to ask: a feed that is away is waited for, and is no reason to call the start failed. Raises
    Conflict where another one runs on this database.
    """
    has_new = asyncio.Event()
    async with (
        open_clients(settings, database) as clients,
        open_esi(settings, database) as esi,
        publishing_killmails(settings, database) as publisher,
        beat(database, NAME) as heartbeat,
    ):
        watch = FeedWatch(settings.feed, settings.feed_silence_seconds)
        heartbeat.waiting = watch.waiting

        def on_stored(stored: Stored) -> None:
            watch.on_kill()
            if stored.quarantined:
                heartbeat.failed("A killmail went to the quarantine.")
            else:
                heartbeat.succeeded()
            if stored.event_id is not None:
                publisher.publish([stored.event_id])
                has_new.set()

        follower = _Follower(settings, database, clients, stop, watch, bodies=esi, once=once, on_stored=on_stored)
        if once:
            await follower.follow_on()
            async with open_broker(settings, database) as broker:
                await hand_over(database, broker, settings)
            return
        async with beside(keep(lambda: keep_handing_over(settings, database, has_new), "handover")):
            await follower.follow_on()


class _Follower:
    """Follows the feed as the only one on its database.

    once: only until the feed has nothing new. on_stored: called after each commit.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clients: ZkillboardClients,
        stop: asyncio.Event,
        watch: FeedWatch,
        *,
        bodies: Bodies,
        once: bool,
        on_stored: Callable[[Stored], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._clients = clients
        self._bodies = bodies
        self._stop = stop
        self._once = once
        self._on_stored = on_stored
        self._watch = watch
        self._cursor: int | None = None
        self._has_all = False

    async def follow_on(self) -> None:
        """Follow until told to stop; where the database or the lock is lost, begin anew."""
        backoff = Backoff()
        in_hand: FeedDelivery | None = None
        while not (self._stop.is_set() or self._has_all):
            try:
                in_hand = await self._follow(in_hand)
                backoff.reset()
            except (Unavailable, *DATABASE_ERRORS) as error:
                pause = backoff.next()
                log.warning("database_trouble", reason=str(error), pause_seconds=pause)
                notify_status(f"waits for the database: {error}")
                await wait_or_end(self._stop, pause)

    async def _follow(self, in_hand: FeedDelivery | None) -> FeedDelivery | None:
        """Take the lock and store what the feed hands on, `in_hand` first, until told to stop or the lock is lost.

        Returns a package that was not stored and that the feed will not give again, if there is one.
        """
        has_debt = asyncio.Event()
        async with single_instance(self._database, NAME, self._stop) as ended:
            writer = await load_writer(self._database, self._settings)
            feed = await self._open_feed(ended)
            keeper = DeliveryKeeper(
                self._database,
                writer,
                feed.name,
                cursor=self._cursor,
                has_debt=has_debt,
                on_stored=self._on_stored,
            )
            notify_ready()
            notify_status(f"follows {feed.name}")
            repair = self._repair(writer)
            async with beside(keep(lambda: repair.keep_settling(has_debt), "repair")):
                while True:
                    delivery = in_hand or await _next(feed, ended)
                    in_hand = None
                    if delivery is None:
                        return None
                    async with racing(feed.read_ahead(), ended.wait()) as reading:
                        is_kept = await keeper.keep(delivery, ended)
                        if is_kept:
                            await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
                    if not is_kept:
                        return delivery if delivery.next_sequence is None else None

    async def _open_feed(self, ended: asyncio.Event) -> FollowedFeed:
        settings, clients, watch = self._settings, self._clients, self._watch

        def on_nothing() -> None:
            if self._once:
                self._has_all = True
                ended.set()

        if settings.feed == "redisq":
            # What a queue sent to a process that died is gone; the history has it.
            async with self._database.connection() as connection:
                await progress.owe_days(connection, progress.list_days_between(utc_now(), utc_now()))
            where = redisq.Address(settings.redisq_url, settings.redisq_queue)
            return redisq.RedisqFeed(
                clients.redisq,
                self._bodies,
                where,
                on_answer=watch.on_answer,
                on_nothing=on_nothing,
                on_trouble=watch.on_trouble,
            )
        async with self._database.connection() as connection:
            self._cursor = await find_cursor(connection, r2z2.NAME)
            gaps = await progress.list_gaps(connection, r2z2.NAME)
        walk = r2z2.make_walk(settings, self._cursor)
        walk.load_gaps(gaps, monotonic())
        return r2z2.R2z2Feed(
            clients.r2z2,
            settings.r2z2_url,
            walk,
            on_answer=watch.on_answer,
            on_nothing=on_nothing,
            on_trouble=watch.on_trouble,
        )

    def _repair(self, writer: KillmailWriter) -> HistoryRepair:
        history = HistoryReader(self._clients.r2z2, self._settings.r2z2_url)
        return HistoryRepair(self._database, writer, history, self._bodies)


async def _next(feed: FollowedFeed, ended: asyncio.Event) -> FeedDelivery | None:
    """Return the next delivery, None when told to end."""
    async with racing(feed.next(), ended.wait()) as (coming, ending):
        await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
        delivery: FeedDelivery | None = coming.result() if coming.done() else None
        return delivery
