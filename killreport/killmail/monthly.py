"""The figures of one entity by month, from the daily rollups."""

from __future__ import annotations

from datetime import date

import msgspec

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind


class MonthRow(msgspec.Struct, frozen=True, gc=False):
    """A month's sums; money in hundredths of an ISK. month: its first day."""

    month: date
    kills: int
    losses: int
    solo_kills: int
    points_won: int
    points_lost: int
    isk_destroyed_cents: int
    isk_lost_cents: int


async def list_months(connection: Connection, kind: EntityKind, entity_id: int) -> list[MonthRow]:
    """Return the months in which the entity killed or lost anything, in order."""
    rows = await connection.fetch(
        """select date_trunc('month', day)::date as month, sum(kills)::bigint, sum(losses)::bigint,
                  sum(solo_kills)::bigint, sum(points_won)::bigint, sum(points_lost)::bigint,
                  sum(isk_destroyed_cents)::bigint, sum(isk_lost_cents)::bigint
             from daily_stat where entity_kind = $1 and entity_id = $2 group by 1 order by 1""",
        int(kind),
        entity_id,
    )
    return [MonthRow(*row) for row in rows]
