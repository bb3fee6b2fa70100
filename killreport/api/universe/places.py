"""Resolvers of what happens in places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from killreport.api.context import Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.paging.pages import bad_request
from killreport.api.universe.killmail_lists import WithId
from killreport.api.views.universe import UniverseViews
from killreport.clock import utc_now
from killreport.leaderboard.places import Hour, list_hours_of

# Of one field of one query: New Eden has eight thousand systems.
MAX_PLACES = 200

_SPANS = {"DAY": timedelta(days=1), "WEEK": timedelta(days=7)}

resolvers = Resolvers()


def _activity_of(systems_of: Callable[[UniverseViews, int], Sequence[int]]) -> BatchResolver:
    async def resolve(parents: Sequence[WithId], info: Info, *, span: str) -> list[list[Hour]]:
        systems = {parent.id: systems_of(info.context.views, parent.id) for parent in parents}
        if len(systems) > MAX_PLACES:
            raise bad_request(f"`activity` is of at most {MAX_PLACES} places, not {len(systems)}.")
        async with info.context.database.connection() as connection:
            found = await list_hours_of(connection, systems, now=utc_now(), span=_SPANS[span])
        return [found[parent.id] for parent in parents]

    return resolve


def resolve_true_security(parents: Sequence[WithId], info: Info) -> list[float | None]:
    """Return the unrounded security of each system."""
    systems = info.context.views.universe.systems
    return [systems[parent.id].security_status if parent.id in systems else None for parent in parents]


resolvers.field("SolarSystem", "trueSecurity", resolve_true_security)
resolvers.field("SolarSystem", "activity", _activity_of(lambda _views, one: (one,)))
resolvers.field(
    "Constellation", "activity", _activity_of(lambda views, one: views.tree.systems_of_constellation.get(one, ()))
)
resolvers.field("Region", "activity", _activity_of(lambda views, one: views.tree.systems_of_region.get(one, ())))
resolvers.columns("ActivityHour", isk="value_cents")
