"""What `/api/stats` tells of the entity itself, in both spellings that zKillboard has for ids.

What is not known is left out, and of somebody who is gone where they belong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from killreport.api.context import ApiContext
from killreport.entity.facts import AllianceFacts, CharacterFacts, CorporationFacts, list_facts
from killreport.entity.kind import EntityKind
from killreport.entity.store import TABLES
from killreport.eve.space import shown_security
from killreport.eve.universe import Constellation, Group, NpcCorporation, SolarSystem, Type

# By class of what is known: an attribute of it, and under which names it is told.
_NAMES: Mapping[type, Mapping[str, Sequence[str]]] = {
    CharacterFacts: {
        "corporation_id": ("corporationID", "corporation_id"),
        "alliance_id": ("allianceID", "alliance_id"),
        "faction_id": ("factionID", "faction_id"),
        "birthday": ("birthday",),
        "gender": ("gender",),
        "security_status": ("secStatus", "security_status"),
        "title": ("title",),
    },
    CorporationFacts: {
        "ticker": ("ticker",),
        "member_count": ("memberCount", "member_count"),
        "ceo_id": ("ceoID", "ceo_id"),
        "alliance_id": ("allianceID", "alliance_id"),
        "faction_id": ("factionID", "faction_id"),
        "tax_rate": ("tax_rate",),
        "date_founded": ("date_founded",),
    },
    AllianceFacts: {
        "ticker": ("ticker",),
        "member_count": ("memberCount",),
        "corporation_count": ("corpCount",),
        "executor_corporation_id": ("executorCorpID", "executor_corporation_id"),
        "faction_id": ("factionID", "faction_id"),
        "date_founded": ("date_founded",),
    },
    NpcCorporation: {"ticker": ("ticker",)},
    Type: {"group_id": ("groupID",), "category_id": ("categoryID",)},
    Group: {"category_id": ("categoryID",)},
    SolarSystem: {
        "constellation_id": ("constellationID",),
        "region_id": ("regionID",),
        "security_status": ("secStatus",),
    },
    Constellation: {"region_id": ("regionID",)},
}
_BELONGING = ("corporation_id", "alliance_id", "faction_id")
# Where the static data has what is not stored.
_STATIC = {
    EntityKind.CORPORATION: "corporations",
    EntityKind.FACTION: "factions",
    EntityKind.SHIP_TYPE: "types",
    EntityKind.SHIP_GROUP: "groups",
    EntityKind.SOLAR_SYSTEM: "systems",
    EntityKind.CONSTELLATION: "constellations",
    EntityKind.REGION: "regions",
}


async def load_info(context: ApiContext, name: str, kind: EntityKind, entity_id: int) -> dict[str, Any]:
    """Return the block; of what nobody knows its id and no name."""
    found: Any = None
    if kind in TABLES:
        async with context.database.connection() as connection:
            found = (await list_facts(connection, kind, [entity_id])).get(entity_id)
    if found is None and kind in _STATIC:
        found = getattr(context.views.universe, _STATIC[kind]).get(entity_id)
    info = {"id": entity_id, "type": name, "name": getattr(found, "name", None)}
    is_gone = isinstance(found, CharacterFacts | CorporationFacts) and found.gone_at is not None
    for attribute, names in _NAMES.get(type(found), {}).items():
        value = _told(found, attribute)
        if value is not None and not (is_gone and attribute in _BELONGING):
            info |= dict.fromkeys(names, value)
    return info


def _told(found: Any, attribute: str) -> Any:
    value = getattr(found, attribute)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(found, SolarSystem) and attribute == "security_status":
        return shown_security(value)
    return None if value == "" and attribute == "title" else value
