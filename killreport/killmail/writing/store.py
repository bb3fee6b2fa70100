"""The one writer: every source of killmails hands its batches here, and nothing else inserts a killmail.

One transaction stores a batch with all that follows from it: the rows, the rollups, the ledger of entities to refresh,
rejects, the feed's cursor and gaps, and the event that tells subscribers. So a crash at any line leaves the state of
before, and the source, which asks its cursor where it stands, hands the same mails in again. Locks are taken in one
order everywhere (static data, days, killmails, ledger, quarantine, rollups of whole lives, event) and sorted inside
each, so writers side by side wait but never in a circle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from killreport.clock import utc_now
from killreport.db.database import REFUSALS, Connection, Database, is_refusal
from killreport.entity.ledger import StaleLimits
from killreport.errors import Malformed
from killreport.eve.changes import hold_static
from killreport.eve.keeping import UniverseKeeper
from killreport.eve.universe import Universe
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.items import flatten_items
from killreport.killmail.postings.changes import hold_days
from killreport.killmail.stored.coverage import find_known
from killreport.killmail.stored.event import tell
from killreport.killmail.stored.partitions import Partitions
from killreport.killmail.stored.quarantine import QuarantineBound, Reject, save_rejects
from killreport.killmail.stored.rollup import Rollup
from killreport.killmail.writing.derive import KILLMAIL_COLUMNS, Derived, derive
from killreport.killmail.writing.mentions import note_entities
from killreport.killmail.writing.merge import Duplicate, merge_duplicates
from killreport.market.price import PriceBook

BREATH = 50  # mails worked out before other tasks get their turn: some two milliseconds


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """Where a reader stands once the batch is stored: the sequence it asks for next."""

    feed: str
    next_sequence: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch. changed_ids: mails stored before that learnt something new."""

    new_ids: list[int]
    duplicates: int
    changed_ids: list[int]
    quarantined: int
    event_id: int | None

    def followed_by(self, other: Stored) -> Stored:
        """Return what became of this part of a batch and the next."""
        return Stored(
            self.new_ids + other.new_ids,
            self.duplicates + other.duplicates,
            self.changed_ids + other.changed_ids,
            self.quarantined + other.quarantined,
            self.event_id if other.event_id is None else other.event_id,
        )


