"""What one API process holds while it serves: loaded and opened before the first request, closed after the last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from killreport.api.context import ApiContext
from killreport.api.door.guard.guard import Guard
from killreport.api.state.entity_facts import FactsLoader
from killreport.api.state.entity_news import EntityNews
from killreport.api.state.live import LiveHub
from killreport.api.state.polls import StatusPolls
from killreport.api.state.posting import KillmailPosting
from killreport.api.state.prices import PriceLookup
from killreport.api.state.processes import QueueCounter
from killreport.api.state.refresh_budget import RefreshBudget
from killreport.api.state.static_news import keeping_static_data
from killreport.api.views.universe import UniverseViews
from killreport.config import Settings
from killreport.coordination.events import open_events
from killreport.coordination.rate_limit import open_buckets
from killreport.db.database import Database
from killreport.entity.known import KnownNames
from killreport.eve.keeping import keep_universe
from killreport.fleet.table import ProcessRow
from killreport.search.search import load_search


@asynccontextmanager
async def open_context(
    settings: Settings, database: Database, rows: Sequence[ProcessRow], guard: Guard
) -> AsyncIterator[ApiContext]:
    """Lend the context of resolvers, and have the guard's buckets open and its kept answers dropped by events."""
    async with database.connection() as connection:
        static = await keep_universe(connection)
        views = UniverseViews(static.universe, KnownNames(settings.api_names_seconds))
        search = await load_search(connection, views.universe)
    async with (
        QueueCounter(settings, database).open() as queues,
        open_events(settings, database) as events,
        open_buckets(settings, database) as guard.gate.buckets,
    ):

        def forget(ids: frozenset[int] | None) -> None:
            # The names first: an answer that is made anew reads them.
            views.names.drop(ids)
            guard.entities_changed(ids)

        prices = PriceLookup(database, static)

        async def renew() -> None:
            # The answers last: one that is made anew reads the others.
            views.renew(static.universe)
            await search.renew(static.universe)
            guard.static_data_changed()

        hub = LiveHub(database, views, events, guard.killmails_changed)
        posting = KillmailPosting(database, static, settings, events)
        polls = StatusPolls(database, queues, rows)
        async with (
            hub.running(),
            EntityNews(events, forget).running(),
            keeping_static_data(database, static, renew),
            posting.open(),
            polls.open(),
        ):
            yield ApiContext(
                settings,
                database,
                views,
                live=hub,
                queues=queues,
                polls=polls,
                prices=prices,
                posting=posting,
                facts=FactsLoader(database),
                refresh_budget=RefreshBudget(settings),
                search=search,
                rows=tuple(rows),
            )
