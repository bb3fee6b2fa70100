"""What an entity killed and lost by the group of the victim's ship, over its newest killmails.

A bounded read instead of a rollup, for the reasons that `tops.py` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.lists.of_many import list_newest_ids
from killreport.killmail.postings.codes import Side, code_of
from killreport.leaderboard.tops import MAX_KILLMAILS

_GROUPS = f"""
    select ship_group_id, count(*)::int as killmails, sum(points)::bigint as points,
           sum(total_value_cents)::bigint as value
    from (select ship_group_id, points, total_value_cents from killmail where killmail_id = any($1::bigint[])
          order by killmail_time desc, killmail_id desc limit {MAX_KILLMAILS}) newest
    group by 1
"""  # noqa: S608 - a number of our own


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
    code = code_of(kind, entity_id)
    keys = {int(side): [(code, int(side))] for side in Side}
    newest = await list_newest_ids(connection, keys, date.min, MAX_KILLMAILS)
    killed, lost = [
        [GroupCount(*row) for row in await connection.fetch(_GROUPS, newest[int(side)])] if newest[int(side)] else []
        for side in (Side.KILLER, Side.VICTIM)
    ]
    return GroupCounts(killed, lost)
