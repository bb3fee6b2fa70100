"""What is stored of characters, corporations and alliances themselves, for many at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.naming import NEVER
from killreport.entity.store import TABLES


@dataclass(frozen=True, slots=True)
class CharacterFacts:
    """A character as ESI last told of it.

    gone_at: since when ESI does not have it; it belongs nowhere then. refreshed_at: None where the name alone is known.
    """

    id: int
    name: str | None
    refreshed_at: datetime | None
    gone_at: datetime | None
    corporation_id: int | None
    alliance_id: int | None
    faction_id: int | None
    birthday: datetime | None
    gender: str | None
    security_status: float | None
    title: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class CorporationFacts:
    """A corporation as ESI last told of it. tax_rate: 0 to 1."""

    id: int
    name: str | None
    refreshed_at: datetime | None
    gone_at: datetime | None
    ticker: str | None
    member_count: int | None
    ceo_id: int | None
    creator_id: int | None
    alliance_id: int | None
    faction_id: int | None
    tax_rate: float | None
    date_founded: datetime | None
    url: str | None
    description: str | None
    home_station_id: int | None
    is_war_eligible: bool | None


@dataclass(frozen=True, slots=True)
class AllianceFacts:
    """An alliance as ESI last told of it, with what a job counted; counted_at: when it last did."""

    id: int
    name: str | None
    refreshed_at: datetime | None
    gone_at: datetime | None
    ticker: str | None
    executor_corporation_id: int | None
    creator_id: int | None
    creator_corporation_id: int | None
    faction_id: int | None
    date_founded: datetime | None
    member_count: int | None
    corporation_count: int | None
    counted_at: datetime | None


EntityFacts = CharacterFacts | CorporationFacts | AllianceFacts
_ROWS: Mapping[EntityKind, type[EntityFacts]] = {
    EntityKind.CHARACTER: CharacterFacts,
    EntityKind.CORPORATION: CorporationFacts,
    EntityKind.ALLIANCE: AllianceFacts,
}


_MEMBERSHIPS = frozenset({"corporation_id", "alliance_id", "faction_id"})


async def list_facts(connection: Connection, kind: EntityKind, ids: Collection[int]) -> dict[int, EntityFacts]:
    """Return what is stored of these characters, corporations or alliances, by id; of unknown ones nothing."""
    row_type, table = _ROWS[kind], TABLES[kind]
    columns = ", ".join(_read(name) for name in row_type.__dataclass_fields__ if name != "id")
    rows = await connection.fetch(
        f"select {table}_id, {columns} from {table} where {table}_id = any($1::bigint[])",  # noqa: S608 - names of ours
        list(ids),
    )
    return {row[0]: row_type(*row) for row in rows}


def _read(column: str) -> str:
    """Return SQL of a fact: who is gone is in no corporation, alliance or faction; what was only named, never read."""
    if column in _MEMBERSHIPS:
        return f"case when gone_at is null then {column} end"
    return f"nullif({column}, {NEVER})" if column == "refreshed_at" else column


async def find_seen(connection: Connection, kind: EntityKind, ids: Collection[int]) -> set[int]:
    """Return those of the ids that are stored, or were on a killmail: everything there is something to tell of."""
    known = f" or exists (select from {TABLES[kind]} where {TABLES[kind]}_id = id)" if kind in TABLES else ""
    rows = await connection.fetch(
        f"""select id from unnest($2::bigint[]) as wanted (id)
             where exists (select from total_stat where entity_kind = $1 and entity_id = id){known}""",  # noqa: S608
        int(kind),
        list(ids),
    )
    return {row[0] for row in rows}
