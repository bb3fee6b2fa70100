"""Who of an entity killed most in a window, flying what and where, and its dearest kills.

Of a place these are sums of rollups. Of everybody else no rollup knows the pairs (`tops.py` says why), so the newest
kills of the window are read, and so many of the pilots on them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import NotFound
from killreport.eve.universe import Universe
from killreport.killmail.lists.of_many import list_newest_ids
from killreport.killmail.postings.codes import Side, code_of
from killreport.leaderboard.dearest import list_dearest
from killreport.leaderboard.model import Metric, Window, first_day
from killreport.leaderboard.queries import get_rankings_of_place
from killreport.leaderboard.scope import Scope, find_scope
from killreport.leaderboard.tops import MAX_KILLMAILS, Top, count_ids

MAX_PILOTS = 20_000
MAX_DEAREST = 6
PLACES = frozenset({EntityKind.SOLAR_SYSTEM, EntityKind.CONSTELLATION, EntityKind.REGION})

_KILLS = f"""
    select killmail_id, solar_system_id, total_value_cents from killmail where killmail_id = any($1::bigint[])
    order by killmail_time desc, killmail_id desc limit {MAX_KILLMAILS}
"""  # noqa: S608 - numbers of our own, here and below
# `offset 0`: see `tops.py`.
_PILOTS = f"""
    select wanted.killmail_id, pilot.* from unnest($1::bigint[]) as wanted (killmail_id) cross join lateral (
        select character_id, corporation_id, alliance_id, ship_type_id from attacker
        where attacker.killmail_id = wanted.killmail_id and {{column}} = any($2::bigint[]) offset 0) pilot
    limit {MAX_PILOTS}
"""  # noqa: S608
_SYSTEMS = """
    select entity_id, sum(kills)::bigint as kills from daily_part
    where code = any($1::bigint[]) and day between $2 and $3
    group by 1 having sum(kills) > 0 order by 2 desc, 1 limit $4
"""
_COLUMNS = {
    EntityKind.CHARACTER: "character_id",
    EntityKind.CORPORATION: "corporation_id",
    EntityKind.ALLIANCE: "alliance_id",
    EntityKind.FACTION: "faction_id",
    EntityKind.SHIP_TYPE: "ship_type_id",
    EntityKind.SHIP_GROUP: "ship_type_id",
}
_RANKED = {
    "characters": EntityKind.CHARACTER,
    "corporations": EntityKind.CORPORATION,
    "alliances": EntityKind.ALLIANCE,
    "ship_types": EntityKind.SHIP_TYPE,
}


@dataclass(frozen=True, slots=True)
class OwnTops:
    """The lists by kills, each with its longest first. dearest: ids of killmails, the dearest first, MAX_DEAREST."""

    characters: Sequence[Top] = ()
    corporations: Sequence[Top] = ()
    alliances: Sequence[Top] = ()
    ship_types: Sequence[Top] = ()
    solar_systems: Sequence[Top] = ()
    dearest: Sequence[int] = ()


async def list_own_tops(
    connection: Connection,
    kind: EntityKind,
    entity_id: int,
    window: Window,
    *,
    today: date,
    universe: Universe,
    limit: int = 10,
) -> OwnTops:
    """Return the lists of anything that is counted; of a place everybody who killed there.

    Reads the newest MAX_KILLMAILS kills of the window at most and MAX_PILOTS pilots on them, or rollups.
    """
    if kind not in PLACES:
        ids = _ids_of(kind, entity_id, universe)
        return await _of_party(connection, _KillingSide(kind, entity_id, ids), first_day(window, today), limit)
    try:
        scope = find_scope(universe, kind, entity_id)
    except NotFound:
        return OwnTops()
    rankings = await get_rankings_of_place(
        connection, list(_RANKED.values()), Metric.KILLS, window, scope=scope, today=today, limit=limit
    )
    lists = {
        name: [Top(at.entity_id, at.figures.kills) for at in ranking.places]
        for name, ranking in zip(_RANKED, rankings, strict=True)
    }
    systems = await _systems_of(connection, scope, first_day(window, today) or date.min, today, limit)
    dear = await list_dearest(connection, window, today=today, scope=scope, limit=MAX_DEAREST)
    return OwnTops(**lists, solar_systems=systems, dearest=[one.killmail_id for one in dear])


@dataclass(frozen=True, slots=True)
class _KillingSide:
    """Who kills. attackers: what the column of its kind holds of an attacker that is one of it."""

    kind: EntityKind
    id: int
    attackers: Collection[int]


async def _of_party(connection: Connection, party: _KillingSide, first: date | None, limit: int) -> OwnTops:
    keys = {party.id: [(code_of(party.kind, party.id), int(Side.KILLER))]}
    newest = await list_newest_ids(connection, keys, first or date.min, MAX_KILLMAILS)
    kills = await connection.fetch(_KILLS, newest[party.id])
    pilots = await connection.fetch(
        _PILOTS.format(column=_COLUMNS[party.kind]),
        [row["killmail_id"] for row in kills],
        list(party.attackers),
    )
    lists = {
        name: count_ids((id_ for _, id_ in {(row["killmail_id"], row[_COLUMNS[of]]) for row in pilots}), limit)
        for name, of in _RANKED.items()
    }
    systems = count_ids((row["solar_system_id"] for row in kills), limit)
    dear = sorted(kills, key=lambda row: (-row["total_value_cents"], -row["killmail_id"]))
    return OwnTops(**lists, solar_systems=systems, dearest=[row["killmail_id"] for row in dear[:MAX_DEAREST]])


def _ids_of(kind: EntityKind, entity_id: int, universe: Universe) -> Collection[int]:
    if kind is not EntityKind.SHIP_GROUP:
        return [entity_id]
    return [one.type_id for one in universe.types.values() if one.group_id == entity_id]


async def _systems_of(connection: Connection, scope: Scope, first: date, last: date, limit: int) -> list[Top]:
    rows = await connection.fetch(
        _SYSTEMS,
        [code_of(EntityKind.SOLAR_SYSTEM, system_id) for system_id in scope.solar_system_ids],
        first,
        last,
        limit,
    )
    return [Top(*row) for row in rows]
