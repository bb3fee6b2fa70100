"""Ids of the game, as types of their own: a character id is not a corporation id.

All are positive integers; ESI declares them int64, so the database stores entity ids as bigint.
"""

from __future__ import annotations

from typing import NewType

KillmailId = NewType("KillmailId", int)
CharacterId = NewType("CharacterId", int)
CorporationId = NewType("CorporationId", int)
AllianceId = NewType("AllianceId", int)
FactionId = NewType("FactionId", int)
TypeId = NewType("TypeId", int)
GroupId = NewType("GroupId", int)
SolarSystemId = NewType("SolarSystemId", int)
