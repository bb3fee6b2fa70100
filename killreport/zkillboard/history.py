"""The history beside the R2Z2 feed: what zKillboard knows of every day, to compare with and to fill up from.

Source: zKillboard's day dump, published about 06:00 UTC for the day before, rewritten when a day's killmails change.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Annotated, Protocol, TypeVar

import msgspec

from killreport.clock import FIRST_DAY, LAST_DAY, is_nameable
from killreport.decoding import AnyId, Text, decode_json, is_json
from killreport.errors import HostAway, Malformed
from killreport.zkillboard.progress import day_number
from killreport.zkillboard.r2z2 import Fetch

# The largest killmail known has 0.7 MB; without a bound one broken file could take all memory.
MAX_KILLMAIL_BYTES = 16 * 2**20

# The busiest day so far had 60,000.
DayCount = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]

_MEMBER = re.compile(rb'[{,]\s*"(\d{1,19})"\s*:\s*(?=\{)')
# What may stand at the end of a piece without being the whole start of a member.
_MAX_MEMBER_START = 64
# PHP writes an empty table as a list.
_EMPTY = (b"{}", b"[]")

_KEY = TypeVar("_KEY")
_VALUE = TypeVar("_VALUE")


class FetchStream(Fetch, Protocol):
    """The part of the HTTP client that the history uses."""

    def stream(self, url: str) -> AsyncIterator[bytes]:
        """Yield the body in pieces, or raise as `HttpClient.stream` does."""


class HistoryReader:
    """Reads the history files under one host."""

    def __init__(self, http: FetchStream, url: str) -> None:
        self._http = http
        self._url = f"{url}/history"

    async def totals(self) -> dict[date, int]:
        """Return how many killmails each day has. Raises as `HttpClient.get` does."""
        found = _decode_object(await self._http.get(f"{self._url}/totals.json"), dict[str, DayCount])
        return {_day(name): count for name, count in found.items()}

    async def hashes(self, day: date) -> dict[int, str]:
        """Return the id and hash of each killmail of a day. Raises NotFound where the day is not published."""
        return _decode_object(await self._http.get(f"{self._url}/{day_number(day)}.json"), dict[AnyId, Text])

    async def killmails(self, day: date) -> AsyncIterator[tuple[int, bytes]]:
        """Yield the id and the body of each killmail of a day, in the order of the file, a piece of it in memory.

        Raises NotFound where there are no bodies of the day (they exist since 2026-07-01), Unavailable where the file
        ends too early: what was yielded before is whole.
        """
        async for killmail in split_members(self._http.stream(f"{self._url}/raw/{day_number(day)}.json")):
            yield killmail


async def split_members(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """Yield the members of one JSON object of objects whose names are numbers, as they come in.

    A killmail has no such names inside, so a number followed by an object always begins the next one.
    Raises Malformed where a member is larger than any killmail, Unavailable where the text ends too early.
    """
    buffer = bytearray()
    name: int | None = None
    begin = scan = 0
    async for piece in pieces:
        buffer += piece
        while match := _MEMBER.search(buffer, scan):
            if name is not None:
                yield name, bytes(buffer[begin : match.start()]).rstrip()
            name, begin, scan = int(match[1]), match.end(), match.end()
        del buffer[:begin]
        begin = 0
        scan = max(len(buffer) - _MAX_MEMBER_START, 0)
        if len(buffer) > MAX_KILLMAIL_BYTES:
            raise Malformed(f"a killmail of more than {MAX_KILLMAIL_BYTES} bytes", f"$.{name}")
    end = bytes(buffer).strip()
    if name is None and end in _EMPTY:
        return
    # A file cut short may end in two braces as well: only the whole last killmail is JSON without the last of them.
    last = end[:-1].rstrip()
    if name is None or not end.endswith(b"}") or not is_json(last):
        raise HostAway("The history file ends too early.")
    yield name, last


def _decode_object(body: bytes, kind: type[dict[_KEY, _VALUE]]) -> dict[_KEY, _VALUE]:
    return {} if body.strip() in _EMPTY else decode_json(body, kind)


def _day(name: str) -> date:
    try:
        day = datetime.strptime(name, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Malformed("expected days as YYYYMMDD", f"$.{name}") from None
    if not is_nameable(day):
        raise Malformed(f"expected days from {FIRST_DAY} to {LAST_DAY}", f"$.{name}")
    return day
