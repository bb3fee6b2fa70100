"""How alliances and corporations changed from day to day, and who is in them. Periods: `queries.list_periods_of`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused

DELTA_DAYS = (1, 7, 30)
MAX_SNAPSHOTS = 366
MAX_MEMBERS = 200
_TABLES = {EntityKind.ALLIANCE: "alliance", EntityKind.CORPORATION: "corporation"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An alliance or a corporation on a day. corporation_count: None for a corporation.

    member_deltas and corporation_deltas: by how much the count differs from that of so many days before; a span whose
    day has no snapshot is left out.
    """

    day: date
    member_count: int
    corporation_count: int | None
    member_deltas: Mapping[int, int] = field(default_factory=dict)
    corporation_deltas: Mapping[int, int] = field(default_factory=dict)


async def list_snapshots_of(
    connection: Connection, kind: EntityKind, entity_ids: Collection[int], *, until: date, days: int = 30
) -> dict[int, list[Snapshot]]:
    """Return by id the snapshots of the days up to `until`, the oldest first. Raises Refused for other kinds."""
    table = _TABLES.get(kind)
    if table is None:
        raise Refused("Only alliances and corporations have snapshots.")
    begin = until - timedelta(days=min(days, MAX_SNAPSHOTS) - 1)
    corporations = "corporation_count" if kind is EntityKind.ALLIANCE else "null::integer"
    rows = await connection.fetch(
        f"""select {table}_id, day, member_count, {corporations} from {table}_snapshot
            where {table}_id = any($1::bigint[]) and day between $2 and $3 order by day""",  # noqa: S608 - own names
        list(entity_ids),
        begin - timedelta(days=max(DELTA_DAYS)),
        until,
    )
    counts: dict[int, dict[date, tuple[int, int | None]]] = {entity_id: {} for entity_id in entity_ids}
    for row in rows:
        counts[row[0]][row[1]] = (row[2], row[3])
    return {entity_id: _snapshots(days_of, begin) for entity_id, days_of in counts.items()}


async def list_members_of(
    connection: Connection,
    kind: EntityKind,
    entity_ids: Collection[int],
    *,
    beyond: int | None = None,
    backwards: bool = False,
    limit: int = 50,
) -> dict[int, list[int]]:
    """Return of each corporation its characters, or of each alliance its corporations: those nearest to `beyond`.

    At most MAX_MEMBERS + 1 of each: the first ones with a larger id than `beyond`, or going backwards the last ones
    with a smaller id. Only those that are stored, without those that are gone. Raises Refused for other kinds.
    """
    if kind not in _TABLES:
        raise Refused("Only alliances and corporations have members.")
    member, group = ("character", "corporation") if kind is EntityKind.CORPORATION else ("corporation", "alliance")
    sign, order = ("<", "desc") if backwards else (">", "asc")
    bound = "" if beyond is None else f"and {member}_id {sign} $2"
    rows = await connection.fetch(
        f"""select wanted.id, found.id from unnest($1::bigint[]) as wanted (id) cross join lateral (
                select {member}_id as id from {member}
                 where {group}_id = wanted.id and gone_at is null {bound}
                 order by {group}_id {order}, {member}_id {order} limit {int(min(limit, MAX_MEMBERS + 1))}) found
            order by found.id""",  # noqa: S608 - names of our own
        list(entity_ids),
        *(() if beyond is None else (beyond,)),
    )
    found: dict[int, list[int]] = {entity_id: [] for entity_id in entity_ids}
    for group_id, member_id in rows:
        found[group_id].append(member_id)
    return found


def _snapshots(counts: Mapping[date, tuple[int, int | None]], begin: date) -> list[Snapshot]:
    return [
        Snapshot(day, members, made_of, _deltas(counts, day, 0), _deltas(counts, day, 1))
        for day, (members, made_of) in counts.items()
        if day >= begin
    ]


def _deltas(counts: Mapping[date, tuple[int, int | None]], day: date, which: int) -> dict[int, int]:
    found = {}
    for span in DELTA_DAYS:
        now, before = counts[day][which], counts.get(day - timedelta(days=span), (None, None))[which]
        if now is not None and before is not None:
            found[span] = now - before
    return found