@dataclass(slots=True)
class PreparedBatch:
    """A batch with everything worked out, ready to be committed.

    universe and version: the static data it was worked out with. arrivals and hashes: by id, ascending, none twice.
    derived: of those not stored yet when it was prepared. repeated: how many of the batch were the same as another.
    """

    universe: Universe
    version: int
    arrivals: dict[int, Arrival]
    hashes: dict[int, bytes]
    rejects: list[Reject]
    repeated: int
    derived: dict[int, Derived] = field(default_factory=dict)

    def halves(self) -> tuple[PreparedBatch, PreparedBatch]:
        """Return the mails in two halves; what else there is goes with the second."""
        ids = list(self.arrivals)
        first, last = ids[: len(ids) // 2], ids[len(ids) // 2 :]
        return self._part(first, [], 0), self._part(last, self.rejects, self.repeated)

    def _part(self, ids: list[int], rejects: list[Reject], repeated: int) -> PreparedBatch:
        derived = {mail_id: self.derived[mail_id] for mail_id in ids if mail_id in self.derived}
        return PreparedBatch(
            self.universe,
            self.version,
            {mail_id: self.arrivals[mail_id] for mail_id in ids},
            {mail_id: self.hashes[mail_id] for mail_id in ids},
            rejects,
            repeated,
            derived,
        )


class KillmailWriter:
    """Stores batches of killmails; keep one per process, it holds only the universe and the prices.

    history_after: a killmail older than this that no feed brought is history, and no news. version: of the last change
    in the universe (`killreport.eve.changes`). Later ones it learns when it commits.
    """

    def __init__(
        self,
        universe: Universe,
        prices: PriceBook,
        limits: StaleLimits | None = None,
        bound: QuarantineBound | None = None,
        history_after: timedelta = timedelta(hours=24),
        *,
        version: int = 0,
    ) -> None:
        self._static = UniverseKeeper(universe, version)
        self._history_after = history_after
        self._limits = limits or StaleLimits()
        self._bound = bound or QuarantineBound()
        self._prices = prices
        self._partitions = Partitions()
        self._pricing = asyncio.Lock()  # a price book serves one batch at a time

    async def store(
        self,
        database: Database,
        arrivals: Sequence[Arrival],
        *,
        rejects: Sequence[Reject] = (),
        cursor: FeedCursor | None = None,
        gaps: Sequence[int] = (),
        filled_gaps: Sequence[int] = (),
    ) -> Stored:
        """Store a batch, whatever it holds, and return what became of it. Idempotent for killmails: ids are unique.

        A mail whose hash does not match its contents, that does not fit, or that the database refuses for what it
        holds, is quarantined instead. gaps and filled_gaps: sequences of the cursor's feed that were missing, or have
        come after all. Raises what the database raises for other reasons; the cursor stands where it was then.
        """
        batch = await self.prepare(database, arrivals, rejects)
        return await self.commit(database, batch, cursor=cursor, gaps=gaps, filled_gaps=filled_gaps)

    async def prepare(
        self, database: Database, arrivals: Sequence[Arrival], rejects: Sequence[Reject] = ()
    ) -> PreparedBatch:
        """Work out everything about a batch that needs no lock, so that the transaction is short.

        Gives way to other tasks all the time, so that the batch before can commit meanwhile. Changes nothing stored.
        """
        async with self._pricing:
            async with database.connection() as connection:
                batch = _sort(arrivals, rejects, self._static)
                await self._partitions.make(connection, batch.arrivals)
                known = await find_known(connection, batch.arrivals)
                new = [arrival for mail_id, arrival in batch.arrivals.items() if mail_id not in known]
                type_ids: set[int] = set()
                for arrival in new:
                    type_ids.add(arrival.mail.victim.ship_type_id)
                    type_ids.update(flat.item.item_type_id for flat in flatten_items(arrival.mail))
                days = {arrival.mail.killmail_time.date() for arrival in new}
                await self._prices.prefetch(connection, type_ids, days)
            for first in range(0, len(new), BREATH):
                self._derive(batch, new[first : first + BREATH])
                # Lets the transaction of the batch before go on; a thread would fight it for the interpreter.
                await asyncio.sleep(0)
        return batch

    def _derive(self, batch: PreparedBatch, new: Sequence[Arrival]) -> None:
        history_before = utc_now() - self._history_after
        for arrival in new:
            mail_id = arrival.mail.killmail_id
            try:
                batch.derived[mail_id] = derive(
                    arrival.mail,
                    batch.universe,
                    self._prices,
                    source=arrival.source,
                    location_id=arrival.location_id,
                    extra_labels=arrival.extra_labels,
                    is_history=not arrival.is_from_feed and arrival.mail.killmail_time < history_before,
                )
            except Malformed as error:
                batch.rejects.append(_reject(arrival, error.reason, error.path))
                del batch.arrivals[mail_id]

    async def commit(
        self,
        database: Database,
        batch: PreparedBatch,
        *,
        cursor: FeedCursor | None = None,
        gaps: Sequence[int] = (),
        filled_gaps: Sequence[int] = (),
    ) -> Stored:
        """Store a prepared batch; see `store`. Mails that somebody else stored meanwhile count as duplicates.

        Where the static data changed since it was prepared, it is prepared again. One transaction, unless the database
        refuses a value: then the batch is halved until the bad mail stands alone, and the cursor moves with the last
        half.
        """
        try:
            try:
                return await self._commit(database, batch, cursor, gaps, filled_gaps)
            except asyncpg.UniqueViolationError:
                # Another mail with one of the ids, and of another day, was stored meanwhile: now it is found.
                return await self._commit(database, batch, cursor, gaps, filled_gaps)
        except _Outdated:
            await self._catch_up(database)
            again = await self.prepare(database, list(batch.arrivals.values()), batch.rejects)
            again.repeated += batch.repeated
            return await self.commit(database, again, cursor=cursor, gaps=gaps, filled_gaps=filled_gaps)
        except REFUSALS as error:
            if not is_refusal(error) or not batch.arrivals:
                raise
            refusal = error
        if len(batch.arrivals) == 1:
            (arrival,) = batch.arrivals.values()
            rejects = [*batch.rejects, _reject(arrival, f"the database refused it: {_words(refusal)}", "$")]
            nothing = PreparedBatch(batch.universe, batch.version, {}, {}, rejects, batch.repeated)
            return await self.commit(database, nothing, cursor=cursor, gaps=gaps, filled_gaps=filled_gaps)
        first, last = batch.halves()
        before = await self.commit(database, first)
        return before.followed_by(await self.commit(database, last, cursor=cursor, gaps=gaps, filled_gaps=filled_gaps))

    async def _catch_up(self, database: Database) -> None:
        async with self._pricing, database.connection() as connection:
            if await self._static.refresh(connection):
                self._prices.renew(self._static.universe)

    async def _commit(
        self,
        database: Database,
        batch: PreparedBatch,
        cursor: FeedCursor | None,
        gaps: Sequence[int],
        filled_gaps: Sequence[int],
    ) -> Stored:
        async with database.transaction() as connection:
            # Before anything else, as everybody does who needs the static data to stay as it is.
            if await hold_static(connection) != batch.version:
                raise _Outdated
            await hold_days(connection, {arrival.mail.killmail_time.date() for arrival in batch.arrivals.values()})
            # Whoever stores one of the same day waits, so what is not stored yet is ours.
            taken = await find_known(connection, batch.derived)
            own = [mail_id for mail_id in batch.derived if mail_id not in taken]
            new = [batch.derived[mail_id] for mail_id in own]
            rollup = Rollup()
            mails = [batch.arrivals[mail_id].mail for mail_id in own]
            for mail, derived in zip(mails, new, strict=True):
                rollup.add(
                    mail.killmail_id,
                    mail.killmail_time,
                    mail.solar_system_id,
                    derived.named,
                    points=derived.points,
                    value_cents=derived.total_value_cents,
                    is_solo=derived.is_solo,
                    is_npc=derived.is_npc,
                )
            known = [
                Duplicate(mail_id, batch.hashes[mail_id], arrival)
                for mail_id, arrival in batch.arrivals.items()
                if mail_id not in batch.derived or mail_id in taken
            ]
            merged = await merge_duplicates(connection, known, rollup)
            await _copy(connection, new)
            await rollup.save_days(connection)
            await note_entities(connection, mails, new, batch.universe, self._limits)
            rejects = batch.rejects + merged.rejects
            if rejects:
                await save_rejects(connection, rejects, self._bound)
            await _save_cursor(connection, cursor, gaps, filled_gaps)
            await rollup.save_totals(connection)
            history_ids = [derived.killmail_id for derived in new if derived.is_history]
            live_ids = [derived.killmail_id for derived in new if not derived.is_history]
            event_id = await tell(connection, live_ids, merged.changed_ids, history_ids)
        duplicates = len(known) + batch.repeated - len(merged.rejects)
        return Stored(own, duplicates, merged.changed_ids, len(rejects), event_id)


class _Outdated(Exception):
    """The static data is other than it was when the batch was prepared."""


def _sort(arrivals: Sequence[Arrival], rejects: Sequence[Reject], static: UniverseKeeper) -> PreparedBatch:
    """Order by id, drop repetitions inside the batch, and refuse what contradicts its own hash."""
    by_id: dict[int, Arrival] = {}
    hashes: dict[int, bytes] = {}
    refused = list(rejects)
    repeated = 0
    for arrival in sorted(arrivals, key=lambda arrival: arrival.mail.killmail_id):
        mail_id = arrival.mail.killmail_id
        true_hash = killmail_hash(arrival.mail)
        if arrival.hash is not None and arrival.hash != true_hash:
            reason = f"the hash {arrival.hash.hex()} does not belong to this killmail (its own is {true_hash.hex()})"
            refused.append(_reject(arrival, reason, "$.killmail_hash"))
        elif mail_id in by_id and hashes[mail_id] == true_hash:
            repeated += 1
        elif mail_id in by_id:
            refused.append(_reject(arrival, "another killmail with this id came in the same batch", "$.killmail_id"))
        else:
            by_id[mail_id] = arrival
            hashes[mail_id] = true_hash
    return PreparedBatch(static.universe, static.version, by_id, hashes, refused, repeated)


def _reject(arrival: Arrival, reason: str, path: str) -> Reject:
    return Reject(arrival.source, arrival.reference, reason, path, arrival.body, arrival.mail.killmail_id)


def _words(refusal: Exception) -> str:
    if getattr(refusal, "sqlstate", None) == "22003":
        return "a sum that it belongs to would be beyond what can be stored"
    return str(refusal)


async def _copy(connection: Connection, derived: Sequence[Derived]) -> None:
    if derived:
        await connection.copy_records_to_table(
            "killmail", records=[one.killmail for one in derived], columns=KILLMAIL_COLUMNS
        )


async def find_cursor(connection: Connection, feed: str) -> int | None:
    """Return the sequence the feed asks for next, None where it never stored one."""
    position: int | None = await connection.fetchval("select next_sequence from feed_cursor where feed = $1", feed)
    return position


async def _save_cursor(
    connection: Connection, cursor: FeedCursor | None, gaps: Sequence[int], filled_gaps: Sequence[int]
) -> None:
    if cursor is None:
        return
    if gaps:
        await connection.execute(
            """insert into feed_gap (feed, sequence) select $1, unnest($2::bigint[])
               on conflict (feed, sequence) do update set tried_at = now()""",
            cursor.feed,
            sorted(gaps),
        )
    if filled_gaps:
        await connection.execute(
            "delete from feed_gap where feed = $1 and sequence = any($2)", cursor.feed, list(filled_gaps)
        )
    await connection.execute(
        """insert into feed_cursor (feed, next_sequence) values ($1, $2)
           on conflict (feed) do update set next_sequence = excluded.next_sequence, updated_at = now()
           where feed_cursor.next_sequence <> excluded.next_sequence""",  # updated_at is when it last moved
        cursor.feed,
        cursor.next_sequence,
    )
