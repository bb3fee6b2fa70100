"""Characters, corporations and alliances as the schema shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from killreport.api.views.cache_tags import tag_entities
from killreport.api.views.entity_cache import AllianceView, CharacterView, CorporationView
from killreport.api.views.universe import UniverseViews
from killreport.db.database import Database
from killreport.entity.queries import Names


class Affiliated(Protocol):
    """Anything that may have a character, a corporation and an alliance."""

    @property
    def character_id(self) -> int | None:
        """The character's id."""

    @property
    def corporation_id(self) -> int | None:
        """The corporation's id."""

    @property
    def alliance_id(self) -> int | None:
        """The alliance's id."""


class EntityViews:
    """Views of the entities of one batch; NPC corporations are static data, everything else is stored."""

    def __init__(self, names: Names, views: UniverseViews) -> None:
        self._names = names
        self._npc_corporations = views.universe.corporations
        self._met = views.met

    def character(self, character_id: int | None) -> CharacterView | None:
        """Return the pilot, or None where there is no id."""
        if character_id is None:
            return None
        return self._met.character(character_id, self._names.characters.get(character_id))

    def corporation(self, corporation_id: int | None) -> CorporationView | None:
        """Return the corporation, or None where there is no id."""
        if corporation_id is None:
            return None
        npc = self._npc_corporations.get(corporation_id)
        return self._met.corporation(corporation_id, npc or self._names.corporations.get(corporation_id))

    def alliance(self, alliance_id: int | None) -> AllianceView | None:
        """Return the alliance, or None where there is no id."""
        if alliance_id is None:
            return None
        return self._met.alliance(alliance_id, self._names.alliances.get(alliance_id))


@dataclass(slots=True)
class WantedNames:
    """Ids of entities whose names are wanted."""

    characters: set[int] = field(default_factory=set)
    corporations: set[int] = field(default_factory=set)
    alliances: set[int] = field(default_factory=set)

    def add(self, party: Affiliated) -> None:
        """Want whoever the party has."""
        if party.character_id is not None:
            self.characters.add(party.character_id)
        if party.corporation_id is not None:
            self.corporations.add(party.corporation_id)
        if party.alliance_id is not None:
            self.alliances.add(party.alliance_id)


async def load_entity_views(database: Database, views: UniverseViews, parties: Iterable[Affiliated]) -> EntityViews:
    """Return views of everybody in `parties`; one statement at most, whatever their number."""
    wanted = WantedNames()
    for party in parties:
        wanted.add(party)
    return await load_wanted(database, views, wanted)


async def load_wanted(database: Database, views: UniverseViews, wanted: WantedNames) -> EntityViews:
    """Return views of these entities; one statement at most, none for static data and names that were read lately."""
    stored = wanted.corporations - views.universe.corporations.keys()
    tag_entities(wanted.characters, stored, wanted.alliances)
    names = await views.names.get(database, wanted.characters, stored, wanted.alliances)
    return EntityViews(names, views)
