"""Names without anything else: what ESI tells of many entities in one answer, also of those it has nothing else about.

A row that was made for a name alone counts as never refreshed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from killreport.db.database import Connection
from killreport.db.recent import is_recent
from killreport.entity.kind import EntityKind
from killreport.entity.store import TABLES

# `refreshed_at` of what was named and never read: as long ago as it can be said.
NEVER = "'epoch'::timestamptz"

_NAME = f"""
insert into {{table}} ({{table}}_id, name, refreshed_at)
select named.id, named.name, {NEVER} from unnest($1::bigint[], $2::text[]) as named (id, name) order by named.id
on conflict ({{table}}_id) do update set name = excluded.name where {{table}}.name is null
returning {{table}}_id
"""  # noqa: S608 - names of our own
# In the order in which the ledger is handed over; one that is gone and has no name is asked by itself, lest it has
# whole batches refused.
_UNNAMED = f"""
select entity_kind, entity_id from refresh_ledger
 where entity_kind = any($1::smallint[]) and (queued_at is null or not {is_recent("queued_at", "$3")})
   and not exists (select from character where entity_kind = 1 and character_id = entity_id
                    and (name is not null or gone_at is not null))
   and not exists (select from corporation where entity_kind = 2 and corporation_id = entity_id
                    and (name is not null or gone_at is not null))
   and not exists (select from alliance where entity_kind = 3 and alliance_id = entity_id
                    and (name is not null or gone_at is not null))
 order by queued_at nulls first, seen_at desc
 limit $2
"""  # noqa: S608
KINDS = {"character": EntityKind.CHARACTER, "corporation": EntityKind.CORPORATION, "alliance": EntityKind.ALLIANCE}


async def has_name(connection: Connection, kind: EntityKind, entity_id: int) -> bool:
    """Return whether a name of this character, corporation or alliance is stored."""
    table = TABLES[kind]
    query = f"select exists (select from {table} where {table}_id = $1 and name is not null)"  # noqa: S608 - own names
    return bool(await connection.fetchval(query, entity_id))


async def find_unnamed(connection: Connection, *, limit: int, retry_after: timedelta) -> list[tuple[EntityKind, int]]:
    """Return those that are to be queued next and have no name yet, but those that ESI did not have the last time."""
    rows = await connection.fetch(_UNNAMED, [int(kind) for kind in KINDS.values()], limit, retry_after)
    return [(EntityKind(row[0]), row[1]) for row in rows]


async def store_names(connection: Connection, kind: EntityKind, names: Mapping[int, str]) -> Sequence[int]:
    """Store the names of those that have none; return whose these are. A name that is known is left to the readers."""
    ids = sorted(names)
    rows = await connection.fetch(_NAME.format(table=TABLES[kind]), ids, [names[entity_id] for entity_id in ids])
    return sorted(row[0] for row in rows)
