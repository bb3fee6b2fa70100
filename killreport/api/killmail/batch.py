"""The parts of killmails that are asked for together: one statement a kind of part, never one a killmail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from killreport.api.entity.views import EntityViews, load_entity_views
from killreport.api.universe.views import UniverseViews
from killreport.db.database import Database
from killreport.killmail.queries import AttackerRow, ItemRow, list_attackers, list_items

T = TypeVar("T")


class Shared(Generic[T]):
    """A value that is loaded at most once, when first awaited, however many ask at the same time."""

    def __init__(self, load: Callable[[], Awaitable[T]]) -> None:
        self._load = load
        self._task: asyncio.Future[T] | None = None

    async def get(self) -> T:
        """Return the value; raises for everybody what loading raised."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._load())
        # One caller may be cancelled while others still wait.
        return await asyncio.shield(self._task)


class Parts:
    """What some killmails may be asked for beyond their rows."""

    def __init__(self, database: Database, views: UniverseViews, killmail_ids: Sequence[int]) -> None:
        self._database = database
        self._views = views
        self._ids = killmail_ids
        self.attackers = Shared(self._load_attackers)
        self.items = Shared(self._load_items)

    async def _load_attackers(self) -> tuple[Mapping[int, list[AttackerRow]], EntityViews]:
        async with self._database.connection() as connection:
            attackers = await list_attackers(connection, self._ids)
        everybody = (attacker for group in attackers.values() for attacker in group)
        return attackers, await load_entity_views(self._database, self._views.universe, everybody)

    async def _load_items(self) -> Mapping[int, list[ItemRow]]:
        async with self._database.connection() as connection:
            return await list_items(connection, self._ids)
