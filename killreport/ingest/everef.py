"""EVE Ref's archive of market history: a compressed table a day, of which each type's rows in one region are kept.

Source: https://docs.everef.net/datasets/market-history.html; columns in any order, named in the first line.
"""

from __future__ import annotations

import bz2
import csv
from collections.abc import AsyncIterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Protocol

from killreport.errors import Malformed
from killreport.ids import MAX_ENTITY_ID
from killreport.market.regions import THE_FORGE, regions_apart
from killreport.market.store import PriceDay

SOURCE = "EVE Ref market history"
# A day has some 60,000 rows of 100 bytes; beyond this it is no such file.
MAX_BYTES = 128 * 2**20
MAX_CENTS = 10**15
MAX_DIGITS = 20
_PIECE = 2**18
_THE_FORGE = str(THE_FORGE)
_COLUMNS = ("region_id", "type_id", "date", "average")
# Who else than EVE Ref says so: a file that is made up has it.
_SOURCE_COLUMN = "source"
_MAX_SOURCE = 100


class Stream(Protocol):
    """The part of the HTTP client that is used here."""

    def stream(self, url: str) -> AsyncIterator[bytes]:
        """Yield the body in pieces, or raise as `HttpClient.stream` does."""


async def fetch_market_day(http: Stream, base_url: str, day: date) -> list[PriceDay]:
    """Return the averages of a day, of each type in the region that has its market then.

    A piece of the file is in memory at a time.
    Raises NotFound where there is no file of the day, Malformed for one that is not what it should be, and as the
    client does.
    """
    reader = MarketDayReader(day)
    async for piece in http.stream(f"{base_url}/market-history/{day:%Y}/market-history-{day}.csv.bz2"):
        reader.feed(piece)
    return reader.finish()


class MarketDayReader:
    """Takes the compressed file in pieces of any size. Raises Malformed, with the line as its path."""

    def __init__(self, day: date) -> None:
        self._day = day
        # As the file spells them: most of its rows are of other regions, and are left aside unread.
        self._elsewhere = {str(type_id): str(region_id) for type_id, region_id in regions_apart(day).items()}
        self._unpacker = bz2.BZ2Decompressor()
        self._rest = b""
        self._size = 0
        self._line = 0
        self._columns: list[int] = []
        self._source_column: int | None = None
        self._found: list[PriceDay] = []

    def feed(self, packed: bytes) -> None:
        """Take the next piece."""
        while packed:
            if self._unpacker.eof:
                # bzip2 files may be several streams behind each other.
                self._unpacker = bz2.BZ2Decompressor()
            packed = self._unpack(packed)

    def finish(self) -> list[PriceDay]:
        """Return the rows that count, in the order of the file; the file must have come to its end."""
        if not self._unpacker.eof:
            raise Malformed("the file is cut short", f"line {self._line + 1}")
        if self._rest:
            self._read(self._rest)
            self._rest = b""
        if not self._columns:
            raise Malformed("the file is empty", "line 1")
        return self._found

    def _unpack(self, packed: bytes) -> bytes:
        """Read what the piece gives, in bounded portions, and return what lies behind the end of the stream."""
        given = packed
        while not self._unpacker.eof and (given or not self._unpacker.needs_input):
            try:
                text = self._unpacker.decompress(given, _PIECE)
            except OSError as error:
                raise Malformed(f"not bzip2 ({error})", f"line {self._line + 1}") from None
            given = b""
            self._size += len(text)
            if self._size > MAX_BYTES:
                raise Malformed(f"the file is larger than {MAX_BYTES >> 20} MiB", f"line {self._line + 1}")
            whole, newline, rest = text.rpartition(b"\n")
            if newline:
                self._read(self._rest + whole)
                self._rest = rest
            elif len(self._rest) > _PIECE:
                raise Malformed("a line without an end", f"line {self._line + 1}")
            else:
                self._rest += text
        return self._unpacker.unused_data if self._unpacker.eof else b""

    def _read(self, lines: bytes) -> None:
        try:
            text = lines.decode()
        except UnicodeDecodeError:
            raise Malformed("not UTF-8", f"line {self._line + 1}") from None
        # Not splitlines: it also splits where no line ends in a CSV.
        try:
            for cells in csv.reader(text.split("\n")):
                self._line += 1
                if not self._columns:
                    self._columns = self._find_columns(cells)
                elif cells:
                    self._keep(cells)
        except csv.Error as error:
            raise Malformed(f"not CSV ({error})", f"line {self._line + 1}") from None

    def _find_columns(self, names: list[str]) -> list[int]:
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise Malformed(f"there is no column {missing[0]}", "line 1")
        self._source_column = names.index(_SOURCE_COLUMN) if _SOURCE_COLUMN in names else None
        return [names.index(name) for name in _COLUMNS]

    def _keep(self, cells: list[str]) -> None:
        try:
            region, type_id, day, average = (cells[index] for index in self._columns)
            if region != self._elsewhere.get(type_id, _THE_FORGE) or day != self._day.isoformat():
                return
            row = PriceDay(int(type_id), self._day, _cents(average), self._source(cells))
        except (IndexError, ValueError, ArithmeticError):
            raise Malformed("not a row of a market day", f"line {self._line}") from None
        if not 0 < row.type_id <= MAX_ENTITY_ID or not 0 <= row.average_cents <= MAX_CENTS:
            raise Malformed("a number that cannot be", f"line {self._line}")
        self._found.append(row)

    def _source(self, cells: list[str]) -> str:
        said = "" if self._source_column is None else cells[self._source_column].strip()
        return f"{SOURCE}, {said}" if said.isprintable() and 0 < len(said) <= _MAX_SOURCE else SOURCE


def _cents(isk: str) -> int:
    amount = Decimal(isk)
    if not amount.is_finite():
        raise InvalidOperation
    if amount.adjusted() > MAX_DIGITS:  # written out, the number 1e999999 takes a megabyte
        return MAX_CENTS + 1
    return int((amount * 100).to_integral_value(ROUND_HALF_UP))
