"""Resolvers of the installation's totals and of its completeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import Resolvers
from killreport.api.paging.pages import bad_request
from killreport.clock import utc_now
from killreport.entity.counts import count_known
from killreport.entity.ledger import count_waiting
from killreport.killmail.stored.coverage import Completeness, list_completeness
from killreport.killmail.stored.totals import HourTotals, InstallationTotals, get_installation_totals, list_hour_totals

resolvers = Resolvers()
MAX_SPAN = timedelta(days=3660)


async def resolve_stats(info: Info) -> InstallationTotals:
    """Return the totals, in one statement."""
    async with info.context.database.connection() as connection:
        return await get_installation_totals(connection, utc_now().date())


async def resolve_entities(stats: Sequence[Any], info: Info) -> list[list[tuple[str, int, int]]]:
    """Return the kinds of entities, how many of each are known, and wait, in two statements."""
    async with info.context.database.connection() as connection:
        known = await count_known(connection)
        waiting: Mapping[int, int] = {count.kind: count.waiting for count in await count_waiting(connection)}
    counts = [(kind.name, known[kind], waiting.get(kind, 0)) for kind in sorted(known)]
    return [counts] * len(stats)


async def resolve_hours(stats: Sequence[Any], info: Info) -> list[list[HourTotals]]:
    """Return the last 24 hours."""
    async with info.context.database.connection() as connection:
        hours = await list_hour_totals(connection, utc_now())
    return [hours] * len(stats)


async def resolve_completeness(info: Info, *, to: date, **rest: date) -> list[Completeness]:
    """Return the days. Raises GraphQLError for days in the wrong order, or too many."""
    first = rest["from"]  # a word of Python, so it cannot be a parameter
    if not timedelta() <= to - first <= MAX_SPAN:
        raise bad_request(f"`to` must be from 0 to {MAX_SPAN.days} days after `from`.")
    async with info.context.database.connection() as connection:
        return await list_completeness(connection, first, to)


def _lag_seconds(totals: InstallationTotals) -> float | None:
    stored_at = totals.last_stored_at
    return None if stored_at is None else max((utc_now() - stored_at).total_seconds(), 0.0)


resolvers.root("Query", "stats", resolve_stats)
resolvers.root("Query", "completeness", resolve_completeness)
resolvers.columns(
    "Stats",
    killmails="all_time.killmails",
    isk="all_time.value_cents",
    killmailsToday="today.killmails",
    iskToday="today.value_cents",
    killmailsYesterday="yesterday.killmails",
    iskYesterday="yesterday.value_cents",
    feedLagSeconds=_lag_seconds,
)
resolvers.field("Stats", "entities", resolve_entities)
resolvers.field("Stats", "hours", resolve_hours)
resolvers.columns("EntityCount", kind=itemgetter(0), known=itemgetter(1), waiting=itemgetter(2))
resolvers.columns("HourCount", isk="value_cents")
