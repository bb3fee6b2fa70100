"""The JSON schemas of what the REST API answers, as the OpenAPI document and its tests use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema) -> Schema:
    """Return an array."""
    return {"type": "array", "items": items}


def table_of(key: str, value: Schema) -> Schema:
    """Return an object of any number of keys that look like the pattern.

    Generators of clients know such maps by `additionalProperties` alone, and drop every row of `patternProperties`.
    """
    return {"type": "object", "propertyNames": {"pattern": key}, "additionalProperties": value}


def closed(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return an object with these keys and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def lenient(schema: Schema) -> Schema:
    """Return what a part of a path is, where the protocol answers other text with an error of status 200."""
    return {"anyOf": [schema, TEXT]}


ID: Schema = {"type": "integer", "minimum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
ISK: Schema = {"type": "number", "minimum": 0}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{40}$"}

_PARTY = {"character_id": ID, "corporation_id": ID, "alliance_id": ID, "faction_id": ID}
_ATTACKER = closed(
    {"damage_done": COUNT, "final_blow": FLAG},
    {**_PARTY, "security_status": {"type": "number"}, "ship_type_id": ID, "weapon_type_id": ID},
)
_ITEM = closed(
    {"item_type_id": ID, "flag": COUNT, "singleton": COUNT},
    {"quantity_dropped": ID, "quantity_destroyed": ID, "items": list_of(ref("Item"))},
)
_VICTIM = closed(
    {"ship_type_id": ID, "damage_taken": COUNT},
    {
        **_PARTY,
        "position": closed({axis: {"type": "number"} for axis in "xyz"}),
        "items": list_of(ref("Item")),
    },
)
_BODY = {
    "killmail_id": ID,
    "killmail_time": {"type": "string", "format": "date-time"},
    "solar_system_id": ID,
    "victim": ref("Victim"),
}
_BODY_OPTIONAL = {"moon_id": ID, "war_id": ID}
_ATTACKERS = {"attackers": list_of(ref("Attacker"))}
_ZKB: Mapping[str, Schema] = {
    "hash": HASH,
    "fittedValue": ISK,
    "droppedValue": ISK,
    "destroyedValue": ISK,
    "totalValue": ISK,
    "points": COUNT,
    "npc": FLAG,
    "solo": FLAG,
    "awox": FLAG,
    "labels": list_of(TEXT),
}
# Only where the figures are those of a part: what has no known price is not in them.
_LOCATION = {"locationID": ID, "valueIsComplete": FLAG}
_NAME: Schema = {"type": ["string", "null"]}
_SOME_ID: Schema = {"type": ["integer", "null"]}
_TIME: Schema = {"type": "string", "format": "date-time"}
_PERCENT: Schema = {"type": "integer", "minimum": 0, "maximum": 100}
_FIGURES = {
    "shipsDestroyed": COUNT,
    "shipsLost": COUNT,
    "iskDestroyed": ISK,
    "iskLost": ISK,
    "pointsDestroyed": COUNT,
    "pointsLost": COUNT,
}

_NUMBERED: Mapping[str, Schema] = {"killmail_id": ID, "uploaded_at": COUNT, "sequence_id": COUNT}
_PACKAGE: Mapping[str, Schema] = {**_NUMBERED, "hash": HASH, "esi": ref("Killmail"), "zkb": ref("FeedZkb")}
_REMOVED: Mapping[str, Schema] = {**_NUMBERED, "removed": {"const": True}}

SCHEMAS: Mapping[str, Schema] = {
    "Error": closed({"error": TEXT}, {"status": TEXT}),
    "Found": closed({"id": ID, "name": TEXT, "type": TEXT, "image": TEXT}),
    "Suggestions": closed({"suggestions": list_of(ref("Suggestion"))}),
    "Suggestion": closed({"value": TEXT, "data": closed({"type": TEXT, "groupBy": TEXT, "id": ID})}),
    "Prices": {
        "type": "object",
        "properties": {"typeID": ID, "currentPrice": {"type": ["number", "null"], "minimum": 0}},
        "required": ["typeID", "currentPrice"],
        "additionalProperties": ISK,
    },
    "Added": closed({"status": TEXT, "new": FLAG, "delayed": FLAG, "delay": COUNT, "url": TEXT}),
    "Totals": table_of(r"^\d{8}$", COUNT),
    "Hashes": table_of(r"^\d+$", HASH),
    "Bodies": table_of(r"^\d+$", ref("Killmail")),
    "Attacker": _ATTACKER,
    "Item": _ITEM,
    "Victim": _VICTIM,
    "Killmail": closed({**_BODY, **_ATTACKERS}, _BODY_OPTIONAL),
    "Zkb": closed(_ZKB, _LOCATION),
    "FeedZkb": closed({**_ZKB, "attackerCount": COUNT, "href": TEXT}, _LOCATION),
    "Listed": {
        "anyOf": [
            closed({**_BODY, "zkb": ref("Zkb")}, {**_ATTACKERS, **_BODY_OPTIONAL}),
            closed({"killmail_id": ID, "zkb": ref("Zkb")}),
        ]
    },
    "Package": {"anyOf": [closed(_PACKAGE, {"sequence_updated": COUNT}), closed(_REMOVED)]},
    "Marked": {
        "anyOf": [
            closed({**_PACKAGE, "kind": {"enum": ["live", "history", "changed"]}}),
            closed({**_REMOVED, "kind": {"enum": ["removed"]}}),
        ]
    },
    "Packages": closed({"packages": list_of(ref("Marked")), "next_after": {"type": ["integer", "null"]}}),
    "RedisqAnswer": closed(
        {
            "package": {
                "anyOf": [
                    {"type": "null"},
                    closed({"killID": ID, "killmail": ref("Killmail"), "zkb": ref("FeedZkb")}),
                ]
            }
        }
    ),
    "Stats": closed(
        {
            "type": TEXT,
            "id": ID,
            **_FIGURES,
            "soloKills": COUNT,
            "soloLosses": COUNT,
            "months": ref("Months"),
            "groups": ref("Groups"),
            "topLists": list_of(ref("TopList")),
            "topIskKillIDs": list_of(ID),
            "info": ref("StatsInfo"),
        },
        {"dangerRatio": _PERCENT, "gangRatio": _PERCENT, "activity": ref("Activity")},
    ),
    "TopList": closed({"type": TEXT, "title": TEXT, "values": list_of(ref("TopLine"))}),
    "TopLine": closed(
        {"kills": COUNT, "id": ID, "typeID": {"type": "null"}, "name": _NAME},
        {
            **{f"{word}ID": ID for word in ("character", "corporation", "alliance", "shipType", "solarSystem")},
            **{f"{word}Name": _NAME for word in ("character", "corporation", "alliance", "ship", "solarSystem")},
            "cticker": _NAME,
            "aticker": _NAME,
            "groupID": ID,
            "groupName": _NAME,
            "solarSystemSecurity": _NAME,
            "regionID": _SOME_ID,
            "regionName": _NAME,
            "constellationID": _SOME_ID,
            "constellationName": _NAME,
        },
    ),
    "Activity": closed({"max": COUNT, "days": list_of(TEXT)}, dict.fromkeys("0123456", ref("ActivityHours"))),
    "StatsInfo": closed(
        {"id": ID, "type": TEXT, "name": _NAME},
        {
            **{f"{word}ID": ID for word in ("corporation", "alliance", "faction", "ceo", "executorCorp")},
            **{f"{word}_id": ID for word in ("corporation", "alliance", "faction", "ceo", "executor_corporation")},
            **{f"{word}ID": ID for word in ("group", "category", "constellation", "region")},
            "ticker": TEXT,
            "gender": TEXT,
            "title": TEXT,
            "birthday": _TIME,
            "date_founded": _TIME,
            "secStatus": {"type": "number"},
            "security_status": {"type": "number"},
            "tax_rate": {"type": "number"},
            "memberCount": COUNT,
            "member_count": COUNT,
            "corpCount": COUNT,
        },
    ),
    "ActivityHours": table_of(r"^\d{1,2}$", COUNT),
    "Groups": table_of(r"^\d+$", closed({"groupID": ID, **_FIGURES})),
    "Months": table_of(r"^\d{6}$", ref("Month")),
    "Month": closed({"year": COUNT, "month": COUNT, **_FIGURES}),
}
