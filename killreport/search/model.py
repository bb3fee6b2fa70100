"""What a search finds, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

MAX_CHARACTERS = 100  # of a question; no name is longer
MAX_HITS = 50


class SearchKind(StrEnum):
    """What can be found. `type` is every published type that is no hull."""

    CHARACTER = "character"
    CORPORATION = "corporation"
    ALLIANCE = "alliance"
    FACTION = "faction"
    SHIP_TYPE = "ship_type"
    TYPE = "type"
    GROUP = "group"
    SOLAR_SYSTEM = "solar_system"
    CONSTELLATION = "constellation"
    REGION = "region"


class Match(IntEnum):
    """How a name or a ticker fits the question; the smaller the better, but a beginning is as good in either."""

    EXACT = 0
    TICKER = 1
    PREFIX = 2
    TICKER_PREFIX = 3
    PART = 4
    SIMILAR = 5


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. similarity: 0 to 1, of those that are only similar. kills: over its whole life."""

    kind: SearchKind
    id: int
    name: str
    ticker: str | None
    match: Match
    similarity: float = 0.0
    kills: int = 0


def clean(text: str) -> str:
    """Return the question without what no name has: control characters, lone surrogates, room at the ends.

    Cut at MAX_CHARACTERS; empty where nothing is left.
    """
    cut = text[: 4 * MAX_CHARACTERS]
    readable = "".join(letter if letter.isprintable() else " " for letter in cut)
    return " ".join(readable.split())[:MAX_CHARACTERS].strip()


def rank(hits: list[Hit], limit: int) -> list[Hit]:
    """Return the best hits first, each thing once, by its best match; equal ones by kills, then by name."""
    best: dict[tuple[SearchKind, int], Hit] = {}
    for hit in sorted(hits, key=_order):
        best.setdefault((hit.kind, hit.id), hit)
    return list(best.values())[: min(limit, MAX_HITS)]


def _order(hit: Hit) -> tuple[int, float, int, str, int]:
    # A board's people know each other by tickers: who begins so in either is ordered by kills.
    match = Match.PREFIX if hit.match is Match.TICKER_PREFIX else hit.match
    return match, -hit.similarity, -hit.kills, hit.name, hit.id
