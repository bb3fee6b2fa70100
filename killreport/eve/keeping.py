"""The static data of a process that runs on while it changes."""

from __future__ import annotations

import structlog

from killreport.db.database import Connection
from killreport.eve.changes import list_changed_types, static_version
from killreport.eve.load import load_types, load_universe_at
from killreport.eve.universe import Universe

log = structlog.get_logger()


class UniverseKeeper:
    """Holds the universe and the number of the last change in it. Each universe stays as it is: a new one comes.

    So whoever works with one for a while takes it once and is never surprised.
    """

    def __init__(self, universe: Universe, version: int = 0) -> None:
        self.universe = universe
        self.version = version

    async def refresh(self, connection: Connection) -> bool:
        """Catch up with what is stored, and return whether anything changed. One small query where nothing did.

        `connection` is outside a transaction. A few new types cost milliseconds, a new release a second.
        """
        if await static_version(connection) == self.version:
            return False
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            version = await static_version(connection)
            type_ids = await list_changed_types(connection, self.version)
            if type_ids is not None and version > self.version:
                universe = await load_types(connection, self.universe, type_ids)
        # A database that was restored from before has fewer changes than we know of.
        if type_ids is None or version < self.version:
            universe, version = await load_universe_at(connection)
        log.info("static_data_renewed", version=version, types=None if type_ids is None else len(type_ids))
        self.universe, self.version = universe, version
        return True


async def keep_universe(connection: Connection) -> UniverseKeeper:
    """Return a keeper of all static data. Raises as `load_universe`."""
    return UniverseKeeper(*await load_universe_at(connection))
