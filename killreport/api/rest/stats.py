"""`/api/stats/{type}/{id}/`: the figures of one entity under zKillboard's names, as far as they are known here.

Every figure comes from the place that GraphQL's `statistics` has it from. Left out is what nothing here counts: average
gang sizes, labels, who was active, trophies and places in rankings. Source: zKillboard's statistics documents as their
readers take them apart, and `view/apistats.php` for which days count, as of 2026-08.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from killreport.answering import tagged
from killreport.api.context import ApiContext
from killreport.api.rest.endpoint import json_answer
from killreport.api.rest.rate_limit import RestRequest
from killreport.api.rest.stats_info import load_info
from killreport.api.rest.stats_lists import load_top_lists
from killreport.clock import utc_now
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.ids import MAX_ENTITY_ID, read_whole
from killreport.leaderboard.by_group import GroupCount, GroupCounts, count_groups
from killreport.leaderboard.model import Window
from killreport.leaderboard.own import OwnTops, list_own_tops
from killreport.leaderboard.statistics import (
    Activity,
    Counted,
    Month,
    Totals,
    list_activity,
    list_months_of,
    list_totals,
)

CACHE = "public, max-age=60"
# As GraphQL's `topLists` with its months, hours and groups.
STATS_COST = 70
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
# Days as zKillboard numbers them.
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


@dataclass(frozen=True, slots=True)
class EntityFigures:
    """What the rollups and the newest killmails say of an entity."""

    totals: Totals
    months: Sequence[Month]
    activity: Activity
    groups: GroupCounts
    tops: OwnTops


async def answer_stats(request: RestRequest) -> Response:
    """Answer the figures of one entity; sums of 0 where nothing is known of it."""
    name, text = request.given("kind") or "", request.given("id") or ""
    kind = KINDS.get(name)
    if kind is None:
        raise Refused(f"{name[:40]} is an invalid type: one of {', '.join(KINDS)} is needed")
    entity_id = read_whole(text, 1, MAX_ENTITY_ID)
    if entity_id is None or text.startswith("0"):
        raise Refused(f"{text[:20]} is not a valid parameter")
    await request.pay(STATS_COST)
    context = request.context
    figures = await _read(context, kind, entity_id)
    document = {
        "type": name,
        "id": entity_id,
        **write_figures(figures),
        "topLists": await load_top_lists(context, figures.tops),
        "topIskKillIDs": list(figures.tops.dearest),
        "info": await load_info(context, name, kind, entity_id),
    }
    return tagged(request.http, json_answer(document, cache=CACHE))


async def _read(context: ApiContext, kind: EntityKind, entity_id: int) -> EntityFigures:
    counted = [Counted(kind, entity_id)]
    async with context.database.connection() as connection:
        return EntityFigures(
            (await list_totals(connection, counted))[0],
            (await list_months_of(connection, counted))[0],
            (await list_activity(connection, counted))[0],
            await count_groups(connection, kind, entity_id),
            await list_own_tops(
                connection, kind, entity_id, Window.DAYS_7, today=utc_now().date(), universe=context.views.universe
            ),
        )


def write_figures(figures: EntityFigures) -> dict[str, Any]:
    """Return the figures under their names; ratios and hours only where there is something to tell."""
    totals = figures.totals
    found: dict[str, Any] = {
        **_sums(totals),
        "soloKills": totals.solo_kills,
        "soloLosses": totals.solo_losses,
        "months": {
            f"{one.month:%Y%m}": {"year": one.month.year, "month": one.month.month, **_sums(one.totals)}
            for one in figures.months
        },
        "groups": _groups(figures.groups),
    }
    if totals.danger_percent is not None:
        found["dangerRatio"] = totals.danger_percent
    if totals.gang_percent is not None:
        found["gangRatio"] = totals.gang_percent
    if hours := _hours(figures.activity):
        found["activity"] = hours
    return found


def _sums(totals: Totals) -> dict[str, Any]:
    return {
        "shipsDestroyed": totals.kills,
        "shipsLost": totals.losses,
        "iskDestroyed": totals.isk_destroyed_cents / 100,
        "iskLost": totals.isk_lost_cents / 100,
        "pointsDestroyed": totals.points_won,
        "pointsLost": totals.points_lost,
    }


def _groups(counts: GroupCounts) -> dict[str, dict[str, Any]]:
    killed, lost = (_by_group(side) for side in (counts.killed, counts.lost))
    found = {}
    for group_id in sorted(killed.keys() | lost.keys()):
        row: dict[str, Any] = {"groupID": group_id}
        for word, side in (("Destroyed", killed), ("Lost", lost)):
            one = side.get(group_id) or GroupCount(group_id, 0, 0, 0)
            row |= {f"ships{word}": one.killmails, f"points{word}": one.points, f"isk{word}": one.value_cents / 100}
        found[f"{group_id}"] = row
    return found


def _by_group(side: Sequence[GroupCount]) -> Mapping[int, GroupCount]:
    return {one.group_id: one for one in side if one.group_id is not None}


def _hours(activity: Activity) -> dict[str, Any]:
    """Return killmails by day, 0 for Sunday, and hour, those without any left out; nothing without a killmail."""
    found: dict[str, Any] = {}
    most = 0
    for day in range(len(DAYS)):
        # Ours begin with Monday.
        rows = (activity.kills[day - 1], activity.losses[day - 1])
        hours = {f"{hour}": sum(counts) for hour, counts in enumerate(zip(*rows, strict=True)) if any(counts)}
        if hours:
            found[f"{day}"] = hours
            most = max(most, *hours.values())
    return {"max": most, **found, "days": list(DAYS)} if most else {}
