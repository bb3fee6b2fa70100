"""What is stored of entities, for all fields that want it: those of one selection share one statement.

Each field is resolved by itself, so a pilot's birthday and title would be two reads of one row. What is asked for in
one turn of the event loop is read together; nothing is kept, so nothing can be out of date.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from killreport.db.database import Database
from killreport.entity.facts import EntityFacts, list_facts
from killreport.entity.kind import EntityKind


@dataclass(slots=True)
class _Turn:
    """What is wanted of one kind in this turn, and the read that will have it."""

    ids: set[int] = field(default_factory=set)
    reading: asyncio.Task[Mapping[int, EntityFacts]] | None = None


class FactsLoader:
    """Reads facts for everybody who asks in the same turn at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns: dict[EntityKind, _Turn] = {}

    async def load(self, kind: EntityKind, ids: Iterable[int]) -> Mapping[int, EntityFacts]:
        """Return at least the facts of these characters, corporations or alliances, of unknown ones nothing."""
        turn = self._turns.setdefault(kind, _Turn())
        turn.ids.update(ids)
        if turn.reading is None:
            turn.reading = asyncio.create_task(self._read(kind))
        # One who asked may be cancelled while others still wait.
        return await asyncio.shield(turn.reading)

    async def _read(self, kind: EntityKind) -> Mapping[int, EntityFacts]:
        """Read what is wanted. A task begins after all that were begun before it, which is when siblings have asked."""
        turn = self._turns.pop(kind)
        if not turn.ids:
            return {}
        async with self._database.connection() as connection:
            return await list_facts(connection, kind, turn.ids)
