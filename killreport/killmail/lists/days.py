"""The days of a list, some at a time: their postings, read as far as the reader of the list goes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pyroaring import BitMap64

from killreport.clock import span_of_day
from killreport.db.database import Connection
from killreport.killmail.postings.sets import Key, Sets, days_with, ids_in
from killreport.killmail.postings.table import (
    MAX_DAY,
    MIN_DAY,
    DaySets,
    day_of,
    list_days,
    read_days,
    read_nearest,
)

FIRST_DAYS = 4  # of each posting, read before anything else: they nearly always hold a page
CHUNKS = (8, 32, 128, 512)  # days read after that; the last for all others


@dataclass(frozen=True, slots=True)
class Days:
    """Some days of a list in its order, with all their postings that the list needs."""

    days: Sequence[date]
    sets: DaySets

    def ids(self, wanted: Sets, day: date) -> BitMap64:
        """Return the ids of a day that are wanted."""
        return ids_in(wanted, lambda key: self.sets.of(day, key))

    def all_ids(self, wanted: Sets) -> BitMap64:
        """Return the ids of all the days that are wanted, which are told at once: no killmail is of two days."""
        found: dict[Key, BitMap64] = {}

        def together(key: Key) -> BitMap64:
            if key not in found:
                found[key] = BitMap64.union(BitMap64(), *(self.sets.of(day, key) for day in self.days))
            return found[key]

        return ids_in(wanted, together)


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `first` to `last`, both included."""

    first: date = MIN_DAY
    last: date = MAX_DAY

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Return when the first day begins and when the last one has ended."""
        return span_of_day(self.first)[0], span_of_day(self.last)[1]

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no day."""
        return self.first > self.last

    def beyond(self, day: date, *, is_newest_first: bool) -> Span:
        """Return what is left behind a day in the order of reading."""
        step = timedelta(days=1)
        return Span(self.first, day - step) if is_newest_first else Span(day + step, self.last)

    @classmethod
    def between(cls, since: datetime | None, until: datetime | None) -> Span:
        """Return the days that have a moment from `since` on and before `until`; None for no bound."""
        last = MAX_DAY if until is None or until <= _FIRST_MOMENT else (until - timedelta(microseconds=1)).date()
        return cls(MIN_DAY if since is None else since.date(), last)

    def up_to(self, moment: datetime, *, is_newest_first: bool) -> Span:
        """Return what is left from the day of a moment on, in the order of reading."""
        day = moment.date()
        return Span(self.first, min(self.last, day)) if is_newest_first else Span(max(self.first, day), self.last)


_FIRST_MOMENT = datetime.fromisoformat("0001-01-01T00:00:00Z")


async def read_in_order(
    connection: Connection, keys: Sequence[Key], wanted: Sets, span: Span, *, is_newest_first: bool
) -> AsyncGenerator[Days]:
    """Yield the days of the span on which killmails may be wanted, with their postings, as far as they are asked for.

    One statement for the nearest days; the days of all others with one more, and then some days a statement.
    """
    nearest = await read_nearest(connection, keys, span.first, span.last, FIRST_DAYS, is_newest_first=is_newest_first)
    days, rest = known_days(nearest.values(), FIRST_DAYS, span, is_newest_first=is_newest_first)
    sets = DaySets()
    for key, postings in nearest.items():
        for day in postings.keys() & days:
            sets.add(day, key, postings[day])
    yield Days(days, sets)
    if rest.is_empty:
        return
    days_of = await list_days(connection, keys, rest.first, rest.last)
    candidates = list(days_with(wanted, days_of.__getitem__))
    if is_newest_first:
        candidates.reverse()
    place = 0
    for chunk in _chunk_sizes():
        if place >= len(candidates):
            return
        days = [day_of(number) for number in candidates[place : place + chunk]]
        place += chunk
        sets = DaySets()
        await read_days(connection, keys, days, sets)
        yield Days(days, sets)


def known_days(
    nearest: Collection[Mapping[date, bytes]], limit: int, span: Span, *, is_newest_first: bool
) -> tuple[list[date], Span]:
    """Return the days of which all postings are among the nearest, in the order of reading, and the days left.

    nearest: of each key, by day, `limit` at most: of one that has so many, nothing is known beyond the farthest.
    """
    cut = [postings.keys() for postings in nearest if len(postings) == limit]
    rest = Span(MAX_DAY, MIN_DAY)
    if cut:
        bound = max(map(min, cut)) if is_newest_first else min(map(max, cut))
        rest = span.beyond(bound, is_newest_first=is_newest_first)
    days = {day for postings in nearest for day in postings if not rest.first <= day <= rest.last}
    return sorted(days, reverse=is_newest_first), rest


def _chunk_sizes() -> Iterator[int]:
    yield from CHUNKS
    while True:
        yield CHUNKS[-1]
