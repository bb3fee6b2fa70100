"""The board's own feed: what was stored or changed, numbered from 0, in the order of the commits, for ever.

The numbers come from the table of events (`killreport.killmail.store.tell`): they have no holes, and a number that
can be read stays what it is, the same killmail. A killmail that changed is published again under a number of its own.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from killreport.db.database import Connection

MOST_PUBLISHED = 1_000
MOST_SEQUENCE = 2**53  # what a JSON number holds exactly everywhere

# The array is cut in the database: an event of an import may hold many thousand ids. Numbers have no holes, so what is
# wanted lies between the event of the first number and the last one that begins before the end.
STRETCH = """
    select first_sequence + skipped, killmail_ids[skipped + 1 : skipped + wanted], at
    from (select first_sequence, killmail_ids, at,
                 least(greatest($1::bigint - first_sequence, 0), cardinality(killmail_ids))::int as skipped,
                 ($1 + $2::int - greatest(first_sequence, $1))::int as wanted
          from event
          where first_sequence < $1 + $2
            and first_sequence >= coalesce(
                (select first_sequence from event where first_sequence <= $1 order by first_sequence desc limit 1), 0)
          order by first_sequence) found
"""


class Published(msgspec.Struct, frozen=True, gc=False):
    """A number of the feed, and the killmail it is for. at: when it was stored, or changed."""

    sequence: int
    killmail_id: int
    at: datetime


async def next_sequence(connection: Connection) -> int:
    """Return the number that will be published next; 0 where nothing is stored."""
    found: int | None = await connection.fetchval(
        "select first_sequence + cardinality(killmail_ids) from event order by first_sequence desc limit 1"
    )
    return found or 0


async def list_published(connection: Connection, first: int, limit: int) -> list[Published]:
    """Return up to `limit` numbers from `first` on, ascending and without a hole; fewer means there are no more now.

    first: 0 to MOST_SEQUENCE. limit: at most MOST_PUBLISHED. Costs what it returns, wherever in the feed it is.
    """
    rows = await connection.fetch(STRETCH, first, min(limit, MOST_PUBLISHED))
    return [
        Published(sequence + place, killmail_id, at)
        for sequence, killmail_ids, at in rows
        for place, killmail_id in enumerate(killmail_ids)
    ]
