"""What resolvers reach, one for the process: the database, what is kept in memory, and what else the process has."""

from __future__ import annotations

from dataclasses import dataclass

from killreport.api.entity.facts import FactsLoader
from killreport.api.killmail.posting import KillmailPosting
from killreport.api.live import LiveHub
from killreport.api.status.processes import QueueCounter
from killreport.api.universe.views import UniverseViews
from killreport.db.database import Database
from killreport.fleet.table import FLEET, ProcessRow
from killreport.search.search import Search


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Passed to every resolver as `info.context`."""

    database: Database
    views: UniverseViews
    live: LiveHub
    queues: QueueCounter
    posting: KillmailPosting
    facts: FactsLoader
    search: Search
    rows: tuple[ProcessRow, ...] = FLEET
