"""What one killmail adds to the figures of everybody and everything it names.

An entity counts once a killmail, however many of its members took part. A kill counts for every attacker's side, a
loss for the victim's; a place counts its killmails as kills. Upserts are sorted by key, so that two writers can
never wait for each other in a circle.

Three levels are kept of the same count: a day (`killreport.killmail.postings`, with the ids), a day in a solar system
(`system_figures`, of those who are ranked by place), and the whole life (`total_stat`, with the hours of the week in
its column `activity`). Rows of a whole life are shared by writers of different days, so they are written last before
the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, TypeAlias

from killreport.db.database import Connection
from killreport.killmail.postings.changes import SUMS, PostingChanges
from killreport.killmail.postings.codes import KIND_BITS, KIND_MASK, MAX_ENTITY_KIND, Side
from killreport.killmail.postings.sets import Key
from killreport.killmail.stored.activity import LONGEST, ActivityChanges, shorten, slot_of
from killreport.killmail.stored.named import Named
from killreport.killmail.stored.system_days import save_figures
from killreport.killmail.stored.system_figures import SYSTEM_KINDS, join

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

Counts: TypeAlias = tuple[int, ...]  # as `killreport.killmail.postings.changes.SUMS` names them
# Plain numbers, asked for every code of every killmail.
_SYSTEM_KINDS = frozenset(map(int, SYSTEM_KINDS))


@dataclass(frozen=True, slots=True)
class Table:
    """A rollup: its key with the types of the columns, its counts, and the statements that change it.

    logs: columns of bytes, to which a change is joined at the end.
    """

    name: str
    key: Mapping[str, str]
    counts: Sequence[str]
    logs: Sequence[str] = ()

    @property
    def upsert(self) -> str:
        names = ", ".join((*self.key, *self.counts, *self.logs))
        types = [*self.key.values(), *["bigint"] * len(self.counts), *["bytea"] * len(self.logs)]
        columns = ", ".join(f"${index}::{type_}[]" for index, type_ in enumerate(types, 1))
        sums = [f"{name} = {self.name}.{name} + excluded.{name}" for name in self.counts]
        sums += [f"{name} = {self.name}.{name} || excluded.{name}" for name in self.logs]
        # Only names of our own tables and columns are put into the text, here and below.
        return f"""insert into {self.name} ({names}) select * from unnest({columns})
            on conflict ({", ".join(self.key)}) do update set {", ".join(sums)}"""  # noqa: S608

    @property
    def sweep(self) -> str:
        """Delete those of the rows that count nothing any more: a recount would not have them."""
        columns = ", ".join(f"${index}::{type_}[]" for index, type_ in enumerate(self.key.values(), 1))
        nothing = " and ".join(f"{self.name}.{name} = 0" for name in self.counts)
        same = " and ".join(f"{self.name}.{name} = emptied.{name}" for name in self.key)
        return f"""delete from {self.name} using unnest({columns}) as emptied({", ".join(self.key)})
            where {same} and {nothing}"""  # noqa: S608


DAILY_TOTAL = Table("daily_total", {"day": "date"}, ("killmails", "total_value_cents"))
TOTAL_STAT = Table("total_stat", {"entity_kind": "smallint", "entity_id": "bigint"}, COUNTS, logs=("activity",))
_SAVE_TOTALS = f"""with saved as ({TOTAL_STAT.upsert} returning entity_kind, entity_id, activity)
    select entity_kind, entity_id, activity from saved where length(activity) > {LONGEST}"""  # noqa: S608


class Rollup:
    """Sums the figures of a batch in memory; the `save_*` add them to the database in the caller's transaction."""

    def __init__(self) -> None:
        self._postings = PostingChanges()
        self._systems: dict[tuple[int, date], dict[int, int]] = {}
        self._activity = ActivityChanges()
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
        counts = tuple(times * count for count in counts_of(points, value_cents, is_solo=is_solo, is_npc=is_npc))
        points *= times
        value_cents *= times
        total = self._totals.setdefault(day, [0, 0])
        total[0] += times
        total[1] += value_cents
        postings = self._postings
        postings.add(day, killmail_id, _keys((*named.killers, *named.places, *named.marks), Side.KILLER), counts)
        postings.add(day, killmail_id, _keys(named.victims, Side.VICTIM), counts)
        postings.add_final_blows(day, _keys(named.final_blow, Side.KILLER), times)
        there = self._systems.setdefault((solar_system_id, day), {})
        _add_joined(there, named.killers, join((times, 0, times * is_solo, points, value_cents, 0)))
        _add_joined(there, named.victims, join((0, times, 0, 0, 0, value_cents)))
        slot = slot_of(at)
        self._activity.add(chain(named.killers, named.places), slot, times)
        self._activity.add(named.victims, slot, times, is_loss=True)

    def exchange(self, day: date, killmail_id: int, gone: Iterable[int], come: Iterable[int], counts: Counts) -> None:
        """Have a killmail found by other marks than before. counts: what it counts for in every posting."""
        self._postings.add(day, killmail_id, _keys(gone, Side.KILLER), tuple(-count for count in counts))
        self._postings.add(day, killmail_id, _keys(come, Side.KILLER), counts)

    async def save_days(self, connection: Connection) -> None:
        """Add the sums of days to the stored ones. Not idempotent: the caller's transaction makes it happen once.

        The caller holds the days (`killreport.killmail.postings.changes.hold_days`).
        """
        await self._postings.save(connection)
        await self._save(connection, DAILY_TOTAL, [((day,), counts) for day, counts in self._totals.items()])
        await save_figures(connection, self._systems, takes_away=self._takes_away)

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
        logs = self._activity.logs()
        totals = [
            ((code & KIND_MASK, code >> KIND_BITS), [*counts, logs.get(code, b"")]) for code, counts in lives.items()
        ]
        await shorten(connection, await self._save(connection, TOTAL_STAT, totals, _SAVE_TOTALS))

    async def _save(
        self,
        connection: Connection,
        table: Table,
        unordered: Iterable[tuple[tuple[Any, ...], Sequence[Any]]],
        statement: str | None = None,
    ) -> Sequence[Any]:
        """Add the rows and return what the statement does, which is the table's upsert unless it is given."""
        # What is taken away and added again alike changes nothing. Keys are never equal: no counts are compared.
        rows = sorted(row for row in unordered if any(row[1]))
        if not rows:
            return ()
        keys = list(zip(*(key for key, _ in rows), strict=True))
        columns = zip(*(counts for _, counts in rows), strict=True)
        returned: Sequence[Any] = await connection.fetch(statement or table.upsert, *keys, *columns)
        if self._takes_away:
            await connection.execute(table.sweep, *keys)
        return returned


def counts_of(points: int, value_cents: int, *, is_solo: bool, is_npc: bool) -> Counts:
    """Return what a killmail counts for in a posting."""
    return (1, value_cents, points, int(is_solo), 0, int(is_npc), value_cents * is_npc)


def _keys(codes: Iterable[int], side: Side) -> Iterator[Key]:
    number = int(side)
    return ((code, number) for code in codes)


def _add_joined(sums: dict[int, int], codes: Iterable[int], joined: int) -> None:
    for code in codes:
        if code & KIND_MASK in _SYSTEM_KINDS:
            sums[code] = sums.get(code, 0) + joined


def _add(sums: dict[int, list[int]], keys: Iterable[int], counts: Sequence[int]) -> None:
    changes = [(index, count) for index, count in enumerate(counts) if count]
    for key in keys:
        found = sums.get(key)
        if found is None:
            sums[key] = list(counts)
        else:
            for index, count in changes:
                found[index] += count
