"""Answers kept as bytes: found again without running anything, computed once for all who ask at the same time."""

from __future__ import annotations

import asyncio
import gzip
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import zstandard
from starlette.requests import Request
from starlette.responses import Response

from killreport.answering import content_tag, tagged
from killreport.api.door.guard.operation import Lifetime
from killreport.api.views.cache_tags import collecting_tags
from killreport.clock import monotonic

Key = tuple[str, str | None, bytes]
MIN_COMPRESSED = 1_000
# The tag of answers that depend on entities they do not show: a search may find somebody else tomorrow.
ENTITIES = "entities"
# What an entry takes besides its bodies.
_OVERHEAD = 700
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdCompressor(level=6).compress(body),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}


@dataclass(slots=True)
class Answer:
    """One result of GraphQL. status: what HTTP says where not the media type decides."""

    content: dict[str, Any]
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing in it."""
        return self.status is None and "errors" not in self.content


class KeptBody:
    """A body that many get: its tag, and its codings, are worked out once."""

    __slots__ = ("_encoded", "body", "tag")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.tag = content_tag(body)
        self._encoded: dict[str, bytes] = {}

    def response(self, request: Request, media_type: str, headers: Mapping[str, str]) -> Response:
        """Return it as whoever asks likes it, or 304 where they have it. headers: `Vary` among them."""
        body, coding = self.variant(request.headers.get("accept-encoding", ""))
        if coding is None:
            return tagged(request, Response(body, 200, headers, media_type), self.tag)
        headers = {**headers, "Content-Encoding": coding}
        return tagged(request, Response(body, 200, headers, media_type), f"{self.tag}-{coding}")

    def variant(self, accepted: str) -> tuple[bytes, str | None]:
        """Return the body as the client likes it (its Accept-Encoding) and the name of that coding."""
        if accepted and len(self.body) >= MIN_COMPRESSED:
            for name, compress in _COMPRESS.items():
                if name in accepted:
                    if name not in self._encoded:
                        self._encoded[name] = compress(self.body)
                    return self._encoded[name], name
        return self.body, None


class Entry(KeptBody):
    """One kept answer. shown: the ids of the entities in it; an array, because a page of killmails shows hundreds."""

    __slots__ = ("shown", "tags", "until")

    def __init__(self, body: bytes, until: float, tags: frozenset[str], shown: Iterable[int]) -> None:
        super().__init__(body)
        self.until = until
        self.tags = tags
        self.shown = array("q", shown)


@dataclass(slots=True, eq=False)
class _Flight:
    """An answer that is being made, and who waits for it. shown: grows meanwhile."""

    landed: asyncio.Future[Entry | None]
    tags: frozenset[str]
    shown: set[int]


class ResponseCache:
    """Whole answers by document, operation and variables, bounded by bytes; the one unused for longest goes first."""

    def __init__(self, most_bytes: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._flights: dict[Key, _Flight] = {}
        self.bytes = 0

    @property
    def is_on(self) -> bool:
        """Whether anything is kept at all."""
        return self._most_bytes > 0

    def find(self, key: Key) -> Entry | None:
        """Return the kept answer, None where there is none or it is too old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until <= self._clock():
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def seconds_left(self, entry: Entry) -> int:
        """Return for how many whole seconds the answer may be kept elsewhere."""
        return max(0, int(entry.until - self._clock()))

    async def shared(self, key: Key, lifetime: Lifetime, compute: Callable[[], Awaitable[Answer]]) -> Entry | Answer:
        """Return the answer, computed once for all who ask for it meanwhile; kept where it is whole.

        An event that ends its life while it is computed has it served to those who wait, and not kept; who asks after
        the event does not wait for it.
        """
        flying = self._flights.get(key)
        if flying is not None:
            entry = await asyncio.shield(flying.landed)
            return entry if entry is not None else await compute()
        entry = None
        with collecting_tags() as shown:
            flight = self._flights[key] = _Flight(asyncio.get_running_loop().create_future(), lifetime.tags, shown)
            try:
                answer = await compute()
                if answer.is_complete:
                    entry = self._entry(answer, lifetime, shown)
                    if self._flights.get(key) is flight:
                        self._keep(key, entry)
                return entry or answer
            finally:
                if self._flights.get(key) is flight:
                    del self._flights[key]
                flight.landed.set_result(entry)

    def drop(self, tag: str) -> None:
        """Forget every answer with this tag, those being computed too."""
        self._drop(lambda one: tag in one.tags)

    def drop_showing(self, ids: frozenset[int] | None) -> None:
        """Forget the answers that show one of these entities (None: any at all), those being computed too.

        And those with the tag ENTITIES.
        """
        self._drop(
            lambda one: ENTITIES in one.tags or (bool(one.shown) if ids is None else not ids.isdisjoint(one.shown))
        )

    def clear(self) -> None:
        """Forget every answer, those being computed too."""
        self._drop(lambda _one: True)

    def _drop(self, is_over: Callable[[Entry | _Flight], bool]) -> None:
        for key in [key for key, entry in self._entries.items() if is_over(entry)]:
            self._remove(key)
        for key in [key for key, flight in self._flights.items() if is_over(flight)]:
            del self._flights[key]

    def _entry(self, answer: Answer, lifetime: Lifetime, shown: Iterable[int]) -> Entry:
        return Entry(msgspec.json.encode(answer.content), self._clock() + lifetime.seconds, lifetime.tags, shown)

    def _keep(self, key: Key, entry: Entry) -> None:
        size = _size(key, entry)
        if size > self._most_bytes // 4:
            return
        self._remove(key)
        self._entries[key] = entry
        self.bytes += size
        while self.bytes > self._most_bytes:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= _size(key, entry)


def _size(key: Key, entry: Entry) -> int:
    # The compressed bodies come later, if somebody asks; together they are smaller than the body.
    return 2 * len(entry.body) + entry.shown.itemsize * len(entry.shown) + len(key[2]) + _OVERHEAD
