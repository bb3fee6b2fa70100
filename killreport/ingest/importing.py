"""Bring killmails from files into the database, in batches, through the one writer.

A thread reads, decompresses and decodes while the event loop stores the batch before, so that the processor and the
database work side by side. Where a file stands is a feed cursor of its own, moved with each batch, so that an
interrupted import can go on instead of beginning again. What a file only tells of, as a kill dump does, is asked for.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from killreport.db.database import Database
from killreport.errors import Malformed
from killreport.ingest.claims import ClaimAsker, ClaimResult
from killreport.killmail.mail.archive import ArchiveRecord, name_of, read_records
from killreport.killmail.mail.arrival import Arrival, read_arrival
from killreport.killmail.mail.kill_dump import ClaimedKill, read_claimed
from killreport.killmail.stored.quarantine import KEPT_BYTES, Reject
from killreport.killmail.writing.store import FeedCursor, KillmailWriter, PreparedBatch, find_cursor
from killreport.zkillboard.bodies import Bodies

BATCH = 4000  # mails a transaction: larger ones gain little and hold the rollups' locks longer
BATCH_BYTES = 256 * 2**20  # or fewer, where they are unlike any killmail
MAX_CLAIMS = 100  # or where they have to be asked for: less than a minute's work to lose
FINISHED = -1  # the cursor of a file that was read to its end


@dataclass
class ImportTally:
    """What an import did so far. `read` counts every document, so it is the sum of the next three.

    asked: how many of them ESI was asked for.
    """

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: ImportTally) -> None:
        """Take in the figures of another part of the import."""
        self.read += other.read
        self.stored += other.stored
        self.duplicate += other.duplicate
        self.quarantined += other.quarantined
        self.asked += other.asked
        self.failures += other.failures


Progress = Callable[[ImportTally, int], None]
"""Called after each batch with that batch's figures and how many bytes of the file are read by now."""


async def import_stream(
    database: Database,
    writer: KillmailWriter,
    stream: IO[bytes],
    *,
    name: str,
    source: str = "import",
    resume_key: str | None = None,
    on_progress: Progress = lambda _tally, _position: None,
    batch_size: int = BATCH,
    bodies: Bodies | None = None,
) -> ImportTally:
    """Store every killmail of an open file; what cannot be stored is quarantined with its line.

    resume_key: a name for these very contents; where an earlier import of them stopped, this one goes on, and where it
    finished, nothing is read. None: read all. A damaged file counts as a failure, which the quarantine notes, too; what
    came before it is stored. bodies: where killmails are asked for that the file only tells of; None: they are refused.
    """
    tally = ImportTally()
    feed = f"import:{resume_key}" if resume_key else None
    position = await _position(database, feed)
    if position == FINISHED:
        return tally
    records = read_records(stream, name)
    for _ in islice(records, position):
        pass
    reader = _ArchiveReader(records, name, source, None if bodies is None else ClaimAsker(database, bodies, source))
    coming = asyncio.create_task(_prepare_next(database, writer, reader, batch_size))
    try:
        while True:
            batch = await coming
            if not batch.is_last:
                coming = asyncio.create_task(_prepare_next(database, writer, reader, batch_size))
            position += batch.size
            cursor = FeedCursor(feed, FINISHED if batch.is_last and not batch.failure else position) if feed else None
            stored = await writer.commit(database, batch.prepared, cursor=cursor)
            # That the file is damaged is noted in the quarantine, and is no document of it.
            quarantined = stored.quarantined - batch.is_damaged
            part = ImportTally(
                batch.size, len(stored.new_ids), stored.duplicates + batch.known, quarantined, batch.asked
            )
            part.failures += [batch.failure] if batch.failure else []
            tally.add(part)
            on_progress(part, _tell(stream))
            if batch.is_last:
                return tally
    finally:
        # Its thread reads the stream: it must be through before the caller closes that. Asking takes far longer.
        if reader.is_asking:
            coming.cancel()
        await asyncio.wait([coming])


