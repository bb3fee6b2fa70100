"""Resolvers of the installation's totals and of its completeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.paging.pages import bad_request
from killreport.clock import utc_now
from killreport.entity.counts import count_known
from killreport.entity.ledger import count_waiting
from killreport.killmail.stored.coverage import Completeness, list_completeness
from killreport.killmail.stored.totals import HourTotals, InstallationTotals, get_installation_totals, list_hour_totals

resolvers = Resolvers()
MAX_SPAN = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class StatsView:
    """The totals, in the schema's words; money in hundredths of an ISK."""

    killmails: int
    isk: int
    killmails_today: int
    isk_today: int
    killmails_yesterday: int
    isk_yesterday: int
    feed_lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class EntityCountView:
    """How many entities of a kind are known, and wait."""

    kind: str
    known: int
    waiting: int


async def resolve_stats(_root: Sequence[None], info: FieldInfo) -> list[StatsView]:
    """Return the totals, in one statement."""
    context: ApiContext = info.context
    now = utc_now()
    async with context.database.connection() as connection:
        totals: InstallationTotals = await get_installation_totals(connection, now.date())
    stored_at = totals.last_stored_at
    return [
        StatsView(
            killmails=totals.all_time.killmails,
            isk=totals.all_time.value_cents,
            killmails_today=totals.today.killmails,
            isk_today=totals.today.value_cents,
            killmails_yesterday=totals.yesterday.killmails,
            isk_yesterday=totals.yesterday.value_cents,
            feed_lag_seconds=None if stored_at is None else max((now - stored_at).total_seconds(), 0.0),
        )
    ]


async def resolve_entities(stats: Sequence[StatsView], info: FieldInfo) -> list[list[EntityCountView]]:
    """Return the counts of characters, corporations and alliances, in two statements."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        known = await count_known(connection)
        waiting: Mapping[int, int] = {count.kind: count.waiting for count in await count_waiting(connection)}
    counts = [EntityCountView(kind.name, known[kind], waiting.get(kind, 0)) for kind in sorted(known)]
    return [counts] * len(stats)


async def resolve_hours(stats: Sequence[StatsView], info: FieldInfo) -> list[list[HourTotals]]:
    """Return the last 24 hours."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        hours = await list_hour_totals(connection, utc_now())
    return [hours] * len(stats)


async def resolve_completeness(
    _root: Sequence[None], info: FieldInfo, *, to: date, **rest: date
) -> list[list[Completeness]]:
    """Return the days. Raises GraphQLError for days in the wrong order, or too many."""
    context: ApiContext = info.context
    first = rest["from"]  # a word of Python, so it cannot be a parameter
    if not timedelta() <= to - first <= MAX_SPAN:
        raise bad_request(f"`to` must be from 0 to {MAX_SPAN.days} days after `from`.")
    async with context.database.connection() as connection:
        return [await list_completeness(connection, first, to)]


def resolve_hour_value(hours: Sequence[HourTotals], _info: FieldInfo) -> list[int]:
    """Return the value of each hour."""
    return [hour.value_cents for hour in hours]


resolvers.field("Query", "stats", resolve_stats)
resolvers.field("Query", "completeness", resolve_completeness)
resolvers.field("Stats", "entities", resolve_entities)
resolvers.field("Stats", "hours", resolve_hours)
resolvers.field("HourCount", "isk", resolve_hour_value)
