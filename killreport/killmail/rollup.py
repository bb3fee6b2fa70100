"""What one killmail adds to the daily figures of everybody and everything it names.

An entity counts once a killmail, however many of its members took part. A kill counts for every attacker's side, a
loss for the victim's; a place counts its killmails as kills. Upserts are sorted by key, so that two writers can
never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from itertools import chain

from killreport.db.database import Connection

KIND_BITS = 4
KIND_MASK = (1 << KIND_BITS) - 1

COUNTS = (
    "kills",
    "losses",
    "solo_kills",
    "final_blows",
    "points_won",
    "points_lost",
    "isk_destroyed_cents",
    "isk_lost_cents",
    "npc_losses",
    "npc_isk_lost_cents",
)

(
    _KILLS,
    _LOSSES,
    _SOLO_KILLS,
    _FINAL_BLOWS,
    _POINTS_WON,
    _POINTS_LOST,
    _ISK_DESTROYED,
    _ISK_LOST,
    _NPC_LOSSES,
    _NPC_ISK_LOST,
) = range(len(COUNTS))

# Only names of our own columns are put into the text.
_UPSERT = f"""
    insert into daily_stat (entity_kind, entity_id, day, {", ".join(COUNTS)})
    select * from unnest($1::smallint[], $2::bigint[], $3::date[], {
    ", ".join(f"${index}::bigint[]" for index in range(4, 4 + len(COUNTS)))
})
    on conflict (entity_kind, entity_id, day) do update set
    {", ".join(f"{name} = daily_stat.{name} + excluded.{name}" for name in COUNTS)}
"""  # noqa: S608

_UPSERT_TOTAL = """
    insert into daily_total (day, killmails, total_value_cents)
    select * from unnest($1::date[], $2::bigint[], $3::bigint[])
    on conflict (day) do update set killmails = daily_total.killmails + excluded.killmails,
        total_value_cents = daily_total.total_value_cents + excluded.total_value_cents
"""


class Rollup:
    """Sums the figures of a batch in memory; `save` adds them to the database in the caller's transaction.

    An entity goes by its code (`code_of`): one number is hashed faster than a pair, and a batch has a hundred thousand.
    """

    def __init__(self) -> None:
        self._days: dict[date, dict[int, list[int]]] = {}
        self._totals: dict[date, list[int]] = {}

    def add(
        self,
        day: date,
        *,
        killers: Collection[int],
        final_blow: Collection[int],
        places: Iterable[int],
        victims: Iterable[int],
        points: int,
        value_cents: int,
        is_solo: bool,
        is_npc: bool,
    ) -> None:
        """Count one killmail. All entities are codes, none twice; those of the final blow are among the killers."""
        total = self._totals.setdefault(day, [0, 0])
        total[0] += 1
        total[1] += value_cents
        stats = self._days.setdefault(day, {})
        for code in chain(killers, places):
            counts = stats.get(code)
            if counts is None:
                counts = stats[code] = [0] * len(COUNTS)
            counts[_KILLS] += 1
            counts[_POINTS_WON] += points
            counts[_ISK_DESTROYED] += value_cents
            if is_solo:
                counts[_SOLO_KILLS] += 1
        for code in final_blow:
            stats[code][_FINAL_BLOWS] += 1
        for code in victims:
            counts = stats.get(code)
            if counts is None:
                counts = stats[code] = [0] * len(COUNTS)
            counts[_LOSSES] += 1
            counts[_POINTS_LOST] += points
            counts[_ISK_LOST] += value_cents
            if is_npc:
                counts[_NPC_LOSSES] += 1
                counts[_NPC_ISK_LOST] += value_cents

    def correct(
        self, day: date, *, winners: Iterable[int], victims: Iterable[int], value_cents: int, is_npc: bool
    ) -> None:
        """Add to the value of a killmail that is counted already. winners: the codes of its killers and places."""
        self._totals.setdefault(day, [0, 0])[1] += value_cents
        stats = self._days.setdefault(day, {})
        for code in winners:
            stats.setdefault(code, [0] * len(COUNTS))[_ISK_DESTROYED] += value_cents
        for code in victims:
            counts = stats.setdefault(code, [0] * len(COUNTS))
            counts[_ISK_LOST] += value_cents
            if is_npc:
                counts[_NPC_ISK_LOST] += value_cents

    async def save(self, connection: Connection) -> None:
        """Add the sums to the stored ones. Not idempotent: the caller's transaction makes it happen once."""
        if not self._totals:
            return
        rows = sorted((code, day, counts) for day, stats in self._days.items() for code, counts in stats.items())
        columns = zip(*(counts for _, _, counts in rows), strict=True)
        await connection.execute(
            _UPSERT,
            [code & KIND_MASK for code, _, _ in rows],
            [code >> KIND_BITS for code, _, _ in rows],
            [day for _, day, _ in rows],
            *columns,
        )
        days = sorted(self._totals)
        await connection.execute(
            _UPSERT_TOTAL, days, [self._totals[day][0] for day in days], [self._totals[day][1] for day in days]
        )


def code_of(kind: int, entity_id: int) -> int:
    """Return one number for an entity; ids of different kinds may be equal, codes never are."""
    return entity_id << KIND_BITS | kind
