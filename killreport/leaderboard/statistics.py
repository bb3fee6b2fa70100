"""What an entity did over its life, by month and by hour of the week, read from the rollups alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.rollup import COUNTS
from killreport.leaderboard.model import FIGURES, Figures
from killreport.leaderboard.queries import SUMS

DAYS_A_WEEK, HOURS_A_DAY = 7, 24


@dataclass(frozen=True, slots=True)
class Totals:
    """All counts of an entity; money in hundredths of an ISK. npc_*: of the losses, those to NPCs alone."""

    kills: int = 0
    losses: int = 0
    solo_kills: int = 0
    final_blows: int = 0
    points_won: int = 0
    points_lost: int = 0
    isk_destroyed_cents: int = 0
    isk_lost_cents: int = 0
    npc_losses: int = 0
    npc_isk_lost_cents: int = 0

    @property
    def danger_percent(self) -> int | None:
        """How much more it destroys than it loses to players, 0 to 100; None where it did neither.

        100 x D / (D + L), rounded down, with D the kills and points won and L the losses and points lost; losses to
        NPCs, which are worth one point each, do not count. Source: zKillboard's danger ratio,
        cron/6.queueStats.nolock.php and its FAQ, as of 2026-08-21.
        """
        destroyed = self.kills + self.points_won
        lost = self.losses + self.points_lost - 2 * self.npc_losses
        return None if destroyed + lost == 0 else 100 * destroyed // (destroyed + lost)

    @property
    def gang_percent(self) -> int | None:
        """How rarely it kills alone, 0 to 100; None without a kill.

        100 - 100 x solo kills / kills, the quotient rounded down. Source: as for `danger_percent`.
        """
        return None if self.kills == 0 else 100 - 100 * self.solo_kills // self.kills

    @property
    def efficiency_percent(self) -> int | None:
        """The share of the ISK destroyed in all ISK destroyed and lost, rounded down; None without any."""
        both = self.isk_destroyed_cents + self.isk_lost_cents
        return None if both == 0 else 100 * self.isk_destroyed_cents // both


@dataclass(frozen=True, slots=True)
class Month:
    """What an entity did in a month, named by its first day."""

    month: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class Activity:
    """Killmails by weekday (Monday first) and hour in UTC: seven rows of twenty-four each."""

    kills: Sequence[Sequence[int]]
    losses: Sequence[Sequence[int]]


async def get_totals(connection: Connection, kind: EntityKind, entity_id: int) -> Totals:
    """Return the counts of an entity's whole life; all are 0 where it was on no killmail. Reads one row."""
    row = await connection.fetchrow(
        f"select {', '.join(COUNTS)} from total_stat where entity_kind = $1 and entity_id = $2",  # noqa: S608
        int(kind),
        entity_id,
    )
    return Totals() if row is None else Totals(*row)


async def get_totals_between(
    connection: Connection, kind: EntityKind, entity_id: int, first: date, last: date
) -> Totals:
    """Return the counts of the days from `first` to `last`, both included. Reads a row a day."""
    row = await connection.fetchrow(
        f"""select {", ".join(f"coalesce(sum({name}), 0)::bigint" for name in COUNTS)} from daily_stat
            where entity_kind = $1 and entity_id = $2 and day between $3 and $4""",  # noqa: S608
        int(kind),
        entity_id,
        first,
        last,
    )
    return Totals(*row)


async def list_months(connection: Connection, kind: EntityKind, entity_id: int) -> list[Month]:
    """Return the months in which the entity was on a killmail, the oldest first. Reads a row for each of its days."""
    rows = await connection.fetch(
        f"""select date_trunc('month', day)::date as month, {SUMS} from daily_stat
            where entity_kind = $1 and entity_id = $2 group by 1 order by 1""",  # noqa: S608
        int(kind),
        entity_id,
    )
    return [Month(row[0], Figures(*tuple(row)[1 : 1 + len(FIGURES)])) for row in rows]


async def get_activity(connection: Connection, kind: EntityKind, entity_id: int) -> Activity:
    """Return when over its whole life an entity was on killmails. Of kinds that are not counted all is 0.

    Kept in a rollup of at most 168 rows: the newest killmails of a large alliance would show its last days only.
    """
    rows = await connection.fetch(
        "select slot, kills, losses from activity_stat where entity_kind = $1 and entity_id = $2",
        int(kind),
        entity_id,
    )
    kills, losses = ([[0] * HOURS_A_DAY for _ in range(DAYS_A_WEEK)] for _ in range(2))
    for slot, killed, lost in rows:
        weekday, hour = divmod(slot, HOURS_A_DAY)
        kills[weekday][hour], losses[weekday][hour] = killed, lost
    return Activity(kills, losses)
