"""Decides what is published next, and when: made-up mails with the seed's luck, or the mails of a corpus in order."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec

from killreport.eve.universe import Universe
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.model import Killmail
from killreport.sim.access.faults import Mischief
from killreport.sim.publishing.appraisal import can_be_ganked
from killreport.sim.publishing.corpus import Corpus
from killreport.sim.world.chance import fraction
from killreport.sim.world.generator import Generator, killmail_id_of
from killreport.sim.world.journal import GANKABLE, LATE, KillJournal, KillRecord, RecordKind
from killreport.sim.world.people import World

# A mail reaches the feed some seconds to minutes after the kill, the same for a few in a row.
_MAX_LAG_SECONDS = 240
_LAG_BLOCK = 8
# zKillboard marks a victim of a gank when CONCORD's answer comes in, a while after.
_GANK_DELAY = 25
_GANK_SHARE = 0.12
# The publisher wakes up this often.
TICK_SECONDS = 0.2


class KillmailPublisher:
    """Appends to the journal. `publish` is for tests and the control; `run` follows the clock."""

    def __init__(
        self,
        generator: Generator,
        journal: KillJournal,
        mischief: Mischief,
        *,
        world: World,
        universe: Universe,
        now: Callable[[], float],
        corpus: tuple[int, Corpus] | None = None,
    ) -> None:
        """Publish the corpus (with its number) where there is one, else made-up mails."""
        self._world = world
        self._universe = universe
        self._generator = generator
        self._journal = journal
        self._mischief = mischief
        self._now = now
        self._corpus = corpus
        self._grown = asyncio.Condition()
        self._seed = generator.seed
        self.is_paused = False

    @property
    def head(self) -> int:
        """Return the newest sequence number; one below the first while there is none."""
        return self._journal.next_sequence - 1

    @property
    def remaining(self) -> int | None:
        """Return how many mails of the corpus are still to come, None without one."""
        if self._corpus is None:
            return None
        number, corpus = self._corpus
        return len(corpus) - self._journal.next_place(number)

    async def publish(self, count: int, published_at: int | None = None) -> int:
        """Publish that many mails now, or as if at `published_at`; returns how many there were.

        Fewer when the corpus ends; one more when the last would be one of a pair that changes places.
        """
        published = 0
        while published < count and self.remaining != 0:
            batch = self._next_batch(int(self._now()) if published_at is None else published_at)
            self._journal.append(batch)
            self._tell_world(batch)
            published += sum(record.kind in {RecordKind.GENERATED, RecordKind.CORPUS} for record in batch)
            # A long batch must not keep requests waiting.
            if published % 16 == 0:
                await asyncio.sleep(0)
        async with self._grown:
            self._grown.notify_all()
        return published

    def _tell_world(self, batch: list[KillRecord]) -> None:
        """Let everybody of a real mail be where it says; the made-up ones are where the world has them."""
        for record in batch:
            if record.kind is RecordKind.CORPUS and self._corpus is not None:
                self._world.note_served(self._corpus[1].parties(record.reference), record.killmail_time)

    async def wait_beyond(self, sequence: int, seconds: float) -> bool:
        """Wait until there is something after `sequence`, at most that long; returns whether there is."""
        async with self._grown:
            try:
                async with asyncio.timeout(seconds):
                    await self._grown.wait_for(lambda: self.head > sequence)
            except TimeoutError:
                return False
        return True

    async def run(self, mails_per_minute: float) -> None:
        """Publish at this mean rate until cancelled, in bursts and lulls like the real feed."""
        due = 0.0
        last = self._now()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._now()
            if not self.is_paused:
                due += max(0.0, now - last) * mails_per_minute / 60 * self._mood(now)
            last = now
            if due >= 1:
                await self.publish(int(due))
                due -= int(due)

    def _mood(self, now: float) -> float:
        """Return the factor on the rate for these ten seconds; 1 in the mean."""
        unit = fraction(self._seed, 70, int(now // 10))
        return 2.8 if unit < 0.2 else 0.55

    def _next_batch(self, published_at: int) -> list[KillRecord]:
        faults = self._mischief.faults
        sequence = self._journal.next_sequence
        batch: list[KillRecord] = []
        flags = 0
        if faults.gap_rate and fraction(self._seed, 71, sequence) < faults.gap_rate:
            if fraction(self._seed, 72, sequence) < 0.5:
                batch.append(KillRecord(sequence, RecordKind.GAP, published_at))
            else:
                flags = LATE
        batch.extend(
            dataclasses.replace(record, flags=record.flags | flags, updates=self._rewrite(record.sequence))
            for record in self._next_mails(sequence + len(batch), published_at)
        )
        original = batch[-1]
        if faults.duplicate_rate and fraction(self._seed, 73, sequence) < faults.duplicate_rate:
            batch.append(
                dataclasses.replace(
                    original,
                    sequence=original.sequence + 1,
                    kind=RecordKind.REPEAT,
                    reference=original.sequence,
                    flags=0,
                    updates=0,
                )
            )
        return batch

    def _next_mails(self, sequence: int, published_at: int) -> list[KillRecord]:
        if self._corpus is None:
            return [self._made_up(sequence, published_at)]
        number, corpus = self._corpus
        place = self._journal.next_place(number)
        places = [place]
        # Both of a pair are published at once, so that the journal always ends at a clear place of the corpus.
        if place + 1 < len(corpus) and fraction(self._seed, 74, place) < self._mischief.faults.reorder_rate:
            places = [place + 1, place]
        return [self._from_corpus(sequence + i, published_at, at) for i, at in enumerate(places)]

    def _made_up(self, sequence: int, published_at: int) -> KillRecord:
        lag = int(fraction(self._seed, 75, sequence // _LAG_BLOCK) ** 3 * _MAX_LAG_SECONDS)
        mail = self._generator.generate(sequence, published_at - lag)
        return KillRecord(
            sequence,
            RecordKind.GENERATED,
            published_at,
            killmail_time=published_at - lag,
            killmail_id=killmail_id_of(sequence),
            hash=killmail_hash(msgspec.convert(mail, Killmail)),
            flags=self._flags(mail),
        )

    def _from_corpus(self, sequence: int, published_at: int, place: int) -> KillRecord:
        assert self._corpus is not None
        number, corpus = self._corpus
        entry = corpus.entry(place)
        return KillRecord(
            sequence,
            RecordKind.CORPUS,
            published_at,
            killmail_time=entry.killmail_time,
            killmail_id=entry.killmail_id,
            hash=entry.hash,
            corpus=number,
            reference=place,
            flags=self._flags(msgspec.json.decode(corpus.body(place))),
        )

    def _flags(self, mail: dict[str, Any]) -> int:
        return GANKABLE if can_be_ganked(mail, self._universe) else 0

    def _rewrite(self, sequence: int) -> int:
        """Return the older number whose package is rewritten along with this publication, 0 for none."""
        older = self._journal.get(sequence - _GANK_DELAY)
        if older is None or not older.flags & GANKABLE or older.kind not in {RecordKind.GENERATED, RecordKind.CORPUS}:
            return 0
        return older.sequence if fraction(self._seed, 76, older.sequence) < _GANK_SHARE else 0