async def import_file(
    database: Database,
    writer: KillmailWriter,
    path: Path,
    *,
    resume: bool,
    on_progress: Progress,
    bodies: Bodies | None = None,
) -> ImportTally:
    """Store every killmail of a file; see `import_stream`. resume: the file is known again by its contents."""
    try:
        with path.open("rb") as stream:
            key = (await asyncio.to_thread(hashlib.file_digest, stream, "sha256")).hexdigest()
            stream.seek(0)
            return await import_stream(
                database,
                writer,
                stream,
                name=name_of(path),
                resume_key=key if resume else None,
                on_progress=on_progress,
                bodies=bodies,
            )
    except OSError as error:
        unread = ImportTally(failures=[f"{name_of(path)} cannot be read: {error.strerror}"])
        on_progress(unread, 0)
        return unread


@dataclass(slots=True)
class _ImportBatch:
    size: int
    prepared: PreparedBatch
    failure: str | None
    is_last: bool
    is_damaged: bool
    known: int
    asked: int


@dataclass(slots=True)
class _Documents:
    """A part of a file, decoded. count: of all documents in it, whatever became of them."""

    arrivals: list[Arrival] = field(default_factory=list)
    claims: list[ClaimedKill] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    count: int = 0
    is_last: bool = False


@dataclass(slots=True)
class _ArchiveReader:
    """Decodes what a file holds, a batch at a time. damage: what broke the file. is_asking: nobody reads it now."""

    records: Iterator[ArchiveRecord]
    name: str
    source: str
    asker: ClaimAsker | None
    damage: str | None = None
    is_asking: bool = False

    def read(self, size: int) -> _Documents:
        """Decode up to `size` documents."""
        found, taken = _Documents(), 0
        try:
            for record in self.records:
                found.count += 1
                taken += len(record.body)
                self._decode(record, found)
                if found.count == size or taken >= BATCH_BYTES or len(found.claims) == MAX_CLAIMS:
                    return found
        except Malformed as error:
            self.damage = error.reason
            found.rejects.append(Reject(self.source, self.name, error.reason, error.path, b""))
        found.is_last = True
        return found

    def _decode(self, record: ArchiveRecord, found: _Documents) -> None:
        try:
            if record.fault is not None:
                raise Malformed(record.fault)
            claim = read_claimed(record.body, record.reference)
            if claim is None:
                found.arrivals.append(read_arrival(record.body, self.source, record.reference))
            elif self.asker is None:
                raise Malformed("it has only the id and hash of a killmail, and no ESI client to fetch it")
            else:
                found.claims.append(claim)
        except Malformed as error:
            # Cut here already: what is far too long is no killmail, and would stay in memory with its batch.
            body = record.body[:KEPT_BYTES]
            found.rejects.append(Reject(self.source, record.reference, error.reason, error.path, body))


async def _prepare_next(database: Database, writer: KillmailWriter, reader: _ArchiveReader, size: int) -> _ImportBatch:
    """Read, decode, ask for and work out the next batch; all but the asking and small queries happens in a thread."""
    found = await asyncio.to_thread(reader.read, size)
    asked = ClaimResult()
    if found.claims and reader.asker is not None:
        reader.is_asking = True
        asked = await reader.asker.ask(found.claims)
        reader.is_asking = False
    # What was not looked at is read again when the import goes on.
    count = found.count - (len(found.claims) - asked.number)
    prepared = await writer.prepare(database, found.arrivals + asked.arrivals, found.rejects + asked.rejects)
    damage = reader.damage if found.is_last else None
    is_last = found.is_last or asked.failure is not None
    return _ImportBatch(count, prepared, asked.failure or damage, is_last, damage is not None, asked.known, asked.asked)


async def _position(database: Database, feed: str | None) -> int:
    if feed is None:
        return 0
    async with database.connection() as connection:
        return await find_cursor(connection, feed) or 0


def _tell(stream: IO[bytes]) -> int:
    try:
        return stream.tell()
    except OSError:
        return 0
