"""Batches of killmails whose source waits for all of them."""

from __future__ import annotations

import pytest

from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import NotFound, Unavailable
from killreport.ingest.reading import load_writer, read_body
from killreport.workers.storing import CHUNK, StoreTally, store_bodiless, store_entries
from killreport.zkillboard.character_list import read_page
from killreport.zkillboard.package import Package
from tests.integration.workers.packages import body_of, hash_of


class Esi:
    """Gives the killmails it has; asks are noted."""

    def __init__(self, has: range, trouble_at: int | None = None) -> None:
        self._has = has
        self._trouble_at = trouble_at
        self.asked: list[int] = []

    async def killmail(self, killmail_id: int, killmail_hash: str, /) -> bytes:
        self.asked.append(killmail_id)
        if killmail_id == self._trouble_at:
            raise Unavailable("ESI is away")
        if killmail_id not in self._has or killmail_hash != hash_of(killmail_id):
            raise NotFound(f"no killmail {killmail_id}")
        return body_of(killmail_id)


def bodiless(*ids: int) -> list[Package]:
    elements = ",".join(f'{{"killmail_id": {mail_id}, "zkb": {{"hash": "{hash_of(mail_id)}"}}}}' for mail_id in ids)
    return [package for package in read_page(f"[{elements}]".encode()) if isinstance(package, Package)]


async def stored_ids(database: Database, table: str = "killmail") -> list[int]:
    async with database.connection() as connection:
        return [row[0] for row in await connection.fetch(f"select killmail_id from {table} order by 1")]


async def test_one_mail_that_the_database_refuses_does_not_hold_up_the_others(database: Database) -> None:
    writer = await load_writer(database)
    async with database.connection() as connection:
        await connection.execute("alter table killmail add constraint unlucky check (killmail_id <> 13)")
    entries = [read_body(body_of(mail_id), mail_id, "test", hash_of(mail_id)) for mail_id in range(10, 17)]

    tally = await store_entries(database, writer, entries)

    assert tally == StoreTally(new=6, known=0, quarantined=1)
    assert await stored_ids(database) == [10, 11, 12, 14, 15, 16]
    assert await stored_ids(database, "quarantine") == [13]


async def test_a_database_that_is_not_well_is_no_reason_for_the_quarantine(database: Database) -> None:
    writer = await load_writer(database)
    async with database.connection() as connection:
        await connection.execute("alter table killmail rename to killmail_away")

    with pytest.raises(DATABASE_ERRORS):
        await store_entries(database, writer, [read_body(body_of(10), 10, "test", hash_of(10))])
    assert await stored_ids(database, "quarantine") == []


async def test_only_what_is_not_stored_is_read_from_esi(database: Database) -> None:
    writer = await load_writer(database)
    await store_entries(database, writer, [read_body(body_of(10), 10, "test", hash_of(10))])
    esi = Esi(range(10, 13))

    tally = await store_bodiless(database, writer, esi, bodiless(10, 11, 12, 13), "test")

    assert sorted(esi.asked) == [11, 12, 13]
    assert tally == StoreTally(new=2, known=1, quarantined=1)
    assert await stored_ids(database) == [10, 11, 12]
    async with database.connection() as connection:
        reason = await connection.fetchval("select reason from quarantine where killmail_id = 13")
    assert reason == "ESI does not give it: no killmail 13"


async def test_what_had_come_before_esi_went_away_is_stored(database: Database) -> None:
    writer = await load_writer(database)
    ids = range(1000, 1000 + 3 * CHUNK)
    esi = Esi(ids, trouble_at=1000 + CHUNK + 3)

    with pytest.raises(Unavailable):
        await store_bodiless(database, writer, esi, bodiless(*ids), "test")

    assert await stored_ids(database) == [i for i in ids[: 2 * CHUNK] if i != 1000 + CHUNK + 3]
