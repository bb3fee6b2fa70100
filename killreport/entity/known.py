"""Names that were read lately, so that a page of the same well-known names asks for none of them again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Generic, TypeVar

from killreport.clock import monotonic
from killreport.db.database import Database
from killreport.entity.queries import NamedGroup, Names, names_of

MAX_NAMES = 50_000

T = TypeVar("T")


class _Kept(Generic[T]):
    """Values by id, each until its time; of too many the oldest are forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[int, tuple[float, T]] = {}

    def find(self, ids: Collection[int], now: float) -> dict[int, T]:
        values = self._values
        return {id_: found[1] for id_ in ids if (found := values.get(id_)) is not None and found[0] > now}

    def keep(self, values: Mapping[int, T], until: float) -> None:
        for id_, value in values.items():
            self._values.pop(id_, None)  # what is put in anew comes last
            self._values[id_] = (until, value)
        for id_ in list(self._values)[: max(0, len(self._values) - self._most)]:
            del self._values[id_]

    def drop(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            self._values.pop(id_, None)

    def clear(self) -> None:
        self._values.clear()


class KnownNames:
    """Names of one process, each until it is dropped, and no longer than `seconds`; 0: none is kept at all.

    That a name is not known is never kept.
    """

    def __init__(self, seconds: float, most: int = MAX_NAMES) -> None:
        self._seconds = seconds
        self._characters = _Kept[str](most)
        self._corporations = _Kept[NamedGroup](most)
        self._alliances = _Kept[NamedGroup](most)
        self._drops = 0

    def drop(self, ids: Collection[int] | None) -> None:
        """Forget the names of these entities, of whatever kind; None: all names."""
        self._drops += 1
        for kept in (self._characters, self._corporations, self._alliances):
            if ids is None:
                kept.clear()
            else:
                kept.drop(ids)

    async def get(
        self, database: Database, characters: Collection[int], corporations: Collection[int], alliances: Collection[int]
    ) -> Names:
        """Return what is known of these entities: in one statement, and in none where all was read lately."""
        now = monotonic()
        kept = Names(
            self._characters.find(characters, now),
            self._corporations.find(corporations, now),
            self._alliances.find(alliances, now),
        )
        missing = (
            [id_ for id_ in characters if id_ not in kept.characters],
            [id_ for id_ in corporations if id_ not in kept.corporations],
            [id_ for id_ in alliances if id_ not in kept.alliances],
        )
        if not any(missing):
            return kept
        drops = self._drops
        async with database.connection() as connection:
            read = await names_of(connection, *missing)
        # What was dropped meanwhile may have been read before it changed.
        if self._seconds and drops == self._drops:
            until = now + self._seconds
            self._characters.keep(read.characters, until)
            self._corporations.keep(read.corporations, until)
            self._alliances.keep(read.alliances, until)
        return Names(
            {**kept.characters, **read.characters},
            {**kept.corporations, **read.corporations},
            {**kept.alliances, **read.alliances},
        )
