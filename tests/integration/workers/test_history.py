"""Days made whole from the history."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import Transient, Unavailable
from killreport.esi.client import open_esi
from killreport.eve.universe import Universe
from killreport.http import HttpClient, Pacer, open_session
from killreport.ingest import repair as repairing
from killreport.ingest.reading import load_writer
from killreport.ingest.repair import DayRepair, HistoryRepair
from killreport.killmail.mail.arrival import read_arrival
from killreport.killmail.writing.recount import recount_differences
from killreport.sim.server import run_simulator
from killreport.zkillboard import progress
from killreport.zkillboard.history import HistoryReader
from tests.integration.workers.lines import Lines
from tests.integration.workers.packages import body_of, hash_of
from tests.integration.zkillboard.site import Answer, Site, open_site

DAY = date(2021, 12, 2)
IDS = range(10, 16)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Yield a site that has published one day with six killmails."""
    bodies = b",".join(b'"%d":%s' % (mail_id, body_of(mail_id)) for mail_id in IDS)
    answers = {
        "/history/totals.json": Answer(b'{"20211202": 6, "20211203": 0}'),
        "/history/20211202.json": Answer(json.dumps({mail_id: hash_of(mail_id) for mail_id in IDS}).encode()),
        "/history/raw/20211202.json": Answer(b"{" + bodies + b"}"),
        "/history/20211203.json": Answer(b"[]"),
    }
    async with open_site(answers) as site:
        yield site


@asynccontextmanager
async def make_repair(
    database: Database, settings: Settings, url: str, slept: list[float] | None = None
) -> AsyncIterator[tuple[HistoryRepair, HistoryReader]]:
    async def sleep(seconds: float) -> None:
        if slept is not None:
            slept.append(seconds)
        if seconds > 1 / repairing.ESI_PER_SECOND:
            await asyncio.sleep(seconds)

    here = settings.replace(esi_url=url, esi_requests_per_second=5000.0)
    async with open_session(here) as session, open_esi(here, database) as esi:
        history = HistoryReader(HttpClient(session, Pacer(10_000)), url)
        yield HistoryRepair(database, await load_writer(database), history, esi, sleep=sleep), history


@pytest.fixture
async def repair(database: Database, site: Site, settings: Settings) -> AsyncIterator[HistoryRepair]:
    async with make_repair(database, settings, site.url) as (repair, _history):
        yield repair


async def run(repair: HistoryRepair, *days: date, trust_counts: bool = True) -> list[DayRepair]:
    return [done async for done in repair.repair(days, trust_counts=trust_counts)]


async def stored_ids(database: Database) -> list[int]:
    async with database.connection() as connection:
        return [row[0] for row in await connection.fetch("select killmail_id from killmail order by 1")]


async def store(database: Database, *mail_ids: int) -> None:
    writer = await load_writer(database)
    await writer.store(database, [read_arrival(body_of(mail_id), "test", str(mail_id)) for mail_id in mail_ids])


async def test_only_what_is_missing_of_a_day_is_stored(database: Database, repair: HistoryRepair) -> None:
    await store(database, 11, 13)

    assert await run(repair, DAY) == [DayRepair(DAY, published=6, stored_before=2, stored_after=6, missing=0)]
    assert await stored_ids(database) == list(IDS)
    async with database.connection() as connection:
        sources = await connection.fetch("select source, count(*) from killmail group by 1 order by 1")
        assert [tuple(row) for row in sources] == [("history", 4), ("test", 2)]
        assert [row[0] for row in await connection.fetch("select distinct kind from event")] == ["history"]
        assert await recount_differences(connection) == []


async def test_a_whole_day_is_not_asked_for(database: Database, repair: HistoryRepair, site: Site) -> None:
    await store(database, *IDS)

    assert await run(repair, DAY) == [DayRepair(DAY, 6, 6, 6, 0)]
    assert [request.path for request in site.asked] == ["/history/totals.json"]


async def test_equal_counts_of_other_killmails_are_found_out_when_ids_are_compared(
    database: Database, repair: HistoryRepair
) -> None:
    await store(database, *range(11, 17))

    assert await run(repair, DAY, trust_counts=False) == [DayRepair(DAY, 6, 6, 7, 0)]
    assert await stored_ids(database) == list(range(10, 17))


