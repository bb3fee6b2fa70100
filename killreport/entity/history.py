"""How alliances and corporations changed from day to day, and who is in them. Periods: `queries.list_periods`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused

DELTA_DAYS = (1, 7, 30)
MOST_SNAPSHOTS = 366
MOST_MEMBERS = 200
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


async def list_snapshots(
    connection: Connection, kind: EntityKind, entity_id: int, *, until: date, days: int = 30
) -> list[Snapshot]:
    """Return the snapshots of the days up to `until`, the oldest first. Raises Refused for other kinds."""
    table = _TABLES.get(kind)
    if table is None:
        raise Refused("Only alliances and corporations have snapshots.")
    begin = until - timedelta(days=min(days, MOST_SNAPSHOTS) - 1)
    corporations = "corporation_count" if kind is EntityKind.ALLIANCE else "null::integer"
    rows = await connection.fetch(
        f"""select day, member_count, {corporations} from {table}_snapshot
            where {table}_id = $1 and day between $2 and $3 order by day""",  # noqa: S608 - names of our own
        entity_id,
        begin - timedelta(days=max(DELTA_DAYS)),
        until,
    )
    counts: dict[date, tuple[int, int | None]] = {row[0]: (row[1], row[2]) for row in rows}
    return [
        Snapshot(day, members, made_of, _deltas(counts, day, 0), _deltas(counts, day, 1))
        for day, (members, made_of) in counts.items()
        if day >= begin
    ]


async def list_members(
    connection: Connection, kind: EntityKind, entity_id: int, *, after: int = 0, limit: int = 50
) -> list[int]:
    """Return a corporation's characters, or an alliance's corporations, by ascending id above `after`.

    At most MOST_MEMBERS; only those that are stored, without those that are gone. Raises Refused for other kinds.
    """
    if kind not in _TABLES:
        raise Refused("Only alliances and corporations have members.")
    member, group = ("character", "corporation") if kind is EntityKind.CORPORATION else ("corporation", "alliance")
    rows = await connection.fetch(
        f"""select {member}_id from {member} where {group}_id = $1 and {member}_id > $2 and gone_at is null
            order by {member}_id limit {int(min(limit, MOST_MEMBERS))}""",  # noqa: S608
        entity_id,
        after,
    )
    return [row[0] for row in rows]


def _deltas(counts: Mapping[date, tuple[int, int | None]], day: date, which: int) -> dict[int, int]:
    found = {}
    for span in DELTA_DAYS:
        now, before = counts[day][which], counts.get(day - timedelta(days=span), (None, None))[which]
        if now is not None and before is not None:
            found[span] = now - before
    return found
