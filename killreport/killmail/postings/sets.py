"""Which killmails are wanted, as sets of postings united, intersected and taken away from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pyroaring import BitMap64

from killreport.killmail.postings.codes import EVERYTHING, Side

Key: TypeAlias = tuple[int, int]  # a code and its side
ALL_KEY: Key = (EVERYTHING, int(Side.KILLER))

# Told a key, the set of it: of killmails, or of days.
SetOf: TypeAlias = Callable[[Key], BitMap64]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The killmails of any of these postings; without a key, none."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class United:
    """The killmails of any part."""

    parts: tuple[Sets, ...]


@dataclass(frozen=True, slots=True)
class Common:
    """The killmails that are in all parts."""

    parts: tuple[Sets, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """All killmails but those of the part."""

    part: Sets


Sets = AnyOf | United | Common | Without
ALL = AnyOf((ALL_KEY,))


def keys_of(wanted: Sets) -> Iterator[Key]:
    """Yield the keys of all postings that are needed, some perhaps twice."""
    match wanted:
        case AnyOf(keys):
            yield from keys
        case United(parts):
            for part in parts:
                yield from keys_of(part)
        case Common(parts):
            for part in parts:
                yield from keys_of(part.part if isinstance(part, Without) else part)
            if all(isinstance(part, Without) for part in parts):
                yield ALL_KEY
        case Without(part):
            yield ALL_KEY
            yield from keys_of(part)


def ids_in(wanted: Sets, set_of: SetOf) -> BitMap64:
    """Return the ids of the killmails that are wanted, of the sets of one day."""
    match wanted:
        case AnyOf(keys):
            return BitMap64.union(*map(set_of, keys)) if len(keys) > 1 else _only(keys, set_of)
        case United(parts):
            return BitMap64.union(*(ids_in(part, set_of) for part in parts))
        case Without(part):
            return set_of(ALL_KEY) - ids_in(part, set_of)
        case Common(parts):
            kept = [part for part in parts if not isinstance(part, Without)] or [ALL]
            found = ids_in(kept[0], set_of)
            for part in kept[1:]:
                if not found:
                    return found
                found = found & ids_in(part, set_of)
            for part in parts:
                if isinstance(part, Without) and found:
                    found = found - ids_in(part.part, set_of)
            return found


def days_with(wanted: Sets, days_of: SetOf) -> BitMap64:
    """Return the days on which some may be wanted: of the days of each posting, so nothing can be taken away."""
    match wanted:
        case AnyOf(keys):
            return BitMap64.union(*map(days_of, keys)) if len(keys) > 1 else _only(keys, days_of)
        case United(parts):
            return BitMap64.union(*(days_with(part, days_of) for part in parts))
        case Without():
            return days_of(ALL_KEY)
        case Common(parts):
            return BitMap64.intersection(
                *(days_with(part, days_of) for part in parts if not isinstance(part, Without)),
                *(() if any(not isinstance(part, Without) for part in parts) else (days_of(ALL_KEY),)),
            )


def _only(keys: tuple[Key, ...], set_of: SetOf) -> BitMap64:
    return set_of(keys[0]) if keys else BitMap64()
