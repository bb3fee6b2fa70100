"""EVE Ref's market history, and CCP's archive of static data."""

from __future__ import annotations

import bz2
import csv
import io

from killreport.eve.importer import read_static_data
from killreport.eve.universe import Universe
from tests.integration.sim.conftest import Client


async def test_a_day_of_the_market_has_the_figures_of_esi(client: Client) -> None:
    packed = (await client.get("/market-history/2026/market-history-2026-09-19.csv.bz2")).body
    rows = list(csv.DictReader(io.StringIO(bz2.decompress(packed).decode())))

    (row,) = (row for row in rows if (row["type_id"], row["region_id"]) == ("34", "10000002"))
    history = (await client.get("/markets/10000002/history?type_id=34")).body
    (day,) = (day for day in history if day["date"] == "2026-09-19")

    assert {key: str(value) for key, value in day.items()} == {key: row[key] for key in day}
    totals = (await client.get("/market-history/totals.json")).body
    assert totals["2026-09-19"] == len(rows)


async def test_a_day_is_there_when_it_is_over(client: Client) -> None:
    # The clock stands at 2026-09-21.
    for day, status in (("2026-09-20", 200), ("2026-09-21", 404), ("2003-09-30", 404), ("2026-02-30", 404)):
        assert (await client.get(f"/market-history/{day[:4]}/market-history-{day}.csv.bz2")).status == status
    assert (await client.get("/market-history/2025/market-history-2026-09-20.csv.bz2")).status == 404
    index = (await client.get("/market-history/2026/index.json")).body
    assert index["files"][-1]["name"] == "market-history-2026-09-20.csv.bz2"
    assert (await client.get(index["files"][-1]["url"].removeprefix(client.url))).status == 200
    assert (await client.get("/market-history/2027/index.json")).status == 404


async def test_the_archive_is_one_the_importer_takes_under_the_number_that_is_told(
    client: Client, universe: Universe
) -> None:
    path = "/static-data/eve-online-static-data-latest-jsonl.zip"
    packaged = read_static_data(io.BytesIO((await client.get(path)).body), "first")
    await client.post("/control/static-data", {"build_number": 9_999_999})
    answer = await client.get(path)
    newer = read_static_data(io.BytesIO(answer.body), "second")

    assert (packaged.build_number, newer.build_number) == (universe.build_number, 9_999_999)
    assert newer.count("eve_type") == packaged.count("eve_type") == len(universe.types)
    assert newer.released_at > packaged.released_at
    assert (await client.get(path, headers={"If-None-Match": answer.headers["ETag"]})).status == 304
