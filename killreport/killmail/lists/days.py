"""The days of a list, some at a time: their postings, read as far as the reader of the list goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
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
    rows = await read_nearest(connection, keys, span.first, span.last, FIRST_DAYS, is_newest_first=is_newest_first)
    sets = DaySets()
    sets.add(rows)
    cut = [key for key, count in Counter((row[0], row[1]) for row in rows).items() if count == FIRST_DAYS]
    if not cut:
        yield Days(sorted(sets.days, reverse=is_newest_first), sets)
        return
    # Up to here everything is known of every key.
    choose = min if is_newest_first else max
    farthest: dict[object, date] = {}
    for code, side, day, _ in rows:
        assert isinstance(day, date)
        farthest[code, side] = choose(day, farthest.get((code, side), day))
    bound = (max if is_newest_first else min)(farthest[key] for key in cut)
    near = [day for day in sets.days if (day >= bound if is_newest_first else day <= bound)]
    yield Days(sorted(near, reverse=is_newest_first), sets)
    one = timedelta(days=1)
    rest = Span(span.first, bound - one) if is_newest_first else Span(bound + one, span.last)
    if rest.first > rest.last:
        return
    numbers = {key: BitMap64(days) for key, days in (await list_days(connection, keys, rest.first, rest.last)).items()}
    candidates = list(days_with(wanted, lambda key: numbers[key]))
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


def _chunk_sizes() -> Iterator[int]:
    yield from CHUNKS
    while True:
        yield CHUNKS[-1]
