"""A type that nobody knew: what happens to who runs, and to what was stored, once it is known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from importlib import resources
from typing import Any

import aiohttp
import msgspec
import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Connection, Database
from killreport.eve import seed
from killreport.eve.changes import lock_static, note_new_type
from killreport.eve.importer import StaticDataRelease, read_static_data, store_static_data
from killreport.eve.load import load_universe
from killreport.ingest.reading import load_writer
from killreport.killmail.mail.arrival import Arrival, read_arrival
from killreport.killmail.mail.label_numbers import pack_labels
from killreport.killmail.writing import rederive_due as due
from killreport.killmail.writing.recount import recount_differences
from killreport.killmail.writing.rederive_due import count_due, rederive_due
from killreport.killmail.writing.remove import remove_killmails
from killreport.queueing.messages import TypeMessage
from tests.integration.serving import GraphQL, serving
from tests.integration.workers.packages import body_of, killmail
from tests.integration.workers.queues import drain, eventually, fetch, publish
from tests.integration.zkillboard.site import Answer, Site, open_site

RIFTER, THRASHER, FRIGATES, DESTROYERS, JITA = 587, 16242, 25, 420, 30000142
FACTS = """
    select ship_group_id, final_blow_ship_group_id, points, is_solo,
           label_names(labels, ship_category_id) @> '{cat:6,solo}'
    from killmail order by killmail_id
"""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    rifter = {"type_id": RIFTER, "name": "Rifter", "group_id": FRIGATES, "published": True, "market_group_id": 64}
    async with open_site({f"/universe/types/{RIFTER}": Answer(json.dumps(rifter).encode())}) as site:
        yield site


@pytest.fixture
def at_site(settings: Settings, site: Site) -> Settings:
    return settings.replace(esi_url=site.url, esi_requests_per_second=5000.0)


@pytest.fixture
async def unknown(database: Database) -> Any:
    """Take a hull out of the static data, as if it came with today's patch, and return its row."""
    async with database.connection() as connection:
        row = await connection.fetchrow("select * from eve_type where type_id = $1", RIFTER)
        await connection.execute("delete from eve_type where type_id = $1", RIFTER)
    return row


def arrival(mail_id: int, *hulls: int | None) -> Arrival:
    """Return a kill of a Rifter; hulls: of one attacker each, of whom the first strikes the final blow."""
    if not hulls:
        return read_arrival(body_of(mail_id), "test", str(mail_id))
    mail = killmail(mail_id)
    [blow] = mail["attackers"]
    mail["attackers"] = [
        {**blow, "character_id": 2112000002 + place, "final_blow": not place, "ship_type_id": hull}
        for place, hull in enumerate(hulls)
    ]
    return read_arrival(msgspec.json.encode(mail), "test", str(mail_id))


async def learn(settings: Settings, database: Database) -> None:
    await publish(settings, database, TypeMessage(RIFTER))
    await drain(settings, database, "worker-types")


async def put_back(connection: Connection, row: Any) -> None:
    async with connection.transaction():
        await lock_static(connection)
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await connection.execute(f"insert into eve_type values ({places})", *row)
        await note_new_type(connection, RIFTER)


async def differences(database: Database) -> list[Any]:
    async with database.connection() as connection:
        return await recount_differences(connection)


async def waiting(database: Database) -> int:
    async with database.connection() as connection:
        return await count_due(connection)


