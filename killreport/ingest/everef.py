"""EVE Ref's archive of market history: a compressed table a day, of which each type's rows in one region are kept.

Source: https://docs.everef.net/datasets/market-history.html; columns in any order, named in the first line.
"""

from __future__ import annotations

import asyncio
import bz2
import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from killreport.errors import Malformed
from killreport.ids import MAX_ENTITY_ID
from killreport.market.regions import THE_FORGE, regions_apart
from killreport.market.store import PriceDay
from killreport.zkillboard.r2z2 import Fetch

SOURCE = "EVE Ref market history"
# A day has some 60,000 rows of 100 bytes; beyond this it is no such file.
MAX_CHARACTERS = 128 * 2**20
MAX_LINE = 2**18
MAX_CENTS = 10**15
MAX_DIGITS = 20
_THE_FORGE = str(THE_FORGE)
_COLUMNS = ("region_id", "type_id", "date", "average")
# Who else than EVE Ref says so: a file that is made up has it.
_SOURCE_COLUMN = "source"
_MAX_SOURCE = 100


async def fetch_market_day(http: Fetch, base_url: str, day: date) -> list[PriceDay]:
    """Return the averages of a day, of each type in the region that has its market then.

    Raises NotFound where there is no file of the day, Malformed for one that is not what it should be, and as the
    client does.
    """
    packed = await http.get(f"{base_url}/market-history/{day:%Y}/market-history-{day}.csv.bz2")
    return await asyncio.to_thread(read_market_day, packed, day)


def read_market_day(packed: bytes, day: date) -> list[PriceDay]:
    """Return the rows of a compressed file that count, in its order. Raises Malformed, with the line as its path."""
    # As the file spells them: most of its rows are of other regions, and are left aside unread.
    elsewhere = {str(type_id): str(region_id) for type_id, region_id in regions_apart(day).items()}
    reader = csv.reader(_lines(packed))
    found: list[PriceDay] = []
    try:
        names = next(reader, None)
        if names is None:
            raise Malformed("the file is empty", "line 1")
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise Malformed(f"there is no column {missing[0]}", "line 1")
        columns = [names.index(name) for name in _COLUMNS]
        source_column = names.index(_SOURCE_COLUMN) if _SOURCE_COLUMN in names else None
        for cells in filter(None, reader):
            region, type_id, of_day, average = (cells[index] for index in columns)
            if region != elsewhere.get(type_id, _THE_FORGE) or of_day != day.isoformat():
                continue
            source = _source("" if source_column is None else cells[source_column].strip())
            row = PriceDay(int(type_id), day, _cents(average), source)
            if not 0 < row.type_id <= MAX_ENTITY_ID or not 0 <= row.average_cents <= MAX_CENTS:
                raise Malformed("a number out of range", f"line {reader.line_num}")
            found.append(row)
    except EOFError:
        raise Malformed("the file is cut short", f"line {reader.line_num + 1}") from None
    except OSError as error:
        raise Malformed(f"not bzip2 ({error})", f"line {reader.line_num + 1}") from None
    except UnicodeDecodeError:
        raise Malformed("not UTF-8", f"line {reader.line_num + 1}") from None
    except csv.Error as error:
        raise Malformed(f"not CSV ({error})", f"line {reader.line_num}") from None
    except (IndexError, ValueError, ArithmeticError):
        raise Malformed("not a row of a market day", f"line {reader.line_num}") from None
    return found


def _lines(packed: bytes) -> Iterator[str]:
    with io.TextIOWrapper(bz2.BZ2File(io.BytesIO(packed)), encoding="utf-8", newline="\n") as text:
        size = number = 0
        while line := text.readline(MAX_LINE):
            number += 1
            size += len(line)
            if size > MAX_CHARACTERS:
                raise Malformed(f"the file is larger than {MAX_CHARACTERS >> 20} MiB", f"line {number}")
            if len(line) == MAX_LINE:
                raise Malformed("a line without an end", f"line {number}")
            yield line


def _source(said: str) -> str:
    return f"{SOURCE}, {said}" if said.isprintable() and 0 < len(said) <= _MAX_SOURCE else SOURCE


def _cents(isk: str) -> int:
    amount = Decimal(isk)
    if not amount.is_finite():
        raise InvalidOperation
    if amount.adjusted() > MAX_DIGITS:  # written out, the number 1e999999 takes a megabyte
        return MAX_CENTS + 1
    return int((amount * 100).to_integral_value(ROUND_HALF_UP))
