"""Kills that a file only tells of: the missing ones are asked for, gently, and every wait has an end."""

from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
import pytest

from killreport.db.database import Database
from killreport.errors import HostAway, KillreportError, Refused, Transient
from killreport.ingest import claims
from killreport.ingest.claims import ClaimAsker
from killreport.ingest.importing import FINISHED, ImportTally, import_stream
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.kill_dump import read_claimed
from killreport.killmail.stored.quarantine import list_quarantine
from killreport.killmail.writing.store import KillmailWriter, find_cursor
from tests.integration.killmail.mails import body


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PER_SECOND", 10_000.0)
    monkeypatch.setattr(claims, "AGAIN_SECONDS", 0.001)


def told(mail_id: int) -> dict[str, object]:
    """Return what the dump tells of a killmail."""
    mail = body(mail_id)
    killer = mail["attackers"][0]
    return {
        "kill_id": mail_id,
        "kill_dt": mail["killmail_time"].replace("T", " ").removesuffix("Z"),
        "victim": {"character_id": mail["victim"]["character_id"], "ship_type_id": mail["victim"]["ship_type_id"]},
        "killer": {"character_id": killer["character_id"], "ship_type_id": killer["ship_type_id"]},
    }


class Esi:
    """Has the killmails below 1,000 under their right hashes. asked: every id, in order."""

    def __init__(self, trouble: Callable[[int, int], KillreportError | None] = lambda _id, _nth: None) -> None:
        self.asked: list[int] = []
        self._trouble = trouble

    async def killmail(self, killmail_id: int, killmail_hash_: str, /) -> bytes:
        self.asked.append(killmail_id)
        error = self._trouble(killmail_id, len(self.asked))
        if error is not None:
            raise error
        raw = msgspec.json.encode(body(killmail_id))
        if killmail_id >= 1000 or killmail_hash_ != killmail_hash(decode_killmail(raw)).hex():
            raise Refused("ESI answered 422.")
        return raw


async def stored_ids(database: Database) -> list[int]:
    async with database.connection() as connection:
        return [row[0] for row in await connection.fetch("select killmail_id from killmail order by 1")]


def dump(*ids: int, **changes: object) -> io.BytesIO:
    return io.BytesIO(msgspec.json.encode([told(mail_id) | changes for mail_id in ids]))


async def test_what_is_missing_is_asked_for_once(database: Database, writer: KillmailWriter) -> None:
    esi = Esi()
    await import_stream(database, writer, io.BytesIO(msgspec.json.encode([body(1)])), name="x")
    tally = await import_stream(database, writer, dump(1, 2, 3, 2, 1000), name="kill_dump.json", bodies=esi)

    assert tally == ImportTally(read=5, stored=2, duplicate=2, quarantined=1, asked=3)
    assert esi.asked == [2, 3, 1000]
    assert await stored_ids(database) == [1, 2, 3]
    async with database.connection() as connection:
        (entry,) = await list_quarantine(connection, 10)
    assert (entry.reject.reference, entry.reject.killmail_id) == ("kill_dump.json:4", 1000)
    assert entry.reject.reason.startswith("ESI has no killmail 1000 with the hash that follows from the file")


async def test_a_wrong_hash_is_not_asked_for_again_when_the_import_goes_on(
    database: Database, writer: KillmailWriter
) -> None:
    esi = Esi()
    content = dump(1, 1000, 2).getvalue()
    for expected in (ImportTally(read=3, stored=2, quarantined=1, asked=3), ImportTally()):
        found = await import_stream(database, writer, io.BytesIO(content), name="x", resume_key="k", bodies=esi)
        assert found == expected
    assert esi.asked == [1, 1000, 2]


async def test_many_wrong_hashes_in_a_row_end_it(database: Database, writer: KillmailWriter) -> None:
    esi = Esi()
    # As with local times instead of the game's.
    wrong = dump(*range(1, 100), kill_dt="2021-12-02 11:00:00")
    tally = await import_stream(database, writer, wrong, name="x", resume_key="k", bodies=esi)

    assert (tally.read, tally.quarantined, len(esi.asked)) == (40, 40, 40)
    assert tally.failures == [
        "ESI has none of 40 killmails in a row with the hash that follows from the file: "
        "its times or ids are not those of the game"
    ]
    async with database.connection() as connection:
        assert await find_cursor(connection, "import:k") == 40


async def test_pauses_are_waited_out(database: Database, writer: KillmailWriter) -> None:
    troubles = {2: Transient("ESI asks for a pause.", 0.001), 3: HostAway("ESI is in its downtime.")}
    esi = Esi(lambda _id, nth: troubles.get(nth))
    tally = await import_stream(database, writer, dump(1, 2, 3), name="x", bodies=esi)

    assert tally == ImportTally(read=3, stored=3, asked=3)
    assert esi.asked == [1, 2, 2, 2, 3]


async def test_where_esi_stays_away_what_came_is_kept_and_it_goes_on_another_time(
    database: Database, writer: KillmailWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "PATIENCE_SECONDS", 0.003)
    content = dump(*range(1, 6)).getvalue()
    away = Esi(lambda killmail_id, _nth: HostAway("ESI is in its downtime.") if killmail_id == 3 else None)
    first = await import_stream(database, writer, io.BytesIO(content), name="x", resume_key="k", bodies=away)
    assert (first.read, first.stored, first.failures) == (2, 2, ["ESI does not answer: ESI is in its downtime."])

    back = Esi()
    rest = await import_stream(database, writer, io.BytesIO(content), name="x", resume_key="k", bodies=back)
    assert (rest, back.asked) == (ImportTally(read=3, stored=3, asked=3), [3, 4, 5])
    async with database.connection() as connection:
        assert await find_cursor(connection, "import:k") == FINISHED


async def test_one_that_always_fails_stops_no_other(database: Database, writer: KillmailWriter) -> None:
    esi = Esi(lambda killmail_id, _nth: Transient("ESI answered 500.") if killmail_id == 2 else None)
    tally = await import_stream(database, writer, dump(1, 2, 3), name="x", bodies=esi)

    assert tally == ImportTally(read=3, stored=2, quarantined=1, asked=3)
    assert esi.asked == [1, 2, 2, 2, 3]


async def test_without_anybody_to_ask_it_is_said(database: Database, writer: KillmailWriter) -> None:
    tally = await import_stream(database, writer, dump(1), name="x")

    assert tally == ImportTally(read=1, quarantined=1)
    async with database.connection() as connection:
        (entry,) = await list_quarantine(connection, 10)
    assert entry.reject.reason == "it has only the id and hash of a killmail, and no ESI client to fetch it"


async def test_it_asks_no_faster_than_esi_grants(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PER_SECOND", 2.0)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    kills = [read_claimed(msgspec.json.encode(told(mail_id)), "x") for mail_id in range(1, 4)]
    found = await ClaimAsker(database, Esi(), "test", sleep=sleep).ask([kill for kill in kills if kill])

    assert (found.number, found.asked, len(found.arrivals)) == (3, 3, 3)
    assert len(waits) == 2
    assert all(0.3 < seconds <= 1.0 for seconds in waits)
