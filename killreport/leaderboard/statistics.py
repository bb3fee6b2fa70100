"""What an entity did over its life, by month and by hour of the week, read from the rollups alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.postings.codes import code_of
from killreport.killmail.stored.activity import hours_in
from killreport.killmail.stored.rollup import COUNTS

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
    solo_losses: int = 0

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
    totals: Totals


@dataclass(frozen=True, slots=True)
class Activity:
    """Killmails by weekday (Monday first) and hour in UTC: seven rows of twenty-four each."""

    kills: Sequence[Sequence[int]]
    losses: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that is counted, whatever its kind."""

    kind: EntityKind
    id: int


_SUMS = ", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)
# The rows of a table of statistics that belong to the wanted ones, each with its place among them.
_WANTED = """from unnest($1::smallint[], $2::bigint[]) with ordinality as wanted (entity_kind, entity_id, place)
             join {table} using (entity_kind, entity_id)"""
_WANTED_DAYS = """from unnest($1::bigint[]) with ordinality as wanted (code, place) join daily_part using (code)"""


async def list_totals(connection: Connection, counted: Sequence[Counted]) -> list[Totals]:
    """Return the counts of their whole lives, in order, in one statement; all are 0 for what was on no killmail."""
    rows = await connection.fetch(
        f"select place, {', '.join(COUNTS)} {_WANTED.format(table='total_stat')}",
        *_arrays(counted),
    )
    return _in_order(counted, rows)


async def list_totals_between(
    connection: Connection, counted: Sequence[Counted], first: date, last: date
) -> list[Totals]:
    """Return the counts of the days from `first` to `last`, both included, in order. Reads a row a day of each."""
    rows = await connection.fetch(
        f"""select place, {_SUMS} {_WANTED_DAYS}
            where day between $2 and $3 group by place""",
        _codes(counted),
        first,
        last,
    )
    return _in_order(counted, rows)


async def list_months_of(connection: Connection, counted: Sequence[Counted]) -> list[list[Month]]:
    """Return the months in which each was on a killmail, the oldest first. Reads a row for each of their days."""
    rows = await connection.fetch(
        f"""select place, date_trunc('month', day)::date as month, {_SUMS} {_WANTED_DAYS}
            group by place, month order by month""",
        _codes(counted),
    )
    found: list[list[Month]] = [[] for _ in counted]
    for row in map(tuple, rows):
        found[row[0] - 1].append(Month(row[1], Totals(*row[2:])))
    return found


async def list_activity(connection: Connection, counted: Sequence[Counted]) -> list[Activity]:
    """Return when over their whole lives they were on killmails. Of kinds that are not counted all is 0.

    Kept in a rollup: the newest killmails of a large alliance would show its last days only.
    """
    rows = await connection.fetch(f"select place, activity {_WANTED.format(table='total_stat')}", *_arrays(counted))
    logs: dict[int, bytes] = {row[0]: row[1] for row in rows}
    return [Activity(*map(_by_weekday, hours_in(logs.get(place, b"")))) for place in range(1, len(counted) + 1)]


def _by_weekday(slots: Sequence[int]) -> Sequence[Sequence[int]]:
    return [slots[first : first + HOURS_A_DAY] for first in range(0, len(slots), HOURS_A_DAY)]


def _codes(counted: Sequence[Counted]) -> list[int]:
    return [code_of(one.kind, one.id) for one in counted]


def _arrays(counted: Sequence[Counted]) -> tuple[list[int], list[int]]:
    return [int(one.kind) for one in counted], [one.id for one in counted]


def _in_order(counted: Sequence[Counted], rows: Sequence[Any]) -> list[Totals]:
    found = [Totals()] * len(counted)
    for row in map(tuple, rows):
        found[row[0] - 1] = Totals(*row[1:])
    return found
