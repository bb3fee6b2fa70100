"""Characters, corporations and alliances as the schema shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from killreport.db.database import Database
from killreport.entity.queries import NamedGroup, Names, names_of
from killreport.eve.universe import Universe


class CharacterView(msgspec.Struct, frozen=True, gc=False):
    """A pilot; without name while it is not known."""

    id: int
    name: str | None


class NamedGroupView(msgspec.Struct, frozen=True, gc=False):
    """A corporation or an alliance; without name and ticker while it is not known."""

    id: int
    name: str | None
    ticker: str | None


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

    def __init__(self, names: Names, universe: Universe) -> None:
        self._names = names
        self._universe = universe

    def character(self, character_id: int | None) -> CharacterView | None:
        """Return the pilot, or None where there is no id."""
        if character_id is None:
            return None
        return CharacterView(character_id, self._names.characters.get(character_id))

    def corporation(self, corporation_id: int | None) -> NamedGroupView | None:
        """Return the corporation, or None where there is no id."""
        if corporation_id is None:
            return None
        npc = self._universe.corporations.get(corporation_id)
        if npc is not None:
            return NamedGroupView(corporation_id, npc.name, npc.ticker)
        return _group_view(corporation_id, self._names.corporations.get(corporation_id))

    def alliance(self, alliance_id: int | None) -> NamedGroupView | None:
        """Return the alliance, or None where there is no id."""
        return None if alliance_id is None else _group_view(alliance_id, self._names.alliances.get(alliance_id))


def _group_view(entity_id: int, known: NamedGroup | None) -> NamedGroupView:
    if known is None:
        return NamedGroupView(entity_id, None, None)
    return NamedGroupView(entity_id, known.name, known.ticker)


async def load_entity_views(database: Database, universe: Universe, parties: Iterable[Affiliated]) -> EntityViews:
    """Return views of everybody in `parties`; one statement, whatever their number."""
    characters: set[int] = set()
    corporations: set[int] = set()
    alliances: set[int] = set()
    for party in parties:
        if party.character_id is not None:
            characters.add(party.character_id)
        if party.corporation_id is not None and party.corporation_id not in universe.corporations:
            corporations.add(party.corporation_id)
        if party.alliance_id is not None:
            alliances.add(party.alliance_id)
    if not (characters or corporations or alliances):
        return EntityViews(Names(), universe)
    async with database.connection() as connection:
        return EntityViews(await names_of(connection, characters, corporations, alliances), universe)
