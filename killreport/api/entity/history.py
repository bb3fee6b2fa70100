"""Resolvers of an entity's past and of its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.entity.named import NamedEntity, find_named
from killreport.api.paging.cursor import IDS
from killreport.api.paging.pages import Connection, PageArguments, checked_size, page_of
from killreport.clock import utc_now
from killreport.entity.history import MAX_SNAPSHOTS, Snapshot, list_members_of, list_snapshots_of
from killreport.entity.kind import EntityKind
from killreport.entity.queries import Period, list_periods_of

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class PeriodView:
    """Where an entity belonged for a while."""

    period: Period
    corporation: NamedEntity | None
    alliance: NamedEntity | None


def _affiliations(kind: EntityKind) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: Info) -> list[list[PeriodView]]:
        async with info.context.database.connection() as connection:
            found = await list_periods_of(connection, kind, {entity.id for entity in entities})
        periods = [period for entity in entities for period in found[entity.id]]
        groups = await find_named(
            info.context,
            [
                *((EntityKind.CORPORATION, period.corporation_id) for period in periods),
                *((EntityKind.ALLIANCE, period.alliance_id) for period in periods),
            ],
        )
        views = map(PeriodView, periods, groups, groups[len(periods) :])
        return [list(islice(views, len(found[entity.id]))) for entity in entities]

    return resolve


def _snapshots(kind: EntityKind) -> BatchResolver:
    async def resolve(
        entities: Sequence[Any], info: Info, *, days: int, until: date | None = None
    ) -> list[list[Snapshot]]:
        checked_size("days", days, MAX_SNAPSHOTS)
        ids, until = {entity.id for entity in entities}, until or utc_now().date()
        async with info.context.database.connection() as connection:
            found = await list_snapshots_of(connection, kind, ids, until=until, days=days)
        return [found[entity.id] for entity in entities]

    return resolve


def _members(kind: EntityKind, member: EntityKind) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: Info, **arguments: Any) -> list[Connection[NamedEntity]]:
        asked = PageArguments(**arguments).read(IDS.decode)
        async with info.context.database.connection() as connection:
            found = await list_members_of(
                connection,
                kind,
                {entity.id for entity in entities},
                beyond=asked.cursor,
                backwards=not asked.is_forward,
                limit=asked.size + 1,
            )
        views = iter(await find_named(info.context, [(member, id_) for ids in found.values() for id_ in ids]))
        members = {of: [one for _ in ids if (one := next(views)) is not None] for of, ids in found.items()}
        return [page_of(asked, members[entity.id], attrgetter("id")) for entity in entities]

    return resolve


resolvers.field("Character", "affiliations", _affiliations(EntityKind.CHARACTER))
resolvers.field("Corporation", "affiliations", _affiliations(EntityKind.CORPORATION))
resolvers.field("Corporation", "snapshots", _snapshots(EntityKind.CORPORATION))
resolvers.field("Alliance", "snapshots", _snapshots(EntityKind.ALLIANCE))
resolvers.field("Corporation", "members", _members(EntityKind.CORPORATION, EntityKind.CHARACTER))
resolvers.field("Alliance", "members", _members(EntityKind.ALLIANCE, EntityKind.CORPORATION))
resolvers.columns("AffiliationPeriod", since="period.since", until="period.until")
resolvers.columns(
    "EntitySnapshot",
    deltas=lambda snapshot: [
        (days, members, snapshot.corporation_deltas.get(days)) for days, members in snapshot.member_deltas.items()
    ],
)
resolvers.columns("SnapshotDelta", days=itemgetter(0), members=itemgetter(1), corporations=itemgetter(2))
