"""Storing a killmail that somebody posts: read from ESI, verified, stored by the one writer, told as the feed tells.

Whom and what it names is on the ledger with it; the sweep of worker-redisq hands that to the queues.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from graphql import GraphQLError

from killreport.api.door.audit import asking_client
from killreport.api.door.masking import error_code
from killreport.config import Settings
from killreport.coordination.events import KILLMAIL_CHANNEL, Events
from killreport.db.database import Database
from killreport.door.client import Client
from killreport.errors import Malformed, NotFound, Refused, Transient, Unavailable
from killreport.esi.client import EsiClient, open_esi
from killreport.eve.keeping import UniverseKeeper
from killreport.http import HttpClient, Pacer, open_session
from killreport.ingest.reading import make_writer, read_body
from killreport.killmail.mail.arrival import Arrival, read_hash
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.stored.queries import KillmailRow, get_killmails
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from killreport.zkillboard.character_list import ENDPOINT
from killreport.zkillboard.killmail_link import find_hash
from killreport.zkillboard.pacing import MAX_WAIT, obeying_pauses, reserve_request

SOURCE = "post"
# Somebody waits for the answer; the workers, who have the same budget, can wait longer.
PATIENCE_SECONDS = 10.0
MAX_AT_ONCE = 4
# Strangers may guess: ESI refuses everything from an address that made 100 errors in a minute.
POSTS_PER_SECOND = 0.5
# At that pace whoever comes after these would wait in vain.
MAX_WAITING = 8
# Of those; otherwise one stranger who guesses hashes keeps everybody else from posting.
MAX_OF_A_CLIENT = 2
ZKILLBOARD_PER_SECOND = 1.0


class KillmailPosting:
    """Stores posted killmails, a few at a time."""

    def __init__(self, database: Database, static: UniverseKeeper, settings: Settings, events: Events) -> None:
        self._database = database
        self._static = static
        self._settings = settings
        self._events = events
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)
        self._waiting: Counter[str | None] = Counter()
        self._pacer = Pacer(POSTS_PER_SECOND)
        self._loading = asyncio.Lock()
        self._writer: KillmailWriter | None = None
        self._esi: EsiClient | None = None
        self._zkillboard: HttpClient | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[KillmailPosting]:
        """Lend it with its clients open."""
        async with open_esi(self._settings, self._database) as esi, open_session(self._settings) as session:
            self._esi, self._zkillboard = esi, HttpClient(session, Pacer(ZKILLBOARD_PER_SECOND))
            yield self

    async def post(self, killmail_id: int, hash_text: str | None) -> tuple[KillmailRow, bool]:
        """Return the stored killmail and whether it is new. hash_text: None has zKillboard asked for it.

        Of the client whose request it is only so many may wait.

        Raises Malformed for a hash that is none, Refused for one of another killmail, NotFound where nobody has the
        killmail, Transient, Unavailable and GraphQLError (UNAVAILABLE) where the outside does not answer in time.
        """
        claimed = read_hash(hash_text)
        stored = await self._find(killmail_id)
        if stored is not None:
            if claimed not in (None, stored.hash):
                raise _wrong_hash(killmail_id)
            return stored, False
        with self._place(asking_client()):
            try:
                async with asyncio.timeout(PATIENCE_SECONDS), self._turns:
                    await self._pacer.turn()
                    arrival = await self._fetch(killmail_id, None if claimed is None else claimed.hex())
            except TimeoutError:
                # Told as it is, to anybody: these words are ours, and no host is named.
                sentence = f"Killmail {killmail_id} was not to be had in {PATIENCE_SECONDS:.0f} s."
                raise GraphQLError(sentence, extensions={"code": error_code(Unavailable)}) from None
        is_new = await self._store(arrival)
        found = await self._find(killmail_id)
        if found is None:
            raise Refused(f"Killmail {killmail_id} cannot be stored; it is in the quarantine.")
        return found, is_new

    @contextmanager
    def _place(self, client: Client | None) -> Iterator[None]:
        """Count one that waits. Raises Transient where too many do, or too many of this client's."""
        key = client.key if client is not None and client.is_limited else None
        if key is not None and self._waiting[key] >= MAX_OF_A_CLIENT:
            sentence = f"One client may post {MAX_OF_A_CLIENT} killmails at a time; wait for an answer."
            raise Transient(sentence, PATIENCE_SECONDS)
        if self._waiting.total() >= MAX_WAITING:
            raise Transient("Too many killmails are being posted; try again shortly.", PATIENCE_SECONDS)
        self._waiting[key] += 1
        try:
            yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]

    async def _find(self, killmail_id: int) -> KillmailRow | None:
        async with self._database.connection() as connection:
            rows = await get_killmails(connection, [killmail_id])
        return rows[0] if rows else None

    async def _fetch(self, killmail_id: int, hash_text: str | None) -> Arrival:
        assert self._esi is not None
        assert self._zkillboard is not None
        if hash_text is None:
            hash_text = await self._find_hash(self._zkillboard, killmail_id)
        try:
            body = await self._esi.killmail(killmail_id, hash_text)
        except (NotFound, Refused):
            raise NotFound(f"ESI has no killmail {killmail_id} with this hash.") from None
        found = read_body(body, killmail_id, SOURCE, hash_text)
        if not isinstance(found, Arrival):
            raise Malformed(f"ESI's killmail {killmail_id} cannot be read: {found.reason}", found.path)
        if killmail_hash(found.mail) != found.hash:
            raise _wrong_hash(killmail_id)
        return found

    async def _find_hash(self, zkillboard: HttpClient, killmail_id: int) -> str:
        """Ask zKillboard, whose pauses all processes keep.

        Somebody waits, so the turn is taken and not waited for: whoever waits for the next one waits one longer.
        """
        interval = timedelta(seconds=self._settings.zkillboard_seconds)
        async with self._database.connection() as connection:
            await reserve_request(connection, ENDPOINT, interval, interval + MAX_WAIT)
        async with obeying_pauses(self._database, ENDPOINT):
            return await find_hash(zkillboard, self._settings.zkillboard_url, killmail_id)

    async def _store(self, arrival: Arrival) -> bool:
        async with self._loading:
            if self._writer is None:
                async with self._database.connection() as connection:
                    prices = await load_price_book(connection, self._static.universe)
                self._writer = make_writer(self._static, prices, self._settings)
        stored = await self._writer.store(self._database, [arrival])
        # Without a Redis the transaction itself has told everybody.
        if stored.event_id is not None and self._settings.redis_url is not None:
            await self._events.publish(KILLMAIL_CHANNEL, str(stored.event_id))
        return bool(stored.new_ids)


def _wrong_hash(killmail_id: int) -> Refused:
    return Refused(f"The hash is not that of killmail {killmail_id}.")