async def test_a_hull_that_is_learnt_is_known_to_the_next_kill_and_the_old_one_is_mended(
    at_site: Settings, database: Database, unknown: Any
) -> None:
    writer = await load_writer(database)
    await writer.store(database, [arrival(10)])
    before = await fetch(database, FACTS)
    assert (await fetch(database, "select entity_id from refresh_ledger where entity_kind = 5")) == [(RIFTER,)]

    await learn(at_site, database)
    after = await fetch(database, FACTS)
    await writer.store(database, [arrival(11)])
    both = await fetch(database, FACTS)

    assert before == [(None, 0, 1, False, False)]
    assert after == [(FRIGATES, FRIGATES, both[1][2], True, True)]
    assert both == [after[0], after[0]]
    assert await differences(database) == []
    assert await waiting(database) == 0
    told = await fetch(database, "select distinct kind, killmail_ids from event")
    assert sorted(told) == [("changed", [10]), ("history", [10]), ("history", [11])]
    kills = "select kills, losses, solo_kills from total_stat where entity_kind = 6 and entity_id = $1"
    assert await fetch(database, kills, FRIGATES) == [(2, 2, 2)]


async def test_counts_are_compared_with_what_was_known_when_they_were_made(database: Database, unknown: Any) -> None:
    writer = await load_writer(database)
    # A frigate that is known beside one that is not: the group is counted once, and not for the final blow.
    await writer.store(database, [arrival(10, RIFTER, 582), arrival(11, 582, RIFTER), arrival(12)])
    async with database.connection() as connection:
        await put_back(connection, unknown)

    assert await waiting(database) == 1
    assert await differences(database) == []
    await remove_killmails(database, [11], "a test")
    assert await differences(database) == []
    assert await rederive_due(database) == 2
    assert await differences(database) == []
    await remove_killmails(database, [10, 12], "a test")
    assert await differences(database) == []
    assert await fetch(database, "select code from posting") == []


async def test_what_an_older_release_stored_is_counted_as_it_was_counted_then(database: Database, unknown: Any) -> None:
    writer = await load_writer(database)
    await writer.store(database, [arrival(10, RIFTER, 582), arrival(11, 582, RIFTER), arrival(12)])
    async with database.connection() as connection:
        await connection.execute("update killmail set final_blow_ship_group_id = null")
        assert await recount_differences(connection) == []
        await put_back(connection, unknown)

    assert await differences(database) == []
    assert await rederive_due(database) == 3
    assert await differences(database) == []


async def test_an_imported_release_takes_the_killmails_of_what_changed_with_it(database: Database) -> None:
    writer = await load_writer(database)
    await writer.store(database, [arrival(10), arrival(11, RIFTER, THRASHER), arrival(12, THRASHER)])
    before = await fetch(database, FACTS)
    with (resources.files(seed) / seed.ARCHIVE).open("rb") as stream:
        data = read_static_data(stream, seed.ARCHIVE)
    change(data, "eve_type", RIFTER, group_id=DESTROYERS)
    change(data, "eve_system", JITA, constellation_id=20000001, region_id=10000001, security_status=0.2)
    async with database.connection() as connection:
        await store_static_data(connection, data, "a test")

    assert await fetch(database, "select kind, id, former_group_ids from derive_due order by 1 desc") == [
        ("type", RIFTER, [FRIGATES]),
        ("system", JITA, []),
    ]
    await writer.store(database, [arrival(13)])
    assert await fetch(database, FACTS) != before
    assert await differences(database) == []
    assert await rederive_due(database) >= 3

    places = await fetch(
        database,
        "select distinct constellation_id, region_id, labels @> '{loc:lowsec}' from analysis.killmails",
    )
    assert places == [(20000001, 10000001, True)]
    assert await differences(database) == []
    groups = [row[:2] for row in await fetch(database, FACTS)]
    assert groups == [(DESTROYERS, DESTROYERS), (DESTROYERS, DESTROYERS), (DESTROYERS, 420), (DESTROYERS, DESTROYERS)]
    assert await fetch(database, "select 1 from posting where code = $1 and side = 0", FRIGATES << 4 | 6) == []
    async with database.connection() as connection:
        assert (await load_universe(connection)).group_id_of(RIFTER) == DESTROYERS
        await store_static_data(connection, data, "the same again")
    assert await waiting(database) == 0


