"""`/api/stats/{type}/{id}/`: the figures of one entity under zKillboard's names, as far as they are known here.

Left out, because no figure of ours means the same: rankings, gang sizes and ratios, groups, labels, top lists, trophies
and activity by hour. Source: zKillboard's `view/apistats.php`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from killreport.api.context import ApiContext
from killreport.api.rest.endpoint import context_of, json_answer, tagged
from killreport.api.rest.toll import visit_of
from killreport.entity.kind import EntityKind
from killreport.entity.queries import names_of
from killreport.errors import Refused
from killreport.ids import MAX_ENTITY_ID, read_whole
from killreport.killmail.monthly import MonthRow, list_months

CACHE = "public, max-age=60"
STATS_COST = 20
KINDS = {
    "characterID": EntityKind.CHARACTER,
    "corporationID": EntityKind.CORPORATION,
    "allianceID": EntityKind.ALLIANCE,
    "factionID": EntityKind.FACTION,
    "shipTypeID": EntityKind.SHIP_TYPE,
    "groupID": EntityKind.SHIP_GROUP,
    "solarSystemID": EntityKind.SOLAR_SYSTEM,
    "systemID": EntityKind.SOLAR_SYSTEM,
    "constellationID": EntityKind.CONSTELLATION,
    "regionID": EntityKind.REGION,
}


async def answer_stats(request: Request) -> Response:
    """Answer the figures of one entity; sums of 0 where nothing is known of it."""
    name, text = request.path_params["kind"], request.path_params["id"]
    kind = KINDS.get(name)
    if kind is None:
        raise Refused(f"{name[:40]} is an invalid type: one of {', '.join(KINDS)} is needed")
    entity_id = read_whole(text, 1, MAX_ENTITY_ID)
    if entity_id is None or text.startswith("0"):
        raise Refused(f"{text[:20]} is not a valid parameter")
    await visit_of(request).pay(STATS_COST)
    context = context_of(request)
    async with context.database.connection() as connection:
        months = await list_months(connection, kind, entity_id)
    info = {"id": entity_id, "type": name, "name": await _name(context, kind, entity_id)}
    return tagged(request, json_answer(figures(name, entity_id, months, info), cache=CACHE))


def figures(name: str, entity_id: int, months: Sequence[MonthRow], info: dict[str, Any]) -> dict[str, Any]:
    """Return the document. info: what is known of the entity itself."""
    kills, losses = sum(row.kills for row in months), sum(row.losses for row in months)
    found: dict[str, Any] = {
        "type": name,
        "id": entity_id,
        "shipsDestroyed": kills,
        "shipsLost": losses,
        "iskDestroyed": sum(row.isk_destroyed_cents for row in months) / 100,
        "iskLost": sum(row.isk_lost_cents for row in months) / 100,
        "pointsDestroyed": sum(row.points_won for row in months),
        "pointsLost": sum(row.points_lost for row in months),
        "soloKills": sum(row.solo_kills for row in months),
        "months": {f"{row.month:%Y%m}": _month(row) for row in months},
        "info": info,
    }
    if kills + losses:
        found["dangerRatio"] = 100 * kills // (kills + losses)
    return found


def _month(row: MonthRow) -> dict[str, Any]:
    return {
        "year": row.month.year,
        "month": row.month.month,
        "shipsDestroyed": row.kills,
        "shipsLost": row.losses,
        "iskDestroyed": row.isk_destroyed_cents / 100,
        "iskLost": row.isk_lost_cents / 100,
        "pointsDestroyed": row.points_won,
        "pointsLost": row.points_lost,
    }


async def _name(context: ApiContext, kind: EntityKind, entity_id: int) -> str | None:
    universe = context.views.universe
    static: Mapping[EntityKind, Mapping[int, Any]] = {
        EntityKind.FACTION: universe.factions,
        EntityKind.SHIP_TYPE: universe.types,
        EntityKind.SHIP_GROUP: universe.groups,
        EntityKind.SOLAR_SYSTEM: universe.systems,
        EntityKind.CONSTELLATION: universe.constellations,
        EntityKind.REGION: universe.regions,
    }
    if kind in static:
        return getattr(static[kind].get(entity_id), "name", None)
    ids = [[entity_id] if kind is named else [] for named in _NAMED]
    async with context.database.connection() as connection:
        names = await names_of(connection, *ids)
    stored: Mapping[EntityKind, Mapping[int, Any]] = {
        EntityKind.CORPORATION: {**universe.corporations, **names.corporations},
        EntityKind.ALLIANCE: names.alliances,
    }
    if kind is EntityKind.CHARACTER:
        return names.characters.get(entity_id)
    return getattr(stored[kind].get(entity_id), "name", None)


_NAMED = (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE)
