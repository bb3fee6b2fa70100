"""update-prices reads what is missing, once, values killmails again, and does what it can when a host is away."""

from __future__ import annotations

import bz2
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from killreport.config import Settings
from killreport.coordination.job_runs import present_instant
from killreport.cron import update_prices
from killreport.cron.running import JobReport
from killreport.db.database import Database
from killreport.errors import NotFound, Unavailable
from killreport.ingest.reading import load_writer
from killreport.killmail.writing.recount import recount_differences
from killreport.market.price import PriceRule
from tests.integration.cron.conftest import RunJob, Runs
from tests.integration.killmail.mails import DAMAGE_CONTROL, RIFTER, arrival
from tests.integration.zkillboard.site import Answer, Site, open_site

DAY = date(2021, 12, 2)
HEADER = "average,date,region_id,type_id\n"
# Of no static data: nobody knows what it is worth.
NEW_TYPE = 2_000_000_001


def path_of(day: date) -> str:
    return f"/market-history/{day:%Y}/market-history-{day}.csv.bz2"


def day_file(day: date, **averages: float) -> Answer:
    """Return a day's file; the averages by type as `t587=5.0`."""
    rows = "".join(f"{average},{day},10000002,{name[1:]}\n" for name, average in averages.items())
    return Answer(bz2.compress((HEADER + rows).encode()))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Yield a host that is ESI and EVE Ref at once, with one market day."""
    prices = [{"type_id": NEW_TYPE, "average_price": 70.0}, {"type_id": 35, "adjusted_price": 3.0}]
    answers = {
        "/markets/prices": Answer(msgspec.json.encode(prices), headers={"Content-Type": "application/json"}),
        path_of(DAY): day_file(DAY, t587=600_000.0),
    }
    async with open_site(answers) as site:
        yield site


@pytest.fixture
def job_settings(settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings whose ESI and EVE Ref are the site, asked as fast as it answers."""
    monkeypatch.setattr(update_prices, "EVEREF_PER_SECOND", 5000.0)
    return settings.replace(esi_url=site.url, everef_url=site.url, esi_requests_per_second=5000.0)


@pytest.fixture(autouse=True)
async def _stored(database: Database) -> None:
    """Store three killmails of one day; the second carries what nobody knows a price of."""
    unknown = {"item_type_id": NEW_TYPE, "flag": 5, "singleton": 0, "quantity_destroyed": 1}
    writer = await load_writer(database)
    await writer.store(database, [arrival(1), arrival(2, items=[unknown]), arrival(3, items=None)])


async def market_asked(site: Site) -> list[str]:
    return [request.path for request in site.asked if request.path.startswith("/market-history/")]


async def one(database: Database, query: str, *arguments: object) -> Any:
    async with database.connection() as connection:
        return await connection.fetchval(query, *arguments)


async def run_if_due(run: RunJob, database: Database) -> JobReport:
    async with database.connection() as connection:
        now = await present_instant(connection)
    return await run("update-prices", trigger="schedule", if_due_at=now)


async def urgent(database: Database) -> bool:
    async with database.connection() as connection:
        return await update_prices.is_urgent(connection)


async def test_it_is_urgent_while_there_is_no_price_and_never_again(database: Database, run: RunJob) -> None:
    assert await urgent(database)
    report = await run_if_due(run, database)
    assert (report.status, report.counts["killmails_changed"]) == ("succeeded", 3)
    assert not await urgent(database)
    assert (await run_if_due(run, database)).status == "skipped"

    async with database.connection() as connection:
        await connection.execute("update value_basis set rules_version = 0")
    assert await urgent(database)
    await run_if_due(run, database)
    assert not await urgent(database)


async def test_it_is_urgent_again_when_the_first_killmails_come_after_the_first_references(
    database: Database, run: RunJob
) -> None:
    await run("update-prices")
    async with database.connection() as connection:
        await connection.execute("delete from price_day")
        assert await update_prices.is_urgent(connection)
        await connection.execute("delete from daily_total")
        assert not await update_prices.is_urgent(connection)


