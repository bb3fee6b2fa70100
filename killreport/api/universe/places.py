"""Resolvers of what happens in places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.paging.pages import bad_request
from killreport.api.universe.killmail_lists import WithId, killmails_of, totals_of
from killreport.api.views.universe import UniverseViews
from killreport.clock import utc_now
from killreport.entity.kind import EntityKind
from killreport.killmail.lists.of_places import IndexedColumn
from killreport.leaderboard.places import list_hours_of

# Of one field of one query: New Eden has eight thousand systems.
MAX_PLACES = 200

_SPANS = {"DAY": timedelta(days=1), "WEEK": timedelta(days=7)}

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class ActivityHour:
    """What happened in an hour; isk is in hundredths."""

    begins_at: datetime
    killmails: int
    isk: int


def _activity_of(systems_of: Callable[[UniverseViews, int], Sequence[int]]) -> BatchResolver:
    async def resolve(parents: Sequence[WithId], info: FieldInfo, *, span: str) -> list[list[ActivityHour]]:
        context: ApiContext = info.context
        systems = {parent.id: systems_of(context.views, parent.id) for parent in parents}
        if len(systems) > MAX_PLACES:
            raise bad_request(f"`activity` is of at most {MAX_PLACES} places, not {len(systems)}.")
        async with context.database.connection() as connection:
            found = await list_hours_of(connection, systems, now=utc_now(), span=_SPANS[span])
        views = {
            place: [ActivityHour(hour.begins_at, hour.killmails, hour.value_cents) for hour in hours]
            for place, hours in found.items()
        }
        return [views[parent.id] for parent in parents]

    return resolve


def resolve_true_security(parents: Sequence[WithId], info: FieldInfo) -> list[float | None]:
    """Return the unrounded security of each system."""
    systems = info.context.views.universe.systems
    return [systems[parent.id].security_status if parent.id in systems else None for parent in parents]


resolvers.field("SolarSystem", "trueSecurity", resolve_true_security)
resolvers.field("SolarSystem", "activity", _activity_of(lambda _views, one: (one,)))
resolvers.field(
    "Constellation", "activity", _activity_of(lambda views, one: views.tree.systems_of_constellation.get(one, ()))
)
resolvers.field("Region", "activity", _activity_of(lambda views, one: views.tree.systems_of_region.get(one, ())))
for _name, _kind, _shelf in (
    ("SolarSystem", EntityKind.SOLAR_SYSTEM, IndexedColumn.SOLAR_SYSTEM),
    ("Constellation", EntityKind.CONSTELLATION, IndexedColumn.CONSTELLATION),
    ("Region", EntityKind.REGION, IndexedColumn.REGION),
):
    resolvers.field(_name, "killmails", killmails_of(_shelf))
    resolvers.field(_name, "totals", totals_of(_kind))
