"""Writes of characters, corporations and alliances, each in its caller's transaction.

What ESI leaves out is NULL, never what it was before, but a name, a ticker and a birthday, which nobody loses. The
ledger's row goes with the write. An answer that is older than what is stored changes nothing, so that two workers with
the same entity in hand end with the newer one. Each write tells whether it changed anything that is shown, which is
everything but the time of asking: whoever keeps such a thing in memory is told so after the commit, by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.esi.model import EsiAffiliation, EsiAlliance, EsiCharacter, EsiCorporation

TABLES = {EntityKind.CHARACTER: "character", EntityKind.CORPORATION: "corporation", EntityKind.ALLIANCE: "alliance"}
# The columns that ESI's answer fills, by the names of its fields.
_COLUMNS: Mapping[EntityKind, Sequence[str]] = {
    EntityKind.CHARACTER: (
        *("name", "corporation_id", "alliance_id", "faction_id", "birthday", "gender", "security_status", "title"),
        "description",
    ),
    EntityKind.CORPORATION: (
        *("name", "ticker", "member_count", "ceo_id", "creator_id", "alliance_id", "faction_id", "tax_rate"),
        *("date_founded", "url", "description", "home_station_id", "is_war_eligible"),
    ),
    EntityKind.ALLIANCE: (
        *("name", "ticker", "executor_corporation_id", "creator_id", "creator_corporation_id", "faction_id"),
        "date_founded",
    ),
}
_FIELDS = {"is_war_eligible": "war_eligible"}
_NEVER_LOST = ("name", "ticker", "birthday")


def _upsert(kind: EntityKind) -> str:
    table, columns = TABLES[kind], _COLUMNS[kind]
    # All but the time of asking, and what follows from a missing answer.
    facts = "- '{refreshed_at,misses,ask_again_at}'::text[]"
    updates = (
        f"{column} = coalesce(excluded.{column}, {table}.{column})"
        if column in _NEVER_LOST
        else f"{column} = excluded.{column}"
        for column in columns
    )
    # What was stored is locked before it is written over, so that of two writers the second compares with what the
    # first left: the insert reads from a subquery that needs all of `before`.
    return f"""
with before as materialized (
    select to_jsonb(known) {facts} as facts from {table} known where {table}_id = $1 for no key update
)
insert into {table} ({table}_id, refreshed_at, {", ".join(columns)}, gone_at)
select $1, $2, {", ".join(f"${number}" for number in range(3, len(columns) + 3))}, null
  from (select count(*) from before) locked
on conflict ({table}_id) do update
   set refreshed_at = excluded.refreshed_at, {", ".join(updates)}, gone_at = null, misses = 0, ask_again_at = null
 where {table}.refreshed_at <= excluded.refreshed_at
returning to_jsonb({table}) {facts} is distinct from (select facts from before)
"""  # noqa: S608 - names of our own


_UPSERT = {kind: _upsert(kind) for kind in TABLES}
# Who ESI does not have is asked for again, for a 404 may be an error of ESI's own: after an hour, then after four times
# as long each time, up to 30 days; up to a quarter longer by chance, so that those of one moment come apart.
_PAUSE = "least(interval '1 hour' * power(4, least({misses}, 6)), interval '30 days') * (1 + random() / 4)"
_MAX_MISSES = 1000
_GONE = f"""
insert into {{table}} ({{table}}_id, gone_at, misses, ask_again_at)
values ($1, now(), 1, now() + {_PAUSE.format(misses=0)})
on conflict ({{table}}_id) do update
   set gone_at = coalesce({{table}}.gone_at, now()), refreshed_at = now(),
       misses = least({{table}}.misses + 1, {_MAX_MISSES}),
       ask_again_at = now() + {_PAUSE.format(misses="{table}.misses")}