async def test_the_day_and_its_window_are_read_once_and_the_killmails_valued_again(
    database: Database, site: Site, run: RunJob
) -> None:
    report = await run("update-prices")

    window = [path_of(DAY - timedelta(days=back)) for back in range(34)]
    assert await market_asked(site) == window
    assert report.counts == {
        "references": 1,
        "references_changed": 1,
        "market_days": 1,
        "market_prices_changed": 1,
        "killmails_examined": 3,
        "killmails_changed": 3,
    }
    assert report.sentence == ("1 references and 1 market days read, 3 of 3 killmails have another value.")
    async with database.connection() as connection:
        totals = await connection.fetch(
            "select killmail_id, total_value_cents, ship_price_rule from killmail order by 1"
        )
        assert await recount_differences(connection) == []
    module = await one(database, "select unit_price_cents from item where type_id = $1", DAMAGE_CONTROL)
    assert [tuple(row) for row in totals] == [
        (1, 60_000_000 + module, PriceRule.MARKET_MEAN),
        (2, 60_007_000, PriceRule.MARKET_MEAN),
        (3, 60_000_000, PriceRule.MARKET_MEAN),
    ]


async def test_a_second_run_reads_no_market_day_and_changes_nothing(
    database: Database, site: Site, run: RunJob
) -> None:
    await run("update-prices")
    changes = await one(database, "select count(*) from value_change")
    before = len(await market_asked(site))
    report = await run("update-prices")
    assert len(await market_asked(site)) == before
    assert (report.counts["references_changed"], "killmails_examined" in report.counts) == (0, False)
    assert await one(database, "select count(*) from value_change") == changes


async def test_what_a_run_does_not_come_to_is_told_and_done_by_the_next(
    database: Database, run: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_prices, "MAX_DAYS", 30)
    first = await run("update-prices")
    second = await run("update-prices")
    third = await run("update-prices")
    assert first.sentence.endswith("Left for the next run: 4 market days.")
    assert "Left" not in second.sentence + third.sentence
    assert await one(database, "select count(*) from price_load") == 34


async def test_without_esi_the_market_days_are_read_and_then_the_run_fails(
    database: Database, site: Site, run: RunJob, runs: Runs
) -> None:
    site.answers["/markets/prices"] = Answer(status=404)
    with pytest.raises(NotFound):
        await run("update-prices")
    [recorded] = await runs()
    assert (recorded.status, recorded.counts["killmails_changed"]) == ("failed", 3)


async def test_without_eve_ref_the_references_are_read_and_then_the_run_fails(
    database: Database, site: Site, run: RunJob, runs: Runs
) -> None:
    site.answers[path_of(DAY)] = Answer(status=503)
    with pytest.raises(Unavailable, match="answered 503"):
        await run("update-prices")
    [recorded] = await runs()
    # The killmail with the new type, by its first reference.
    assert (recorded.status, recorded.counts["killmails_changed"]) == ("failed", 1)
    assert await one(database, "select count(*) from price_load") == 0


async def test_a_bad_file_keeps_no_other_away_and_is_asked_for_again(
    database: Database, site: Site, run: RunJob
) -> None:
    bad = DAY - timedelta(days=1)
    site.answers[path_of(bad)] = Answer(b"<html>")
    site.answers[path_of(bad - timedelta(days=1))] = day_file(bad - timedelta(days=1), t587=800_000.0)
    with pytest.raises(Unavailable, match=f"market history of {bad} cannot be read: not bzip2"):
        await run("update-prices")
    # The mean of two days, or the day's own, which is lower.
    rule = await one(database, "select ship_price_rule from killmail where killmail_id = 3")
    assert rule == PriceRule.MARKET_DAY
    site.answers[path_of(bad)] = day_file(bad, t587=100.0)
    await run("update-prices")
    assert await one(database, "select total_value_cents from killmail where killmail_id = 3") == 46_670_000


async def test_a_ship_of_another_day_is_left_alone(database: Database, run: RunJob) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "update killmail set killmail_time = killmail_time - interval '1 day' where killmail_id = 3"
        )
    await run("update-prices")
    # The market day came after that ship was lost: it says nothing about it.
    assert await one(database, "select ship_price_rule from killmail where killmail_id = 3") != PriceRule.MARKET_MEAN
    assert await one(database, "select count(*) from price_day where type_id = $1", RIFTER) == 1
