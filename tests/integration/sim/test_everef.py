"""The simulator's market days are read as EVE Ref's are, and say what its ESI says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from killreport.ingest.everef import SOURCE, read_market_day
from killreport.sim.world.market import MADE_UP
from tests.integration.sim.conftest import Client, Clock

TRITANIUM, THE_FORGE = 34, 10000002


def path_of(day: date) -> str:
    return f"/market-history/{day:%Y}/market-history-{day}.csv.bz2"


async def test_a_day_has_the_averages_of_the_forge_that_esi_has(client: Client, clock: Clock) -> None:
    day = datetime.fromtimestamp(clock.now, UTC).date() - timedelta(days=3)
    packed = await client.get(path_of(day))
    history = await client.get(f"/markets/{THE_FORGE}/history?type_id={TRITANIUM}")

    rows = read_market_day(packed.body, day)
    averages = {row.type_id: row.average_cents for row in rows}
    [expected] = [row["average"] for row in history.body if row["date"] == day.isoformat()]
    assert averages[TRITANIUM] == round(expected * 100)
    assert len(averages) > 10_000
    assert {row.source for row in rows} == {f"{SOURCE}, {MADE_UP}"}


@pytest.mark.parametrize("days_back", [0, -1])
async def test_a_day_that_is_not_over_is_not_there(client: Client, clock: Clock, days_back: int) -> None:
    day = datetime.fromtimestamp(clock.now, UTC).date() - timedelta(days=days_back)
    assert (await client.get(path_of(day))).status == 404


@pytest.mark.parametrize(
    "path", ["/market-history/2021/market-history-2022-01-01.csv.bz2", path_of(date(2021, 1, 31)).replace("-31", "-32")]
)
async def test_a_path_that_names_no_day_is_not_there(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404
