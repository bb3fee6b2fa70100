"""What resolvers reach, one for the process: the database, the static data, the live hub, the queues and the search."""

from __future__ import annotations

from dataclasses import dataclass

from killreport.api.entity.facts import FactsLoader
from killreport.api.live import LiveHub
from killreport.api.status.processes import QueueCounter
from killreport.api.universe.views import UniverseViews
from killreport.db.database import Database
from killreport.search.search import Search


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Passed to every resolver as `info.context`."""

    database: Database
    views: UniverseViews
    live: LiveHub
    queues: QueueCounter
    facts: FactsLoader
    search: Search
