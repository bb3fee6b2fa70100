"""Reads of characters, corporations and alliances."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from killreport.db.database import Connection
from killreport.db.recent import is_recent
from killreport.entity.kind import EntityKind
from killreport.entity.store import TABLES
from killreport.esi.model import EsiAffiliation
from killreport.eve.ranges import NPC_CORPORATIONS

# One statement for all three kinds, because a page always needs all three and a round trip costs more than the reads.
_NAMES = """
select 'character' as kind, character_id as id, name, null as ticker
  from character where character_id = any($1::bigint[]) and name is not null
union all
select 'corporation', corporation_id, name, coalesce(ticker, '') from corporation
 where corporation_id = any($2::bigint[]) and name is not null
union all
select 'alliance', alliance_id, name, coalesce(ticker, '') from alliance
 where alliance_id = any($3::bigint[]) and name is not null
"""


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """Name and ticker of a corporation or an alliance; the ticker is empty while the name alone is known."""

    name: str
    ticker: str


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of the entities asked for, by id; an id that is missing is not known yet."""

    characters: Mapping[int, str] = field(default_factory=dict)
    corporations: Mapping[int, NamedGroup] = field(default_factory=dict)
    alliances: Mapping[int, NamedGroup] = field(default_factory=dict)


async def names_of(
    connection: Connection,
    character_ids: Collection[int],
    corporation_ids: Collection[int],
    alliance_ids: Collection[int],
) -> Names:
    """Return the names of the entities that are stored, in one statement; in none where nothing is asked."""
    if not (character_ids or corporation_ids or alliance_ids):
        return Names()
    characters: dict[int, str] = {}
    groups: dict[str, dict[int, NamedGroup]] = {"corporation": {}, "alliance": {}}
    for row in await connection.fetch(_NAMES, list(character_ids), list(corporation_ids), list(alliance_ids)):
        if row["kind"] == "character":
            characters[row["id"]] = row["name"]
        else:
            groups[row["kind"]][row["id"]] = NamedGroup(row["name"], row["ticker"])
    return Names(characters, groups["corporation"], groups["alliance"])


@dataclass(frozen=True, slots=True)
class Period:
    """Where an entity belonged from the first sight of it to the next; until: None for the present one."""

    since: datetime
    until: datetime | None
    corporation_id: int | None
    alliance_id: int | None


async def list_periods_of(
    connection: Connection, kind: EntityKind, entity_ids: Collection[int]
) -> dict[int, list[Period]]:
    """Return by id where characters or corporations belonged, the oldest first; periods follow without a gap.

    Who is gone belongs nowhere: the last period ends when it went. Stored, it goes on, for who is back never left.
    """
    table = TABLES[kind]
    rows = await connection.fetch(
        f"""select entity_id, since, coalesce(until, case when known.gone_at is not null
                                                          then greatest(known.gone_at, since) end),
                   period.corporation_id, period.alliance_id
              from affiliation period left join {table} known on known.{table}_id = entity_id
             where entity_kind = $1 and entity_id = any($2::bigint[]) order by since""",  # noqa: S608 - own names
        int(kind),
        list(entity_ids),
    )
    found: dict[int, list[Period]] = {entity_id: [] for entity_id in entity_ids}
    for entity_id, *period in rows:
        found[entity_id].append(Period(*period))
    return found


async def list_ids(
    connection: Connection, kind: EntityKind, *, after: int = 0, limit: int = 10_000, with_gone: bool = False
) -> list[int]:
    """Return ids of stored entities above `after`, ascending: a page of all, without those that are gone.

    with_gone: with them too.
    """
    table = TABLES[kind]
    rows = await connection.fetch(
        f"""select {table}_id from {table} where {table}_id > $1 and ($3 or gone_at is null)
             order by 1 limit $2""",  # noqa: S608 - own names
        after,
        limit,
        with_gone,
    )
    return [row[0] for row in rows]


async def list_stale_ids(connection: Connection, kind: EntityKind, ids: Collection[int], age: timedelta) -> list[int]:
    """Return those of the ids that were not refreshed for so long, and characters whose words are still a literal."""
    table = TABLES[kind]
    literal = "or description like 'u''%' or description like 'u\"%'" if kind is EntityKind.CHARACTER else ""
    rows = await connection.fetch(
        f"""select {table}_id from {table}
             where {table}_id = any($1)
               and (refreshed_at is not null and not {is_recent("refreshed_at", "$2")} {literal}) order by 1""",  # noqa: S608
        list(ids),
        age,
    )
    return [row[0] for row in rows]


async def list_moved_ids(connection: Connection, affiliations: Sequence[EsiAffiliation]) -> list[int]:
    """Return those of these characters that are stored as belonging elsewhere, ascending. Changes nothing."""
    rows = await connection.fetch(
        """select known.character_id
             from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
                  as seen (character_id, corporation_id, alliance_id, faction_id)
             join character known using (character_id)
            where (known.corporation_id, known.alliance_id, known.faction_id)
                  is distinct from (seen.corporation_id, seen.alliance_id, seen.faction_id)
            order by 1""",
        [affiliation.character_id for affiliation in affiliations],
        [affiliation.corporation_id for affiliation in affiliations],
        [affiliation.alliance_id for affiliation in affiliations],
        [affiliation.faction_id for affiliation in affiliations],
    )
    return [row[0] for row in rows]


async def list_missing_corporation_ids(connection: Connection) -> list[int]:
    """Return the players' corporations that characters are in and that are not stored, ascending.

    Reads one index over all characters.
    """
    rows = await connection.fetch(
        """select distinct corporation_id from character
            where corporation_id >= $1
              and not exists (select from corporation known where known.corporation_id = character.corporation_id)
            order by 1""",
        NPC_CORPORATIONS.stop,
    )
    return [row[0] for row in rows]