def change(data: StaticDataRelease, table: str, key: int, **columns: object) -> None:
    """Have a row of the release say other things."""
    [rows] = [rows for rows in data.tables if rows.table == table]
    place = next(place for place, row in enumerate(rows.rows) if row[0] == key)
    found = dict(zip(rows.columns, rows.rows[place], strict=True)) | columns
    rows.rows[place] = tuple(found.values())


async def test_a_pass_that_is_broken_off_is_gone_on_with_and_changes_nothing_twice(
    database: Database, unknown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "BATCH_KILLMAILS", 3)
    writer = await load_writer(database)
    await writer.store(database, [arrival(mail_id) for mail_id in range(10, 20)])
    async with database.connection() as connection:
        await put_back(connection, unknown)
    batches: list[tuple[int, int]] = []

    def stop_after_two(examined: int, changed: int) -> None:
        batches.append((examined, changed))
        if len(batches) == 2:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await rederive_due(database, on_batch=stop_after_two)
    assert await differences(database) == []
    assert await asyncio.gather(*(rederive_due(database) for _ in range(3)))

    assert batches == [(3, 3), (3, 3)]
    assert {row[0] for row in await fetch(database, FACTS)} == {FRIGATES}
    assert await differences(database) == []
    assert await rederive_due(database) == 0
    told = await fetch(
        database, "select unnest(killmail_ids) as id, count(*) from event where kind = 'changed' group by 1"
    )
    # Once for what it is worth, and once for everything else.
    assert sorted(told) == [(mail_id, 2) for mail_id in range(10, 20)]


async def test_a_batch_that_was_prepared_before_the_change_is_prepared_again(database: Database, unknown: Any) -> None:
    writer = await load_writer(database)
    prepared = await writer.prepare(database, [arrival(10), arrival(10)])
    async with database.connection() as connection:
        await put_back(connection, unknown)
    await rederive_due(database)

    stored = await writer.commit(database, prepared)

    assert (stored.new_ids, stored.duplicates) == ([10], 1)
    assert [row[:2] for row in await fetch(database, FACTS)] == [(FRIGATES, FRIGATES)]
    assert await differences(database) == []


async def test_labels_that_others_gave_are_kept(database: Database, unknown: Any) -> None:
    writer = await load_writer(database)
    await writer.store(database, [arrival(10)])
    async with database.connection() as connection:
        await connection.execute("update killmail set labels = labels | $1", pack_labels(["ganked"])[0])
        await put_back(connection, unknown)

    await rederive_due(database)

    [(labels,)] = await fetch(database, "select labels from analysis.killmails")
    assert labels[-1] == "ganked"
    assert {"cat:6", "solo", "pvp"} <= set(labels)


async def test_the_running_worker_mends_and_the_running_api_has_the_name(
    at_site: Settings, database: Database, unknown: Any
) -> None:
    kept = at_site.replace(api_cache_bytes=2**24, api_names_seconds=3600)
    await (await load_writer(database)).store(database, [arrival(10)])
    document = "{ killmail(id: 10) { labels victim { shipType { name group { name } } } } type(id: 587) { name } }"
    found = '{ search(query: "Rifter", first: 1) { name } }'
    async with serving(create_app(kept, database)) as address, aiohttp.ClientSession() as session:
        api = GraphQL(session, address)
        before, missing = await api.data(document), await api.data(found)
        await learn(kept, database)

        async def has_name() -> bool:
            return bool((await api.data(document))["killmail"]["victim"]["shipType"]["name"])

        async def is_found() -> bool:
            return [one["name"] for one in (await api.data(found))["search"]] == ["Rifter"]

        await eventually(has_name)
        after = await api.data(document)
        await eventually(is_found)  # the search is made anew beside what shows the name

    assert before["killmail"]["victim"]["shipType"]["name"] is None
    assert missing["search"] != [{"name": "Rifter"}]
    assert after["killmail"]["victim"]["shipType"] == {"name": "Rifter", "group": {"name": "Frigate"}}
    assert "cat:6" in after["killmail"]["labels"]