returning gone_at = now()
"""  # noqa: S608 - names of our own

# The periods of many entities at once: those that belong elsewhere now end, and a new one begins. The rows of the
# entities themselves are locked by then, so two writers of one entity come one after the other.
_MOVE = """
with present as (
    select * from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as seen (entity_id, corporation_id, alliance_id)
), ended as (
    update affiliation old set until = $5
      from present
     where old.entity_kind = $1 and old.entity_id = present.entity_id and old.until is null and old.since < $5
       and (old.corporation_id, old.alliance_id) is distinct from (present.corporation_id, present.alliance_id)
    returning old.entity_id
)
insert into affiliation (entity_kind, entity_id, since, corporation_id, alliance_id)
select $1, entity_id, $5, corporation_id, alliance_id from present
 where entity_id in (select entity_id from ended)
    or not exists (select from affiliation old where old.entity_kind = $1 and old.entity_id = present.entity_id)
on conflict do nothing
"""
_AFFILIATE = """
with seen as (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
               as seen (character_id, corporation_id, alliance_id, faction_id)
), locked as (
    select known.character_id, seen.corporation_id, seen.alliance_id, seen.faction_id
      from character known join seen using (character_id)
     where known.refreshed_at <= $5
       and (known.corporation_id, known.alliance_id, known.faction_id)
           is distinct from (seen.corporation_id, seen.alliance_id, seen.faction_id)
     order by known.character_id
       for update of known
)
update character known
   set corporation_id = locked.corporation_id, alliance_id = locked.alliance_id, faction_id = locked.faction_id
  from locked where known.character_id = locked.character_id
returning known.character_id, known.corporation_id, known.alliance_id
"""


async def store_entity(
    kind: EntityKind,
    connection: Connection,
    entity_id: int,
    found: EsiCharacter | EsiCorporation | EsiAlliance,
    /,
    *,
    at: datetime,
) -> bool:
    """Store what ESI answered about an entity at that moment, and return whether that differs from before."""
    values = (getattr(found, _FIELDS.get(column, column)) for column in _COLUMNS[kind])
    is_changed = await connection.fetchval(_UPSERT[kind], entity_id, at, *values)
    if is_changed is not None and not isinstance(found, EsiAlliance):  # None: what is stored is newer
        corporation_id = found.corporation_id if isinstance(found, EsiCharacter) else None
        await connection.execute(_MOVE, int(kind), [entity_id], [corporation_id], [found.alliance_id], at)
    await settle(connection, kind, [entity_id])
    return bool(is_changed)


async def apply_affiliations(
    connection: Connection, affiliations: Sequence[EsiAffiliation], *, at: datetime
) -> list[int]:
    """Store where these known characters belong, and return those who belonged elsewhere before, ascending.

    Two statements, whatever the number. Characters that are not stored are left out.
    """
    rows = await connection.fetch(
        _AFFILIATE,
        [affiliation.character_id for affiliation in affiliations],
        [affiliation.corporation_id for affiliation in affiliations],
        [affiliation.alliance_id for affiliation in affiliations],
        [affiliation.faction_id for affiliation in affiliations],
        at,
    )
    moved = sorted(tuple(row) for row in rows)
    if moved:
        await connection.execute(_MOVE, int(EntityKind.CHARACTER), *map(list, zip(*moved, strict=True)), at)
    return [character_id for character_id, _, _ in moved]


async def mark_gone(connection: Connection, kind: EntityKind, entity_id: int) -> bool:
    """Note that ESI does not have the entity, now or at all: what is known stays, and a pause begins (`_PAUSE`).

    For characters, corporations and alliances; of any other kind the ledger's row alone goes. Returns whether that is
    news. What ends a pause before its time: `ledger.note_seen`.
    """
    is_news = kind in TABLES and await connection.fetchval(_GONE.format(table=TABLES[kind]), entity_id)
    await settle(connection, kind, [entity_id])
    return bool(is_news)


async def settle(connection: Connection, kind: EntityKind, entity_ids: Sequence[int]) -> None:
    """Take the entities off the ledger: what was to be asked is known."""
    await connection.execute(
        "delete from refresh_ledger where entity_kind = $1 and entity_id = any($2::bigint[])",
        int(kind),
        list(entity_ids),
    )
