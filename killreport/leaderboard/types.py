"""How often a group or a category of types is used and lost: the sums of what its groups did."""

from __future__ import annotations

from datetime import date

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.eve.universe import Universe
from killreport.killmail.rollup import COUNTS
from killreport.leaderboard.statistics import Totals


async def get_category_totals(
    connection: Connection, category_id: int, universe: Universe, *, first: date | None = None, last: date | None = None
) -> Totals:
    """Return the sums over a category's groups, of its whole life or of the days from `first` to `last`.

    Losses are exact; a kill counts once for each of the groups whose hulls took part in it.
    Single types and groups: `killreport.leaderboard.statistics`.
    """
    groups = [group.group_id for group in universe.groups.values() if group.category_id == category_id]
    whole = first is None or last is None
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in COUNTS)
    row = await connection.fetchrow(
        f"""select {sums} from {"total_stat" if whole else "daily_stat"}
            where entity_kind = $1 and entity_id = any($2::bigint[])
            {"" if whole else "and day between $3 and $4"}""",  # noqa: S608 - names of our own
        int(EntityKind.SHIP_GROUP),
        groups,
        *(() if whole else (first, last)),
    )
    return Totals(*row)
