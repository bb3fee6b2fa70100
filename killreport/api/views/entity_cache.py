"""The views of characters, corporations and alliances, each made once while its name stays the same.

What an answer shows of an immutable object is kept by the engine; so the same pilot had better be the same object.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec

from killreport.api.engine.answer_cache import Immutable
from killreport.entity.kind import EntityKind
from killreport.entity.queries import NamedGroup
from killreport.eve.universe import NpcCorporation

# Of each kind: a few megabytes.
MAX_CACHED = 20_000


class CharacterView(msgspec.Struct, Immutable, frozen=True, gc=False):
    """A pilot; without name while it is not known."""

    id: int
    name: str | None
    kind: ClassVar[str] = EntityKind.CHARACTER.name


class NamedGroupView(msgspec.Struct, Immutable, frozen=True, gc=False):
    """A corporation or an alliance; without name and ticker while it is not known."""

    id: int
    name: str | None
    ticker: str | None


class CorporationView(NamedGroupView, frozen=True, gc=False):
    """A corporation of players or NPCs."""

    kind: ClassVar[str] = EntityKind.CORPORATION.name


class AllianceView(NamedGroupView, frozen=True, gc=False):
    """An alliance of corporations."""

    kind: ClassVar[str] = EntityKind.ALLIANCE.name


G = TypeVar("G", CorporationView, AllianceView)
V = TypeVar("V", CharacterView, CorporationView, AllianceView)


class EntityViewCache:
    """The views that were made lately; of too many all are forgotten, and those in use are soon there again."""

    def __init__(self, most: int = MAX_CACHED) -> None:
        self._most = most
        self._characters: dict[int, CharacterView] = {}
        self._corporations: dict[int, CorporationView] = {}
        self._alliances: dict[int, AllianceView] = {}

    def character(self, character_id: int, name: str | None) -> CharacterView:
        """Return the view of a character of this name."""
        view = self._characters.get(character_id)
        if view is None or view.name != name:
            view = self._keep(self._characters, CharacterView(character_id, name))
        return view

    def corporation(self, corporation_id: int, known: NamedGroup | NpcCorporation | None) -> CorporationView:
        """Return the view of a corporation of this name and ticker."""
        return self._group(self._corporations, CorporationView, corporation_id, known)

    def alliance(self, alliance_id: int, known: NamedGroup | None) -> AllianceView:
        """Return the view of an alliance of this name and ticker."""
        return self._group(self._alliances, AllianceView, alliance_id, known)

    def _group(self, views: dict[int, G], make: type[G], group_id: int, known: NamedGroup | NpcCorporation | None) -> G:
        name, ticker = (None, None) if known is None else (known.name, known.ticker)
        view = views.get(group_id)
        if view is None or view.name != name or view.ticker != ticker:
            view = self._keep(views, make(group_id, name, ticker))
        return view

    def _keep(self, views: dict[int, V], view: V) -> V:
        if len(views) >= self._most:
            views.clear()
        views[view.id] = view
        return view
