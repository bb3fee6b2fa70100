"""Counts the rankings of long windows, for all their readers at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.leaderboard.model import COUNTED, FIGURES, MAX_PLACES, SUMS, Metric, Window, first_day

# One at a time over the whole database; spells "ranks" in ASCII.
RANKING_LOCK = 0x72616E6B73

_NAMES = ", ".join(FIGURES)
_HEADS = " union all ".join(
    f"""select * from (select '{metric.value}', row_number() over (order by {metric.column} desc, entity_id), *
        from figure where {metric.column} > 0 order by {metric.column} desc, entity_id limit {MAX_PLACES}) h"""  # noqa: S608 - names of our own
    for metric in Metric
)


async def count_rankings(database: Database, *, today: date, windows: Collection[Window] = COUNTED) -> int:
    """Count the rankings of these windows, each in a transaction of its own; return how many places there are.

    Readers see the counts of before until then. Safe to repeat and to run twice at once.
    """
    places = 0
    for window in windows:
        first = first_day(window, today)
        async with database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", RANKING_LOCK)
            await connection.execute("delete from ranking where time_window = $1", window.value)
            for kind in EntityKind:
                status = await connection.execute(
                    _statement(first), window.value, int(kind), *(() if first is None else (first, today))
                )
                places += int(status.rsplit(" ", 1)[-1])
            await connection.execute(
                """insert into ranking_run (time_window, first_day, last_day, counted_at) values ($1, $2, $3, now())
                   on conflict (time_window) do update set first_day = excluded.first_day,
                       last_day = excluded.last_day, counted_at = excluded.counted_at""",
                window.value,
                first,
                today,
            )
    return places


def _statement(first: date | None) -> str:
    """Return the statement that fills the heads of one kind; the sums are made once for all metrics."""
    if first is None:
        source = f"select entity_id, {_NAMES} from total_stat where entity_kind = $2::smallint"  # noqa: S608
    else:
        source = f"""select entity_id, {SUMS} from daily_part
            where entity_kind = $2::smallint and day between $3 and $4 group by entity_id"""  # noqa: S608
    return f"""with figure as materialized ({source})
        insert into ranking (time_window, entity_kind, metric, place, entity_id, {_NAMES})
        select $1::text, $2::smallint, * from ({_HEADS}) as head"""  # noqa: S608
