"""Asks ESI for killmails that a file only tells of: the missing ones, at a gentle pace, with an end to every wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from killreport.db.database import Database
from killreport.errors import Garbled, HostAway, Malformed, NotFound, Refused, Transient
from killreport.http import Pacer
from killreport.ingest.reading import read_body
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.kill_dump import ClaimedKill
from killreport.killmail.stored.coverage import find_missing
from killreport.killmail.stored.quarantine import Reject
from killreport.zkillboard.bodies import Bodies

# ESI grants 3,600 tokens in 15 minutes to everything about killmails, and a whole answer costs two.
PER_SECOND = 2.0
# An import may last days: the daily downtime and the pauses that ESI asks for are waited out.
PATIENCE_SECONDS = 3600.0
AGAIN_SECONDS = 30.0
MAX_PAUSE_SECONDS = 120.0
MAX_TRIES = 3
# ESI shuts out an address that asks for nonsense. So many wrong hashes in a row are no chance: the file is not as it
# should be, such as with times of another zone.
MAX_WRONG_IN_A_ROW = 40

log = structlog.get_logger()


@dataclass(slots=True)
class ClaimResult:
    """What became of some claimed kills, up to where it had to end. number: of those that were looked at.

    failure: why it ended before the last; the others are as if never read.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    number: int = 0
    known: int = 0
    asked: int = 0
    failure: str | None = None


class ClaimAsker:
    """Asks for the killmails of one file after the other."""

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        source: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._source = source
        self._sleep = sleep
        self._pacer = Pacer(PER_SECOND, sleep=sleep)
        self._wrong_in_a_row = 0

    async def ask(self, claims: Sequence[ClaimedKill]) -> ClaimResult:
        """Return the killmails of those that are not stored; one with a wrong hash is a reject that says so.

        Ends early, with what it has by then, where ESI is away for PATIENCE_SECONDS or has none of the last
        MAX_WRONG_IN_A_ROW. Raises as the database does.
        """
        async with self._database.connection() as connection:
            missing = await find_missing(connection, [claim.killmail_id for claim in claims])
        found = ClaimResult()
        for claim in claims:
            if claim.killmail_id not in missing:
                found.known += 1
            elif self._wrong_in_a_row >= MAX_WRONG_IN_A_ROW:
                found.failure = (
                    f"ESI has none of {self._wrong_in_a_row} killmails in a row with the hash that follows from the "
                    "file: its times or ids are not those of the game"
                )
                self._wrong_in_a_row = 0
                return found
            else:
                missing.discard(claim.killmail_id)
                try:
                    await self._ask_one(claim, found)
                except (HostAway, Transient) as error:
                    found.failure = f"ESI does not answer: {error}"
                    return found
            found.number += 1
        return found

    async def _ask_one(self, claim: ClaimedKill, found: ClaimResult) -> None:
        hash_text = claim.hash.hex()
        found.asked += 1
        try:
            body = await self._read_body(claim.killmail_id, hash_text)
        except (NotFound, Refused) as error:
            self._wrong_in_a_row += 1
            reason = f"ESI has no killmail {claim.killmail_id} with the hash that follows from the file: {error}"
            found.rejects.append(self._reject(claim, reason))
            return
        except (Garbled, Malformed) as error:
            found.rejects.append(self._reject(claim, str(error)))
            return
        self._wrong_in_a_row = 0
        entry = read_body(body, claim.killmail_id, self._source, hash_text)
        if isinstance(entry, Arrival):
            found.arrivals.append(entry)
        else:
            found.rejects.append(entry)

    def _reject(self, claim: ClaimedKill, reason: str) -> Reject:
        return Reject(self._source, claim.reference, reason, "$", claim.body, claim.killmail_id)

    async def _read_body(self, killmail_id: int, hash_text: str) -> bytes:
        """Read one killmail. Raises what the last try raised where patience ends; Garbled where only this one fails."""
        waited, failed = 0.0, 0
        while True:
            await self._pacer.turn()
            try:
                return await self._bodies.killmail(killmail_id, hash_text)
            except Garbled:
                raise
            except (HostAway, Transient) as error:
                told = error.retry_after if isinstance(error, Transient) else None
                if isinstance(error, Transient) and told is None:
                    failed += 1
                    if failed == MAX_TRIES:
                        raise Garbled(str(error)) from error
                if waited >= PATIENCE_SECONDS:
                    raise
                pause = min(told or AGAIN_SECONDS, MAX_PAUSE_SECONDS)
                waited += pause
                log.info("import_pauses", reason=str(error), pause_seconds=pause)
            await self._sleep(pause)
