"""How often a group or a category of types is used and lost: the sums of what its groups did."""

from __future__ import annotations

from collections.abc import Collection

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.stored.rollup import COUNTS
from killreport.leaderboard.statistics import Totals


async def find_totals(connection: Connection, kind: EntityKind, ids: Collection[int]) -> dict[int, Totals]:
    """Return the counts of the whole lives of several things of a kind, by id; those on no killmail are left out."""
    rows = await connection.fetch(
        f"""select entity_id, {", ".join(COUNTS)} from total_stat
            where entity_kind = $1 and entity_id = any($2::bigint[])""",  # noqa: S608 - names of our own
        int(kind),
        list(ids),
    )
    return {row[0]: Totals(*tuple(row)[1:]) for row in rows}


def sum_totals(parts: Collection[Totals]) -> Totals:
    """Return the sums; of a category's groups, a kill counts once for each group whose hulls took part in it."""
    return Totals(*(sum(getattr(part, name) for part in parts) for name in COUNTS))
