"""EVE Ref's market days are read whole, and nothing that is not one is taken for one."""

from __future__ import annotations

import bz2
from datetime import date

import pytest

from killreport.errors import Malformed
from killreport.ingest.everef import SOURCE, read_market_day
from killreport.market.store import PriceDay

DAY = date(2026, 11, 22)
HEADER = "average,date,highest,lowest,order_count,volume,http_last_modified,region_id,type_id\n"


def row(type_id: int, average: str, *, region: int = 10000002, day: str = "2026-11-22") -> str:
    return f"{average},{day},9,1,3,100,2026-11-23T11:07:00Z,{region},{type_id}\n"


def read(text: str | bytes) -> list[PriceDay]:
    return read_market_day(bz2.compress(text.encode() if isinstance(text, str) else text), DAY)


def price(type_id: int, cents: int) -> PriceDay:
    return PriceDay(type_id, DAY, cents, SOURCE)


def test_only_the_forge_on_that_day_is_kept_in_whole_cents() -> None:
    text = (
        HEADER
        + row(34, "4.005")
        + row(35, "12.5", region=10000043)
        + row(36, "1000000.1", day="2026-11-21")
        + row(587, "512000.999")
    )
    assert read(text) == [price(34, 401), price(587, 51_200_100)]


def test_a_file_that_is_made_up_says_so_and_so_do_its_prices() -> None:
    header = "type_id,average,region_id,date,source\n"
    rows = ["34,1,10000002,2026-11-22,made up", "35,1,10000002,2026-11-22,", f"36,1,10000002,2026-11-22,{'x' * 101}"]
    assert [row.source for row in read(header + "\n".join(rows))] == [f"{SOURCE}, made up", SOURCE, SOURCE]


def test_columns_may_stand_in_any_order_and_the_last_line_may_lack_its_end() -> None:
    assert read("type_id,average,new,region_id,date\n34,4.01,x,10000002,2026-11-22") == [price(34, 401)]


def test_a_file_of_several_streams_is_read_to_its_end() -> None:
    packed = bz2.compress((HEADER + row(34, "1")).encode()) + bz2.compress(row(35, "2").encode())
    assert read_market_day(packed, DAY) == [price(34, 100), price(35, 200)]


def test_a_file_larger_than_one_portion_is_read_whole() -> None:
    rows = [row(type_id, "1.00") for type_id in range(1, 20_001)]
    assert len(read(HEADER + "".join(rows))) == 20_000


@pytest.mark.parametrize(
    ("text", "reason", "path"),
    [
        ("", "the file is empty", "line 1"),
        ("average,date,region_id\n", "there is no column type_id", "line 1"),
        (HEADER + row(34, "1") + row(35, "much"), "not a row of a market day", "line 3"),
        (HEADER + row(34, "NaN"), "not a row of a market day", "line 2"),
        (HEADER + row(34, "-1"), "a number out of range", "line 2"),
        (HEADER + row(0, "1"), "a number out of range", "line 2"),
        (HEADER + row(34, "1e300"), "a number out of range", "line 2"),
        (b"\xff\n", "not UTF-8", "line 1"),
        ("x" * 600_000, "a line without an end", "line 1"),
    ],
)
def test_what_is_no_market_day_is_refused_with_its_line(text: str | bytes, reason: str, path: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(text)
    assert (refused.value.reason, refused.value.path) == (reason, path)


def test_a_file_cut_short_is_refused() -> None:
    packed = bz2.compress((HEADER + row(34, "1")).encode())
    with pytest.raises(Malformed, match="the file is cut short"):
        read_market_day(packed[:-5], DAY)


def test_what_is_not_bzip2_is_refused() -> None:
    with pytest.raises(Malformed, match="not bzip2"):
        read_market_day(b"<html>not here</html>", DAY)
