"""Characters, corporations and alliances as the schema shows them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from killreport.api.views.cache_tags import tag_entities
from killreport.api.views.entity_cache import AllianceView, CharacterView, CorporationView
from killreport.api.views.universe import UniverseViews
from killreport.db.database import Database
from killreport.entity.queries import Names
from killreport.killmail.stored.queries import AttackerRow


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

    def add(self, rows: Collection[Any], *prefixes: str) -> None:
        """Want whom the rows name in their columns with these prefixes."""
        for kind, ids in (
            ("character", self.characters),
            ("corporation", self.corporations),
            ("alliance", self.alliances),
        ):
            named: set[Any] = ids
            for prefix in prefixes:
                named.update(map(attrgetter(f"{prefix}{kind}_id"), rows))
            named.discard(None)


async def load_attacker_views(
    database: Database, views: UniverseViews, attackers: Collection[AttackerRow]
) -> EntityViews:
    """Return views of all attackers; one statement at most, whatever their number."""
    wanted = WantedNames()
    wanted.add(attackers, "")
    return await load_wanted(database, views, wanted)


async def load_wanted(database: Database, views: UniverseViews, wanted: WantedNames) -> EntityViews:
    """Return views of these entities; one statement at most, none for static data and names that were read lately."""
    stored = wanted.corporations - views.universe.corporations.keys()
    tag_entities(wanted.characters, stored, wanted.alliances)
    names = await views.names.get(database, wanted.characters, stored, wanted.alliances)
    return EntityViews(names, views)
