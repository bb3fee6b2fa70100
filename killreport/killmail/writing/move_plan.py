"""What moving the killmails of an older release takes: how many are left, how much disk and how much time."""

from __future__ import annotations

from dataclasses import dataclass

from killreport.db.database import Connection

# Measured on 40,521 killmails of three days: 328 MB in the old tables were 95 MB in the new ones, moved in 20 s on one
# of two busy cores. Some more, because new rows are written several times and the log of the server grows meanwhile.
NEW_PER_OLD = 0.4
PER_SECOND = 1_000
OLD_TABLES = (
    *("killmail", "attacker", "item", "killed_by"),
    *("daily_stat", "daily_total", "total_stat", "system_stat", "activity_stat"),
)
_OLD_SIZE = """
    select coalesce(sum(pg_total_relation_size(to_regclass('public.' || name))), 0)::bigint from unnest($1::text[]) name
"""
_COUNT = "select coalesce(sum(killmails), 0)::bigint from {}.daily_total"


@dataclass(frozen=True, slots=True)
class MovePlan:
    """killmails: all that the old tables have. left: those that are not moved yet. old_bytes: what the old tables take,
    which is free after the switch.
    """

    killmails: int
    left: int
    old_bytes: int

    @property
    def needed_bytes(self) -> int:
        """Return how much disk moving what is left takes, about and rather too much."""
        return int(self.old_bytes * NEW_PER_OLD * self.left / self.killmails) if self.killmails else 0

    @property
    def seconds(self) -> int:
        """Return how long it takes, about."""
        return self.left // PER_SECOND + 1


async def plan_move(connection: Connection) -> MovePlan | None:
    """Return what there is to move; None where the old tables are gone, or were never there."""
    if await connection.fetchval("select to_regclass('public.killed_by')") is None:
        return None
    killmails = await connection.fetchval(_COUNT.format("public"))
    is_begun = await connection.fetchval("select to_regclass('next.daily_total')") is not None
    moved = await connection.fetchval(_COUNT.format("next")) if is_begun else 0
    old_bytes = await connection.fetchval(_OLD_SIZE, list(OLD_TABLES))
    return MovePlan(killmails, max(killmails - moved, 0), old_bytes)
