"""Stores batches of killmails whose source waits for the whole batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from killreport.db.database import Database
from killreport.errors import Malformed, NotFound, Refused
from killreport.ingest.reading import read_package
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.stored.coverage import find_missing
from killreport.killmail.stored.quarantine import Reject
from killreport.killmail.writing.store import KillmailWriter
from killreport.zkillboard.bodies import Bodies
from killreport.zkillboard.package import Package

# Bodies read at the same time, and stored together: what a crash or an outage of ESI can cost.
CHUNK = 20


@dataclass
class StoreTally:
    """What became of killmails: stored now, known before, put to the quarantine."""

    new: int = 0
    known: int = 0
    quarantined: int = 0

    def add(self, other: StoreTally) -> None:
        """Take in the figures of another batch."""
        self.new += other.new
        self.known += other.known
        self.quarantined += other.quarantined


async def store_entries(database: Database, writer: KillmailWriter, entries: Sequence[Arrival | Reject]) -> StoreTally:
    """Store all of them, and return what became of them. Raises as the writer does."""
    if not entries:
        return StoreTally()
    stored = await writer.store(
        database,
        [entry for entry in entries if isinstance(entry, Arrival)],
        rejects=[entry for entry in entries if isinstance(entry, Reject)],
    )
    return StoreTally(len(stored.new_ids), stored.duplicates, stored.quarantined)


async def store_bodiless(
    database: Database, writer: KillmailWriter, bodies: Bodies, packages: Sequence[Package], source: str
) -> StoreTally:
    """Read those that are not stored from ESI by their hash and store them, a few at a time.

    One that ESI does not have under this hash goes to the quarantine. Raises as the client does where ESI is away;
    what had come by then is stored.
    """
    async with database.connection() as connection:
        missing = await find_missing(connection, [package.killmail_id for package in packages])
    wanted = [package for package in packages if package.killmail_id in missing]
    tally = StoreTally(known=len(packages) - len(wanted))
    for first in range(0, len(wanted), CHUNK):
        chunk = wanted[first : first + CHUNK]
        answers = await asyncio.gather(*(_read(bodies, package, source) for package in chunk), return_exceptions=True)
        tally.add(await store_entries(database, writer, [e for e in answers if not isinstance(e, BaseException)]))
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
    return tally


async def _read(bodies: Bodies, package: Package, source: str) -> Arrival | Reject:
    try:
        body = await bodies.killmail(package.killmail_id, package.hash)
    except (NotFound, Refused, Malformed) as error:
        return Reject(source, source, f"ESI does not give it: {error}", "$", package.raw, package.killmail_id)
    return read_package(msgspec.structs.replace(package, esi=msgspec.Raw(body), raw=body), source)
