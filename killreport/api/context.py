"""What resolvers reach: one for the process, and of it a copy for each request, with who asks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from killreport.api.caller import ANYBODY, Caller
from killreport.api.live import LiveHub
from killreport.api.status.polls import StatusPolls
from killreport.api.status.processes import QueueCounter
from killreport.api.universe.prices import PriceDesk
from killreport.api.universe.views import UniverseViews
from killreport.config import Settings
from killreport.db.database import Database


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Passed to every resolver as `info.context`."""

    settings: Settings
    database: Database
    views: UniverseViews
    live: LiveHub
    queues: QueueCounter
    polls: StatusPolls
    prices: PriceDesk
    caller: Caller = ANYBODY

    def of(self, caller: Caller) -> ApiContext:
        """Return the context of one caller's request."""
        return replace(self, caller=caller)
