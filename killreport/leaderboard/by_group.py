"""What an entity killed and lost by the group of the victim's ship, over its newest killmails.

A bounded read instead of a rollup, for the reasons that `tops.py` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.lists.of_entities import VICTIM_COLUMNS
from killreport.killmail.lists.of_places import IndexedColumn
from killreport.killmail.stored.named import code_of
from killreport.leaderboard.tops import MAX_KILLMAILS

# Of its own killmails everybody reads the newest, off the index that the lists use.
_NEWEST = f"order by killmail_time desc, killmail_id desc limit {MAX_KILLMAILS}"
_SUMS = """count(*)::int as killmails, sum(points)::bigint as points, sum(total_value_cents)::bigint as value"""
_KILLED = f"""
    with newest as materialized (select killmail_id from killed_by where code = $1 {_NEWEST})
    select ship_group_id, {_SUMS} from newest cross join lateral (
        select ship_group_id, points, total_value_cents from killmail
        where killmail.killmail_id = newest.killmail_id offset 0) mail
    group by 1
"""  # noqa: S608 - names and numbers of our own, here and below
_THERE = f"""
    select ship_group_id, {_SUMS} from (
        select ship_group_id, points, total_value_cents from killmail where {{column}} = $1 {_NEWEST}) mail
    group by 1
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Killmails whose victim flew a ship of the group; None: a ship that the static data did not know."""

    group_id: int | None
    killmails: int
    points: int
    value_cents: int


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """The groups of what was killed and of what was lost. is_whole: whether all killmails were counted."""

    killed: Sequence[GroupCount]
    lost: Sequence[GroupCount]

    @property
    def is_complete(self) -> bool:
        return all(sum(one.killmails for one in side) < MAX_KILLMAILS for side in (self.killed, self.lost))


async def count_groups(connection: Connection, kind: EntityKind, entity_id: int) -> GroupCounts:
    """Return the groups over the newest MAX_KILLMAILS kills and as many losses; killmails of a place are kills."""
    if kind not in VICTIM_COLUMNS:
        return GroupCounts(await _read(connection, _THERE.format(column=IndexedColumn[kind.name].value), entity_id), ())
    killed = await _read(connection, _KILLED, code_of(kind, entity_id))
    return GroupCounts(killed, await _read(connection, _THERE.format(column=VICTIM_COLUMNS[kind]), entity_id))


async def _read(connection: Connection, statement: str, argument: int) -> list[GroupCount]:
    return [GroupCount(*row) for row in await connection.fetch(statement, argument)]
