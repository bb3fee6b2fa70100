"""Small archives in CCP's shape, made for a test."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

Lines = list[dict[str, Any]]

# One line a file: the least that is a whole archive.
WHOLE: dict[str, Lines] = {
    "_sde.jsonl": [{"_key": "sde", "buildNumber": 77, "releaseDate": "2026-01-02T03:04:05Z"}],
    "categories.jsonl": [{"_key": 6, "name": {"en": "Ship", "de": "Schiff"}, "published": True}],
    "groups.jsonl": [{"_key": 25, "name": {"en": "Frigate"}, "categoryID": 6, "published": True, "anchored": False}],
    "marketGroups.jsonl": [{"_key": 64, "name": {"en": "Minmatar"}, "parentGroupID": 61, "hasTypes": True}],
    "metaGroups.jsonl": [{"_key": 1, "name": {"en": "Tech I"}}],
    "mapRegions.jsonl": [{"_key": 10000002, "name": {"en": "The Forge"}, "factionID": 500001}],
    "mapConstellations.jsonl": [{"_key": 20000020, "name": {"en": "Kimotoro"}, "regionID": 10000002}],
    "mapSolarSystems.jsonl": [
        {
            "_key": 30000142,
            "name": {"en": "Jita"},
            "constellationID": 20000020,
            "regionID": 10000002,
            "securityStatus": 0.9459,
        }
    ],
    "factions.jsonl": [{"_key": 500001, "name": {"en": "Caldari State"}, "militiaCorporationID": 1000180}],
    "npcCorporations.jsonl": [{"_key": 1000180, "name": {"en": "State Protectorate"}, "tickerName": "SPROT"}],
    "types.jsonl": [
        {
            "_key": 587,
            "name": {"en": "Rifter"},
            "groupID": 25,
            "published": True,
            "marketGroupID": 64,
            "metaGroupID": 1,
            "basePrice": 400000.0,
        },
        {"_key": 600, "name": {"en": "Test Rifter"}, "groupID": 25, "published": False},
    ],
    "typeDogma.jsonl": [
        {
            "_key": 587,
            "dogmaAttributes": [
                {"attributeID": 14, "value": 3.0},
                {"attributeID": 1547, "value": 1},
                {"attributeID": 9, "value": 1e30},
            ],
            "dogmaEffects": [{"effectID": 5779, "isDefault": False}],
        }
    ],
}


def archive_of(
    changes: dict[str, Lines | bytes | None] | None = None, method: int = zipfile.ZIP_DEFLATED
) -> io.BytesIO:
    """Return a whole archive with the given files instead: other lines, raw bytes, or None to leave one out."""
    files: dict[str, Any] = {**WHOLE, **(changes or {})}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as out:
        for name, content in files.items():
            if content is not None:
                text = (
                    content if isinstance(content, bytes) else "\n".join(json.dumps(line) for line in content).encode()
                )
                out.writestr(name, text)
    packed.seek(0)
    return packed
