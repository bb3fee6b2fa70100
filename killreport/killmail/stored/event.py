"""What was stored or changed, told to whoever follows: an event a batch, in the order of the commits.

An event is live, history or a change. Each of its killmails has a place in the feed of everything; those of a live
event have a number in the live feed too, the only one they ever get. A live killmail that changes keeps its number:
what the number holds is rewritten, and the next package that is published names it. Both rows of numbers begin at 1
(0 where a release of before this rule began so) and have no holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, TypeAlias

from killreport.db.database import Connection

# What `coordination.events` makes of its channel "killmail" on PostgreSQL.
EVENT_CHANNEL = "killreport_killmail"
# Held from the insert of an event to the commit, so that event ids become visible in their order; spells "event".
EVENT_LOCK = 0x6576656E74
# So long after its publication a number that is rewritten is still named by a later package. Prices of a day and late
# labels come within it, and what waits to be named is bounded by it: a package has room for one name.
SETTLED_AFTER = timedelta(days=7)

Kind: TypeAlias = Literal["stored", "history", "changed"]

# Only under the lock: numbers go on where the event before left off.
_NEXT_PLACE = """
    coalesce((select first_place + cardinality(killmail_ids) from event order by first_place desc limit 1), 1)
"""
NEXT_SEQUENCE = """
    coalesce((select first_sequence + cardinality(killmail_ids) from event where first_sequence is not null
              order by first_sequence desc limit 1), 1)
"""
_INSERT = f"""
    insert into event (kind, killmail_ids, first_place) values ($1, $2, {_NEXT_PLACE}) returning event_id
"""  # noqa: S608
# The youngest numbers are named first: a label that comes minutes after its kill does not wait for a run of prices.
INSERT_LIVE = f"""
    with named as (
        select killmail_id, sequence, row_number() over (order by sequence desc) as ordinal
        from unsettled_number where is_rewritten order by sequence desc limit cardinality($1::bigint[])
    ), unmarked as (
        update unsettled_number set is_rewritten = false
        where killmail_id = any(array(select killmail_id from named))
    ), settled as (
        delete from unsettled_number where killmail_id = any(array(
            select killmail_id from (
                select killmail_id, published_at from unsettled_number
                order by sequence limit 10 + 2 * cardinality($1::bigint[])
            ) oldest where published_at < now() - $2::interval))
    ), inserted as (
        insert into event (kind, killmail_ids, first_place, first_sequence, rewritten)
        values ('stored', $1, {_NEXT_PLACE}, {NEXT_SEQUENCE},
                (select array_agg(sequence order by ordinal) from named))
        returning event_id, first_sequence, at
    ), numbered as (
        insert into unsettled_number (killmail_id, sequence, published_at)
        select killmail_id, first_sequence + ordinal - 1, at
        from inserted, unnest($1::bigint[]) with ordinality as listed (killmail_id, ordinal)
        on conflict (killmail_id) do nothing
    )
    select event_id from inserted
"""  # noqa: S608
_MARK_REWRITTEN = "update unsettled_number set is_rewritten = true where killmail_id = any($1) and not is_rewritten"


async def tell(
    connection: Connection, stored_ids: Sequence[int], changed_ids: Sequence[int], history_ids: Sequence[int] = ()
) -> int | None:
    """Record what became of killmails, in the caller's transaction, and notify listeners at its commit.

    stored_ids: new ones that are news. history_ids: new ones that are none. One event a kind, so that bulk loads stay
    cheap. Returns the id of the last event, None where there is nothing to tell. Holds EVENT_LOCK until the commit.
    """
    if not (stored_ids or changed_ids or history_ids):
        return None
    await connection.execute("select pg_advisory_xact_lock($1)", EVENT_LOCK)
    event_id: int | None = None
    if changed_ids:
        event_id = await _insert(connection, "changed", changed_ids)
        await connection.execute(_MARK_REWRITTEN, list(changed_ids))
    if history_ids:
        event_id = await _insert(connection, "history", history_ids)
    if stored_ids:
        event_id = await connection.fetchval(INSERT_LIVE, list(stored_ids), SETTLED_AFTER)
    await connection.execute("select pg_notify($1, $2)", EVENT_CHANNEL, str(event_id))
    return event_id


async def _insert(connection: Connection, kind: Kind, killmail_ids: Sequence[int]) -> int:
    event_id: int = await connection.fetchval(_INSERT, kind, list(killmail_ids))
    return event_id
