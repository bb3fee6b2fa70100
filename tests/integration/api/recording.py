"""A database that notes what is asked of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from killreport.config import Settings
from killreport.db.database import Connection, Database
from tests.integration.serving import GraphQL

_NO_PART_OF_A_REQUEST = (
    "from event where event_id >",  # the live hub looks for events whenever something was stored
    "from static_change",  # the universe looks every few seconds for what other processes learnt
    "typeinfo",  # a connection that meets a type first asks what it is; which one serves a request is chance
    "'jit'",
)

_Note = Callable[[str, tuple[Any, ...]], None]


def without_limits(settings: Settings) -> Settings:
    """Return the settings with queries as large as a test likes, for who counts statements and not costs.

    No name is remembered: whether one field finds the names that another reads at the same time would be chance.
    """
    return settings.replace(
        api_max_cost=10**9,
        api_max_tokens=10**6,
        api_max_fields=10**6,
        api_max_aliases=10**6,
        api_max_depth=100,
        api_names_seconds=0,
    )


class RecordingDatabase(Database):
    """A database that notes every statement and its arguments."""

    def __init__(self, inner: Database) -> None:
        super().__init__(inner.url, inner.pool)
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection that is listened to."""

        def note_query(query: Any) -> None:
            self._note(query.query, query.args)

        async with super().connection() as connection:
            connection.add_query_logger(note_query)
            try:
                yield _Noting(connection, self._note)
            finally:
                connection.remove_query_logger(note_query)

    async def count(self, api: GraphQL, query: str, variables: dict[str, Any]) -> int:
        """Return how many statements the query takes."""
        self.statements.clear()
        await api.data(query, variables)
        return len(self.statements)

    def _note(self, statement: str, arguments: tuple[Any, ...]) -> None:
        if not any(mark in statement for mark in _NO_PART_OF_A_REQUEST):
            self.statements.append((statement, arguments))


class _Noting:
    """A connection whose prepared statements are noted too; asyncpg tells its loggers of the others only."""

    def __init__(self, connection: Connection, note: _Note) -> None:
        self._connection, self._noted = connection, note

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def prepare(self, statement: str, **keywords: Any) -> Any:
        """Return something that notes each fetch."""
        return _Prepared(await self._connection.prepare(statement, **keywords), statement, self._noted)


class _Prepared:
    def __init__(self, prepared: Any, statement: str, note: _Note) -> None:
        self._prepared, self._statement, self._noted = prepared, statement, note

    async def fetch(self, *arguments: Any) -> Any:
        """Note and fetch."""
        self._noted(self._statement, arguments)
        return await self._prepared.fetch(*arguments)
