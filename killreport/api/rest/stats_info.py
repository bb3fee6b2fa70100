"""What `/api/stats` tells of the entity itself, in both spellings that zKillboard has for ids.

What is not known is left out, and of somebody who is gone where they belong.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from killreport.api.context import ApiContext
from killreport.entity.facts import AllianceFacts, CharacterFacts, CorporationFacts, EntityFacts, list_facts
from killreport.entity.kind import EntityKind
from killreport.entity.store import TABLES
from killreport.eve.space import shown_security
from killreport.eve.universe import Constellation, Group, SolarSystem, Type, Universe


async def load_info(context: ApiContext, name: str, kind: EntityKind, entity_id: int) -> dict[str, Any]:
    """Return the block; of what nobody knows its id and no name."""
    info: dict[str, Any] = {"id": entity_id, "type": name, "name": None}
    universe = context.views.universe
    if kind not in TABLES:
        return info | _known(_of_static(universe, kind, entity_id))
    async with context.database.connection() as connection:
        facts = (await list_facts(connection, kind, [entity_id])).get(entity_id)
    if facts is not None:
        info |= _known({"name": facts.name, **_of_facts(facts)})
    elif kind is EntityKind.CORPORATION and (npc := universe.corporations.get(entity_id)) is not None:
        info |= _known({"name": npc.name, "ticker": npc.ticker})
    return info


def _of_facts(facts: EntityFacts) -> dict[str, Any]:
    match facts:
        case CharacterFacts():
            return {
                **_belonging(facts, corporation=facts.corporation_id),
                "birthday": _time(facts.birthday),
                "gender": facts.gender,
                **_both("secStatus", "security_status", facts.security_status),
                "title": facts.title or None,
            }
        case CorporationFacts():
            return {
                "ticker": facts.ticker,
                **_both("memberCount", "member_count", facts.member_count),
                **_both("ceoID", "ceo_id", facts.ceo_id),
                **_belonging(facts),
                "tax_rate": facts.tax_rate,
                "date_founded": _time(facts.date_founded),
            }
        case AllianceFacts():
            return {
                "ticker": facts.ticker,
                "memberCount": facts.member_count,
                "corpCount": facts.corporation_count,
                **_both("executorCorpID", "executor_corporation_id", facts.executor_corporation_id),
                **_both("factionID", "faction_id", facts.faction_id),
                "date_founded": _time(facts.date_founded),
            }


def _belonging(facts: CharacterFacts | CorporationFacts, corporation: int | None = None) -> dict[str, Any]:
    if facts.gone_at is not None:
        return {}
    return {
        **_both("corporationID", "corporation_id", corporation),
        **_both("allianceID", "alliance_id", facts.alliance_id),
        **_both("factionID", "faction_id", facts.faction_id),
    }


def _of_static(universe: Universe, kind: EntityKind, entity_id: int) -> dict[str, Any]:
    tables: Mapping[EntityKind, Mapping[int, Any]] = {
        EntityKind.FACTION: universe.factions,
        EntityKind.SHIP_TYPE: universe.types,
        EntityKind.SHIP_GROUP: universe.groups,
        EntityKind.SOLAR_SYSTEM: universe.systems,
        EntityKind.CONSTELLATION: universe.constellations,
        EntityKind.REGION: universe.regions,
    }
    found = tables[kind].get(entity_id)
    info: dict[str, Any] = {"name": getattr(found, "name", None)}
    match found:
        case Type():
            info |= {"groupID": found.group_id, "categoryID": found.category_id}
        case Group():
            info |= {"categoryID": found.category_id}
        case SolarSystem():
            info |= {"constellationID": found.constellation_id, "regionID": found.region_id}
            info |= {"secStatus": shown_security(found.security_status)}
        case Constellation():
            info |= {"regionID": found.region_id}
    return info


def _both(name: str, other: str, value: object) -> dict[str, Any]:
    return {name: value, other: value}


def _known(info: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in info.items() if value is not None}


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"
