"""The parts of killmails that are asked for together: one statement a kind of part, never one a killmail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from killreport.api.views.entity import EntityViews, load_attacker_views
from killreport.api.views.universe import UniverseViews
from killreport.db.database import Database
from killreport.killmail.shown.fitting import Fitting, lay_out
from killreport.killmail.stored.queries import AttackerRow, ItemRow, KillmailRow, list_attackers, list_items

T = TypeVar("T")


class Shared(Generic[T]):
    """A value that is loaded at most once, when first awaited, however many ask at the same time."""

    def __init__(self, load: Callable[[], Awaitable[T]]) -> None:
        self._load = load
        self._task: asyncio.Future[T] | None = None
        # The value, where it did not have to be loaded.
        self.known: T | None = None

    async def get(self) -> T:
        """Return the value; raises for everybody what loading raised."""
        if self.known is not None:
            return self.known
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
        self._fittings: dict[int, Fitting] = {}
        self.attackers = Shared(self._load_attackers)
        self.attacker_names = Shared(self._load_attacker_names)
        self.items = Shared(self._load_items)

    def fitting(self, killmail: KillmailRow, items: Mapping[int, list[ItemRow]]) -> Fitting:
        """Return the fitting of one of the killmails, laid out once for all that show it. items: all of the batch."""
        found = self._fittings.get(killmail.killmail_id)
        if found is None:
            rows = items.get(killmail.killmail_id, [])
            found = lay_out(killmail.ship_type_id, rows, self._views.universe)
            self._fittings[killmail.killmail_id] = found
        return found

    async def _load_attackers(self) -> Mapping[int, list[AttackerRow]]:
        async with self._database.connection() as connection:
            return await list_attackers(connection, self._ids)

    async def _load_attacker_names(self) -> EntityViews:
        attackers = await self.attackers.get()
        everybody = [attacker for group in attackers.values() for attacker in group]
        return await load_attacker_views(self._database, self._views, everybody)

    async def _load_items(self) -> Mapping[int, list[ItemRow]]:
        async with self._database.connection() as connection:
            return await list_items(connection, self._ids)
