"""Two rows of numbers over the events (`killreport.killmail.stored.event`), without holes, in the order of the commits.

The live feed numbers what is news, each killmail once. The feed of everything numbers all that was stored or changed,
and marks it. What a number is for never changes and never expires.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec

from killreport.db.database import Connection
from killreport.killmail.stored.event import NEXT_SEQUENCE, Kind

MAX_PUBLISHED = 1_000
MAX_SEQUENCE = 2**53  # what a JSON number holds exactly everywhere
KINDS: Final[tuple[Kind, ...]] = ("stored", "history", "changed")

# Arrays are cut in the database: an event of an import may hold many thousand ids.
_CUT = """
    select first + skipped, killmail_ids[skipped + 1 : skipped + wanted], rewritten[skipped + 1 : skipped + wanted],
           kind, at
    from (select {number} as first, killmail_ids, rewritten, kind, at,
                 least(greatest($1::bigint - {number}, 0), cardinality(killmail_ids))::int as skipped,
                 {wanted}
          from event
          where {where}
          order by {number} {limit}) found
"""


def _stretch(number: str) -> str:
    # Numbers have no holes, so what is wanted lies between the event of the first number and the last one that begins
    # before the end.
    wanted = "($1 + $2::int - greatest({number}, $1))::int as wanted"
    where = """{number} < $1 + $2 and {number} >= coalesce(
        (select {number} from event where {number} <= $1 order by {number} desc limit 1), 0)"""
    return _CUT.format(number=number, wanted=wanted.format(number=number), where=where.format(number=number), limit="")


LIVE_STRETCH = _stretch("first_sequence")
PLACE_STRETCH = _stretch("first_place")
# Of one kind there are holes: read so many events, each of which has a killmail at least.
KIND_STRETCH = _CUT.format(
    number="first_place",
    wanted="$2::int as wanted",
    where="""kind = $3 and first_place >= coalesce(
        (select first_place from event where kind = $3 and first_place <= $1 order by first_place desc limit 1), 0)""",
    limit="limit $2 + 1",
)


class Published(msgspec.Struct, frozen=True, gc=False):
    """A number, and the killmail it is for. at: when it was stored, or changed.

    rewritten: an older number of the live feed whose contents are other than they were.
    """

    sequence: int
    killmail_id: int
    at: datetime
    kind: Kind
    rewritten: int | None


async def next_sequence(connection: Connection) -> int:
    """Return the number of the live feed that will be published next; 1 where nothing is."""
    found: int = await connection.fetchval(f"select {NEXT_SEQUENCE}")
    return found


async def list_published(connection: Connection, first: int, limit: int) -> list[Published]:
    """Return up to `limit` numbers of the live feed from `first` on, ascending and without a hole.

    Fewer means there are no more now. first: 0 to MAX_SEQUENCE. limit: at most MAX_PUBLISHED. Costs what it
    returns, wherever in the feed it is.
    """
    limit = min(limit, MAX_PUBLISHED)
    return _numbered(await connection.fetch(LIVE_STRETCH, first, limit), limit)


async def list_places(
    connection: Connection, first: int, limit: int, kinds: Collection[Kind] = KINDS
) -> list[Published]:
    """Return up to `limit` numbers of the feed of everything; see `list_published`. With some kinds only, holes."""
    limit = min(limit, MAX_PUBLISHED)
    if set(kinds) == set(KINDS):
        return _numbered(await connection.fetch(PLACE_STRETCH, first, limit), limit)
    found: list[Published] = []
    for kind in sorted(set(kinds)):
        found += _numbered(await connection.fetch(KIND_STRETCH, first, limit, kind), limit)
    return sorted(found, key=lambda entry: entry.sequence)[:limit]


def _numbered(rows: list[Any], limit: int) -> list[Published]:
    found = [
        Published(first + place, killmail_id, at, kind, rewritten[place] if place < len(rewritten or ()) else None)
        for first, killmail_ids, rewritten, kind, at in rows
        for place, killmail_id in enumerate(killmail_ids)
    ]
    return found[:limit]
