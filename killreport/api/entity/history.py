"""Resolvers of an entity's past and of its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.entity.named import NamedEntity, load_named
from killreport.api.paging.cursor import decode_id
from killreport.api.paging.pages import Connection, PageArguments, checked_size, page_of
from killreport.clock import utc_now
from killreport.entity.history import MAX_SNAPSHOTS, Snapshot, list_members_of, list_snapshots_of
from killreport.entity.kind import EntityKind
from killreport.entity.queries import list_periods_of

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class PeriodView:
    """Where an entity belonged for a while."""

    since: datetime
    until: datetime | None
    corporation: NamedEntity | None
    alliance: NamedEntity | None


@dataclass(frozen=True, slots=True)
class DeltaView:
    """The difference between a day and one so many days earlier."""

    days: int
    members: int
    corporations: int | None


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """An alliance or a corporation on a day."""

    day: date
    member_count: int
    corporation_count: int | None
    deltas: list[DeltaView]


def _affiliations(kind: EntityKind) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: FieldInfo) -> list[list[PeriodView]]:
        context: ApiContext = info.context
        async with context.database.connection() as connection:
            found = await list_periods_of(connection, kind, {entity.id for entity in entities})
        wanted = [
            (group, group_id)
            for periods in found.values()
            for period in periods
            for group, group_id in (
                (EntityKind.CORPORATION, period.corporation_id),
                (EntityKind.ALLIANCE, period.alliance_id),
            )
            if group_id is not None
        ]
        named = await load_named(context, wanted)

        def view(kind: EntityKind, group_id: int | None) -> NamedEntity | None:
            return None if group_id is None else named.find(kind, group_id)

        return [
            [
                PeriodView(
                    period.since,
                    period.until,
                    view(EntityKind.CORPORATION, period.corporation_id),
                    view(EntityKind.ALLIANCE, period.alliance_id),
                )
                for period in found[entity.id]
            ]
            for entity in entities
        ]

    return resolve


def _snapshots(kind: EntityKind) -> BatchResolver:
    async def resolve(
        entities: Sequence[Any], info: FieldInfo, *, days: int, until: date | None = None
    ) -> list[list[SnapshotView]]:
        context: ApiContext = info.context
        checked_size("days", days, MAX_SNAPSHOTS)
        async with context.database.connection() as connection:
            found = await list_snapshots_of(
                connection, kind, {entity.id for entity in entities}, until=until or utc_now().date(), days=days
            )
        return [[_snapshot_view(snapshot) for snapshot in found[entity.id]] for entity in entities]

    return resolve


def _snapshot_view(snapshot: Snapshot) -> SnapshotView:
    deltas = [
        DeltaView(days, members, snapshot.corporation_deltas.get(days))
        for days, members in snapshot.member_deltas.items()
    ]
    return SnapshotView(snapshot.day, snapshot.member_count, snapshot.corporation_count, deltas)


def _members(kind: EntityKind, member: EntityKind) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: FieldInfo, **arguments: Any) -> list[Connection[NamedEntity]]:
        context: ApiContext = info.context
        asked = PageArguments(**arguments).read(decode_id)
        async with context.database.connection() as connection:
            found = await list_members_of(
                connection,
                kind,
                {entity.id for entity in entities},
                beyond=asked.cursor,
                backwards=not asked.is_forward,
                limit=asked.size + 1,
            )
        named = await load_named(context, [(member, id_) for ids in found.values() for id_ in ids])
        views = {of: [one for id_ in ids if (one := named.find(member, id_)) is not None] for of, ids in found.items()}
        return [page_of(asked, views[entity.id], attrgetter("id")) for entity in entities]

    return resolve


resolvers.field("Character", "affiliations", _affiliations(EntityKind.CHARACTER))
resolvers.field("Corporation", "affiliations", _affiliations(EntityKind.CORPORATION))
resolvers.field("Corporation", "snapshots", _snapshots(EntityKind.CORPORATION))
resolvers.field("Alliance", "snapshots", _snapshots(EntityKind.ALLIANCE))
resolvers.field("Corporation", "members", _members(EntityKind.CORPORATION, EntityKind.CHARACTER))
resolvers.field("Alliance", "members", _members(EntityKind.ALLIANCE, EntityKind.CORPORATION))
