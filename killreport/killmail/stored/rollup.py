"""What one killmail adds to the figures of everybody and everything it names.

An entity counts once a killmail, however many of its members took part. A kill counts for every attacker's side, a
loss for the victim's; a place counts its killmails as kills. Upserts are sorted by key, so that two writers can
never wait for each other in a circle.

Three levels are kept of the same count: a day (`killreport.killmail.postings`, with the ids), a day in a solar system
(`system_stat`, of those who are ranked by place), and the whole life (`total_stat`, with `activity_stat` by hour of the
week). Rows of a whole life are shared by writers of different days, so they are written last before the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, TypeAlias

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.postings.changes import SUMS, PostingChanges
from killreport.killmail.postings.codes import KIND_BITS, KIND_MASK, MAX_ENTITY_KIND, Side
from killreport.killmail.postings.sets import Key
from killreport.killmail.stored.named import Named

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
    "solo_losses",
)

SYSTEM_COUNTS = ("kills", "losses", "solo_kills", "points_won", "isk_destroyed_cents", "isk_lost_cents")
Counts: TypeAlias = tuple[int, ...]  # as `killreport.killmail.postings.changes.SUMS` names them
SYSTEM_KINDS = (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE, EntityKind.SHIP_TYPE)
ACTIVITY_COUNTS = ("kills", "losses")
ACTIVITY_KINDS = (
    *(EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE),
    *(EntityKind.SOLAR_SYSTEM, EntityKind.REGION),
)
# Plain numbers, asked for every code of every killmail.
_SYSTEM_KINDS = frozenset(map(int, SYSTEM_KINDS))
_ACTIVITY_KINDS = frozenset(map(int, ACTIVITY_KINDS))
SLOT_BITS = 8
SLOT_MASK = (1 << SLOT_BITS) - 1


@dataclass(frozen=True, slots=True)
class Table:
    """A rollup: its key with the types of the columns, its counts, and the statements that change it."""

    name: str
    key: Mapping[str, str]
    counts: Sequence[str]

    @property
    def upsert(self) -> str:
        names = ", ".join((*self.key, *self.counts))
        types = [*self.key.values(), *["bigint"] * len(self.counts)]
        columns = ", ".join(f"${index}::{type_}[]" for index, type_ in enumerate(types, 1))
        sums = ", ".join(f"{name} = {self.name}.{name} + excluded.{name}" for name in self.counts)
        # Only names of our own tables and columns are put into the text, here and below.
        return f"""insert into {self.name} ({names}) select * from unnest({columns})
            on conflict ({", ".join(self.key)}) do update set {sums}"""  # noqa: S608

    @property
    def sweep(self) -> str:
        """Delete those of the rows that count nothing any more: a recount would not have them."""
        columns = ", ".join(f"${index}::{type_}[]" for index, type_ in enumerate(self.key.values(), 1))
        nothing = " and ".join(f"{self.name}.{name} = 0" for name in self.counts)
        same = " and ".join(f"{self.name}.{name} = emptied.{name}" for name in self.key)
        return f"""delete from {self.name} using unnest({columns}) as emptied({", ".join(self.key)})
            where {same} and {nothing}"""  # noqa: S608


DAILY_TOTAL = Table("daily_total", {"day": "date"}, ("killmails", "total_value_cents"))
TOTAL_STAT = Table("total_stat", {"entity_kind": "smallint", "entity_id": "bigint"}, COUNTS)
SYSTEM_STAT = Table(
    "system_stat",
    {"entity_kind": "smallint", "solar_system_id": "integer", "day": "date", "entity_id": "bigint"},
    SYSTEM_COUNTS,
)
ACTIVITY_STAT = Table(
    "activity_stat", {"entity_kind": "smallint", "entity_id": "bigint", "slot": "smallint"}, ACTIVITY_COUNTS
)


class Rollup:
    """Sums the figures of a batch in memory; the `save_*` add them to the database in the caller's transaction."""

    def __init__(self) -> None:
        self._postings = PostingChanges()
        self._systems: dict[tuple[int, date], dict[int, list[int]]] = {}
        self._activity: dict[int, list[int]] = {}
        self._totals: dict[date, list[int]] = {}
        self._takes_away = False

    def add(
        self,
        killmail_id: int,
        at: datetime,
        solar_system_id: int,
        named: Named,
        *,
        points: int,
        value_cents: int,
        is_solo: bool,
        is_npc: bool,
        times: int = 1,
    ) -> None:
        """Count one killmail. at: aware, in UTC. times: -1 takes it away again."""
        self._takes_away |= times < 0
        day = at.date()
        points *= times
        value_cents *= times
        total = self._totals.setdefault(day, [0, 0])
        total[0] += times
        total[1] += value_cents
        counts = (times, value_cents, points, times * is_solo, 0, times * is_npc, value_cents * is_npc)
        postings = self._postings
        postings.add(day, killmail_id, _keys((*named.killers, *named.places, *named.marks), Side.KILLER), counts)
        postings.add(day, killmail_id, _keys(named.victims, Side.VICTIM), counts)
        postings.add_final_blows(day, _keys(named.final_blow, Side.KILLER), times)
        there = self._systems.setdefault((solar_system_id, day), {})
        won = (times, 0, times * is_solo, points, value_cents, 0)
        lost = (0, times, 0, 0, 0, value_cents)
        _add(there, _ranked(named.killers), won)
        _add(there, _ranked(named.victims), lost)
        slot = slot_of(at)
        _add(self._activity, _in_slot(chain(named.killers, named.places), slot), (times, 0))
        _add(self._activity, _in_slot(named.victims, slot), (0, times))

    def exchange(self, day: date, killmail_id: int, gone: Iterable[int], come: Iterable[int], counts: Counts) -> None:
        """Have a killmail found by other marks than before. counts: what it counts for in every posting."""
        self._postings.add(day, killmail_id, _keys(gone, Side.KILLER), tuple(-count for count in counts))
        self._postings.add(day, killmail_id, _keys(come, Side.KILLER), counts)

    async def save_days(self, connection: Connection) -> None:
        """Add the sums of days to the stored ones. Not idempotent: the caller's transaction makes it happen once."""
        await self._postings.save(connection)
        await self._save(connection, DAILY_TOTAL, [((day,), counts) for day, counts in self._totals.items()])
        systems = [
            ((code & KIND_MASK, system, day, code >> KIND_BITS), counts)
            for (system, day), stats in self._systems.items()
            for code, counts in stats.items()
        ]
        await self._save(connection, SYSTEM_STAT, systems)

    async def save_totals(self, connection: Connection) -> None:
        """Add the sums of whole lives to the stored ones, as late before the commit as may be; see `save_days`."""
        lives: dict[int, list[int]] = {}
        for _day, (code, side), sums in self._postings.sums():
            if 0 < code & KIND_MASK <= MAX_ENTITY_KIND:
                killmails, isk, points, solo, final_blows, npc, npc_isk = sums[: len(SUMS)]
                if side == Side.KILLER:
                    _add(lives, (code,), (killmails, 0, solo, final_blows, points, 0, isk, 0, 0, 0, 0))
                else:
                    _add(lives, (code,), (0, killmails, 0, 0, 0, points, 0, isk, npc, npc_isk, solo))
        await self._save(
            connection, TOTAL_STAT, [((code & KIND_MASK, code >> KIND_BITS), counts) for code, counts in lives.items()]
        )
        activity = [
            ((key >> SLOT_BITS & KIND_MASK, key >> SLOT_BITS + KIND_BITS, key & SLOT_MASK), counts)
            for key, counts in self._activity.items()
        ]
        await self._save(connection, ACTIVITY_STAT, activity)

    async def _save(
        self, connection: Connection, table: Table, unordered: Iterable[tuple[tuple[Any, ...], list[int]]]
    ) -> None:
        # What is taken away and added again alike changes nothing. Keys are never equal: no counts are compared.
        rows = sorted(row for row in unordered if any(row[1]))
        if not rows:
            return
        keys = list(zip(*(key for key, _ in rows), strict=True))
        await connection.execute(table.upsert, *keys, *zip(*(counts for _, counts in rows), strict=True))
        if self._takes_away:
            await connection.execute(table.sweep, *keys)


def counts_of(points: int, value_cents: int, *, is_solo: bool, is_npc: bool) -> Counts:
    """Return what a killmail counts for in a posting."""
    return (1, value_cents, points, int(is_solo), 0, int(is_npc), value_cents * is_npc)


def _keys(codes: Iterable[int], side: Side) -> Iterator[Key]:
    number = int(side)
    return ((code, number) for code in codes)


def slot_of(at: datetime) -> int:
    """Return the hour of the week, from 0 for Monday 00:00. at: in UTC."""
    return at.weekday() * 24 + at.hour


def _ranked(codes: Iterable[int]) -> Iterable[int]:
    return (code for code in codes if code & KIND_MASK in _SYSTEM_KINDS)


def _in_slot(codes: Iterable[int], slot: int) -> Iterable[int]:
    return (code << SLOT_BITS | slot for code in codes if code & KIND_MASK in _ACTIVITY_KINDS)


def _add(sums: dict[int, list[int]], keys: Iterable[int], counts: Sequence[int]) -> None:
    changes = [(index, count) for index, count in enumerate(counts) if count]
    for key in keys:
        found = sums.get(key)
        if found is None:
            sums[key] = list(counts)
        else:
            for index, count in changes:
                found[index] += count