async def test_a_day_with_more_than_is_published_is_whole(
    database: Database, repair: HistoryRepair, site: Site
) -> None:
    await store(database, *IDS, 99)

    assert await run(repair, DAY) == [DayRepair(DAY, 6, 7, 7, 0)]
    assert "/history/raw/20211202.json" not in [request.path for request in site.asked]


async def test_days_that_are_not_published_are_left_out(repair: HistoryRepair) -> None:
    assert await run(repair, DAY - timedelta(days=1), DAY + timedelta(days=5)) == []


async def test_a_day_without_a_file_of_bodies_is_read_from_esi(
    database: Database, repair: HistoryRepair, site: Site
) -> None:
    del site.answers["/history/raw/20211202.json"]
    for mail_id in IDS:
        site.answers[f"/killmails/{mail_id}/{hash_of(mail_id)}"] = Answer(body_of(mail_id))

    assert await run(repair, DAY) == [DayRepair(DAY, 6, 0, 6, 0)]
    assert await stored_ids(database) == list(IDS)


async def test_a_killmail_that_nobody_has_stays_missing_and_is_said(
    repair: HistoryRepair, site: Site, lines: Lines
) -> None:
    site.answers["/history/raw/20211202.json"] = Answer(b'{"10":' + body_of(10) + b"}")
    site.answers[f"/killmails/11/{hash_of(11)}"] = Answer(status=422)
    # One that ESI has, before the 404s: without any, so many in a row are an outage.
    site.answers[f"/killmails/12/{hash_of(12)}"] = Answer(body_of(12))

    assert await run(repair, DAY) == [DayRepair(DAY, 6, 0, 2, 4)]
    assert [line["killmail_id"] for line in lines.of("killmail_not_to_be_had")] == [11, 13, 14, 15]


async def test_a_body_under_another_id_or_with_another_hash_is_quarantined(
    database: Database, repair: HistoryRepair, site: Site
) -> None:
    hashes = {10: hash_of(10), 11: hash_of(12), 13: "ab" * 20}
    site.answers["/history/20211202.json"] = Answer(json.dumps(hashes).encode())
    site.answers["/history/raw/20211202.json"] = Answer(
        b'{"10":%s,"11":%s,"13":%s}' % (body_of(10), body_of(12), body_of(13))
    )

    assert await run(repair, DAY) == [DayRepair(DAY, 3, 0, 1, 2)]
    async with database.connection() as connection:
        rows = await connection.fetch("select reference, body, killmail_id from quarantine order by killmail_id")
    assert [tuple(row) for row in rows] == [
        ("history 11", body_of(12), 11),
        ("history 13", body_of(13), 13),
    ]


async def test_what_came_before_a_file_was_cut_is_stored_and_the_rest_comes_next_time(
    database: Database, repair: HistoryRepair, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing, "BATCH_KILLMAILS", 2)
    whole = site.answers["/history/raw/20211202.json"]
    site.answers["/history/raw/20211202.json"] = Answer(whole.body, cut_after=len(whole.body) - 5)

    with pytest.raises(Unavailable):
        await run(repair, DAY)
    after_the_cut = await stored_ids(database)
    site.answers["/history/raw/20211202.json"] = whole

    assert after_the_cut == [10, 11, 12, 13, 14]
    assert await run(repair, DAY) == [DayRepair(DAY, 6, 5, 6, 0)]


async def test_owed_days_are_repaired_and_settled_once_a_later_day_is_published(
    database: Database, repair: HistoryRepair
) -> None:
    async with database.connection() as connection:
        await progress.owe_days(connection, [DAY - timedelta(days=9), DAY, DAY + timedelta(days=1)])

    left = await repair.settle_owed()

    assert list(left) == [DAY + timedelta(days=1)]
    assert await stored_ids(database) == list(IDS)


async def test_days_are_owed_until_the_history_can_be_had(
    database: Database, repair: HistoryRepair, site: Site, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing, "AFTER_TROUBLE_SECONDS", 0.01)
    whole = site.answers["/history/raw/20211202.json"]
    site.answers["/history/raw/20211202.json"] = Answer(status=502)
    async with database.connection() as connection:
        await progress.owe_days(connection, [DAY])

    settling = asyncio.create_task(repair.keep_settling(asyncio.Event()))
    await lines.wait_for("history_trouble")
    async with database.connection() as connection:
        owed = await progress.list_owed_days(connection)
    site.answers["/history/raw/20211202.json"] = whole
    await lines.wait_for("history_repaired")
    settling.cancel()
    await asyncio.wait([settling])

    assert list(owed) == [DAY]
    assert await stored_ids(database) == list(IDS)


