"""What resolvers reach: one for the process, and of it a copy for each kind of caller, with who asks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from killreport.api.door.caller import ANYBODY, Caller
from killreport.api.state.entity_facts import FactsLoader
from killreport.api.state.live import LiveHub
from killreport.api.state.polls import StatusPolls
from killreport.api.state.posting import KillmailPosting
from killreport.api.state.prices import PriceLookup
from killreport.api.state.processes import QueueCounter
from killreport.api.state.refresh_budget import RefreshBudget
from killreport.api.views.universe import UniverseViews
from killreport.config import Settings
from killreport.db.database import Database
from killreport.fleet.table import FLEET, ProcessRow
from killreport.search.search import Search


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Passed to every resolver as `info.context`."""

    settings: Settings
    database: Database
    views: UniverseViews
    live: LiveHub
    queues: QueueCounter
    polls: StatusPolls
    prices: PriceLookup
    posting: KillmailPosting
    facts: FactsLoader
    refresh_budget: RefreshBudget
    search: Search
    rows: tuple[ProcessRow, ...] = FLEET
    caller: Caller = ANYBODY
    # By caller, of whom there are four kinds; shared by all copies.
    copies: dict[Caller, ApiContext] = field(default_factory=dict, compare=False, repr=False)

    def of(self, caller: Caller) -> ApiContext:
        """Return the context of a caller's requests: one for equal callers, for whom live answers are made once."""
        found = self.copies.get(caller)
        if found is None:
            found = self.copies[caller] = replace(self, caller=caller)
        return found


class Info(Protocol):
    """What resolvers are told: the engine's `FieldInfo`, with this context."""

    @property
    def context(self) -> ApiContext:
        """What the process has open, for this caller."""

    def selected(self, *below: str) -> frozenset[str]:
        """Return the names of the sub-fields asked for."""
