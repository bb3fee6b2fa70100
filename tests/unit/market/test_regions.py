"""Which region's averages are a type's price, by the table with its dates."""

from __future__ import annotations

import bz2
from datetime import date
from itertools import pairwise

import pytest

from killreport.ingest.everef import read_market_day
from killreport.market.regions import MARKET_REGIONS, PLEX, THE_FORGE, MarketRegion, market_region, regions_apart

GLOBAL = 19000001


@pytest.mark.parametrize(
    ("type_id", "day", "region_id"),
    [
        (34, date(2026, 11, 20), THE_FORGE),
        (PLEX, date(2017, 5, 9), THE_FORGE),
        (PLEX, date(2025, 7, 6), THE_FORGE),
        (PLEX, date(2025, 7, 7), GLOBAL),
        (PLEX, date(2026, 11, 20), GLOBAL),
    ],
)
def test_a_type_has_its_market_in_one_region_on_a_day(type_id: int, day: date, region_id: int) -> None:
    assert market_region(type_id, day) == region_id


def test_the_latest_row_that_has_begun_holds() -> None:
    rows = [MarketRegion(1, 5, date(2020, 1, 1), "x"), MarketRegion(1, 6, date(2021, 1, 1), "x")]
    days = [date(2019, 12, 31), date(2020, 12, 31), date(2021, 1, 1)]
    assert [market_region(1, day, reversed(rows)) for day in days] == [THE_FORGE, 5, 6]


def test_every_row_has_a_source_and_no_type_two_on_a_day() -> None:
    assert all(row.source for row in MARKET_REGIONS)
    keys = sorted((row.type_id, row.since) for row in MARKET_REGIONS)
    assert all(before != after for before, after in pairwise(keys))


@pytest.mark.parametrize(
    ("day", "cents"), [(date(2025, 7, 6), [(PLEX, 500), (34, 401)]), (date(2025, 7, 7), [(PLEX, 680), (34, 401)])]
)
def test_the_file_of_a_day_is_read_for_the_region_of_each_type(day: date, cents: list[tuple[int, int]]) -> None:
    rows = [(THE_FORGE, PLEX, "5.00"), (GLOBAL, PLEX, "6.80"), (GLOBAL, 34, "9.99"), (THE_FORGE, 34, "4.01")]
    text = "average,date,region_id,type_id\n" + "".join(f"{isk},{day},{region},{kind}\n" for region, kind, isk in rows)
    found = read_market_day(bz2.compress(text.encode()), day)
    assert [(row.type_id, row.average_cents) for row in found] == cents


def test_what_is_not_in_the_forge_is_known_for_the_day() -> None:
    assert regions_apart(date(2025, 7, 6)) == {}
    assert regions_apart(date(2025, 7, 7)) == {PLEX: GLOBAL}