async def test_the_history_of_the_simulator_is_stored_whole(
    database: Database, universe: Universe, settings: Settings, tmp_path: Path
) -> None:
    async with (
        run_simulator(tmp_path / "sim", universe=universe, history_days=2) as url,
        make_repair(database, settings, url) as (repair, history),
    ):
        totals = await history.totals()
        first = await run(repair, *totals)
        second = await run(repair, *totals, trust_counts=False)

    assert [(done.day, done.stored_before, done.stored_after) for done in first] == [
        (day, 0, count) for day, count in sorted(totals.items())
    ]
    assert sum(totals.values()) == 400
    assert all(done.missing == 0 and done.stored_before == done.published for done in second)


async def test_a_hash_that_is_none_is_no_part_of_an_address_and_a_bad_answer_costs_one_killmail(
    site: Site, database: Database, repair: HistoryRepair
) -> None:
    hashes = {"10": "../../characters/1/?", "11": hash_of(11), "12": hash_of(12)}
    del site.answers["/history/raw/20211202.json"]
    site.answers |= {
        "/history/totals.json": Answer(b'{"20211202": 3}'),
        "/history/20211202.json": Answer(json.dumps(hashes).encode()),
        f"/killmails/11/{hash_of(11)}": Answer(b" " * (17 * 2**20)),
        f"/killmails/12/{hash_of(12)}": Answer(body_of(12)),
    }

    done = [day async for day in repair.repair([date(2021, 12, 2)], trust_counts=False)]

    assert await stored_ids(database) == [12]
    assert [(day.stored_after, day.missing) for day in done] == [(1, 2)]
    assert not any("characters" in request.path for request in site.asked)


async def test_a_pause_of_esi_is_waited_out_at_a_gentle_pace(
    site: Site, settings: Settings, database: Database, lines: Lines
) -> None:
    del site.answers["/history/raw/20211202.json"]
    for mail_id in IDS:
        site.answers[f"/killmails/{mail_id}/{hash_of(mail_id)}"] = Answer(body_of(mail_id))
    async with database.connection() as connection:
        await connection.execute("insert into esi_pause values ('all', now() + interval '4 seconds', 'told to wait')")
    slept: list[float] = []

    async with make_repair(database, settings, site.url, slept) as (repair, _history):
        done = [day async for day in repair.repair([DAY], trust_counts=True)]

    assert done == [DayRepair(DAY, 6, 0, 6, 0)]
    assert lines.of("history_pauses")
    assert sum(slept) > 2.0


async def test_a_killmail_that_esi_stumbles_over_costs_that_one_and_its_day_stays_owed(
    site: Site, database: Database, repair: HistoryRepair
) -> None:
    del site.answers["/history/raw/20211202.json"]
    for mail_id in IDS:
        site.answers[f"/killmails/{mail_id}/{hash_of(mail_id)}"] = Answer(body_of(mail_id))
    site.answers[f"/killmails/11/{hash_of(11)}"] = Answer(status=500)
    async with database.connection() as connection:
        await progress.owe_days(connection, [DAY])

    assert list(await repair.settle_owed()) == [DAY]
    assert await stored_ids(database) == [mail_id for mail_id in IDS if mail_id != 11]
    site.answers[f"/killmails/11/{hash_of(11)}"] = Answer(body_of(11))
    assert list(await repair.settle_owed()) == []
    assert await stored_ids(database) == list(IDS)


async def test_what_came_before_esi_went_away_is_stored(
    site: Site, database: Database, repair: HistoryRepair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing, "MAX_ESI_PAUSES", 0)
    del site.answers["/history/raw/20211202.json"]
    for mail_id in IDS:
        site.answers[f"/killmails/{mail_id}/{hash_of(mail_id)}"] = Answer(body_of(mail_id))
    site.answers[f"/killmails/13/{hash_of(13)}"] = Answer(status=420, headers={"X-ESI-Error-Limit-Reset": "60"})

    with pytest.raises(Transient):
        await run(repair, DAY)

    assert await stored_ids(database) == [10, 11, 12]
