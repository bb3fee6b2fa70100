"""Pages of the killmails of many entities, places or hulls at once: as many statements as for one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.killmail.filters.tree import Condition, Every, KillmailFilter
from killreport.killmail.lists.days import FIRST_DAYS, Span, known_days
from killreport.killmail.lists.page import Cursor, Page
from killreport.killmail.postings.codes import Side, code_of
from killreport.killmail.postings.packing import unpack_ids
from killreport.killmail.postings.sets import Key
from killreport.killmail.postings.table import DaySets, read_days, read_nearest
from killreport.killmail.stored.queries import KILLMAIL_ROW, MAX_PAGE, KillmailRow, killmail_row

# Of all together: an answer is held in memory as a whole.
MAX_ROWS = 5_000
RELATED_BEFORE = timedelta(hours=1)
RELATED_AFTER = timedelta(hours=2)
_ROWS = """
    select * from (
        select wanted.place, {columns}, row_number() over (
            partition by wanted.place order by k.killmail_time {direction}, k.killmail_id {direction}) as number
        from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
             as wanted (place, killmail_id, since, until)
        join killmail k using (killmail_id)
        where (wanted.since is null or k.killmail_time >= wanted.since)
          and (wanted.until is null or k.killmail_time < wanted.until) {beyond}
    ) numbered where number <= $5 order by place, number
"""


class Sides(Enum):
    """On which side of a kill an entity was."""

    KILLS = (Side.KILLER,)
    LOSSES = (Side.VICTIM,)
    EITHER = (Side.KILLER, Side.VICTIM)


@dataclass(slots=True)
class _List:
    """One of the lists while it is read: what is left of its days, and the ids that came of the others."""

    keys: Sequence[Key]
    span: Span
    ids: set[int] = field(default_factory=set)


async def list_killmails_of(
    connection: Connection,
    kind: EntityKind,
    entity_ids: Collection[int],
    sides: Sides,
    *,
    size: int,
    cursor: Cursor | None = None,
    is_forward: bool = True,
) -> dict[int, Page]:
    """Return of each entity the `size` killmails after the cursor, or before it, by id; newest first.

    A place's killmails are its kills. Raises ValueError for a size that is not 1 to MAX_PAGE, Refused where more than
    MAX_ROWS killmails could come of it.
    """
    if not 1 <= size <= MAX_PAGE:
        raise ValueError(f"a size from 1 to {MAX_PAGE} is needed")
    ids = sorted(set(entity_ids))
    if size * len(ids) > MAX_ROWS:
        raise Refused(f"{size} killmails of each of {len(ids)} are more than {MAX_ROWS}: ask for fewer.")
    span = Span()
    if cursor is not None:
        assert isinstance(cursor.key, datetime)
        span = span.up_to(cursor.key, is_newest_first=is_forward)
    lists = {id_: _List([(code_of(kind, id_), int(side)) for side in sides.value], span) for id_ in ids}
    found: dict[int, list[KillmailRow]] = {id_: [] for id_ in ids}
    days = FIRST_DAYS
    while waiting := {id_: one for id_, one in lists.items() if not one.span.is_empty and len(found[id_]) <= size}:
        await _read_on(connection, list(waiting.values()), days, size, is_newest_first=is_forward)
        wanted = [(id_, killmail_id, None, None) for id_, one in waiting.items() for killmail_id in one.ids]
        for id_, rows in (await _rows(connection, wanted, size + 1, cursor, is_newest_first=is_forward)).items():
            found[id_] += rows
        days *= 8
    return {id_: Page.cut(rows, size, is_forward=is_forward) for id_, rows in found.items()}


async def list_newest_ids(
    connection: Connection, keys_of: Mapping[int, Sequence[Key]], first: date, most: int
) -> dict[int, list[int]]:
    """Return by id the killmails of its postings from the day `first` on: of whole days, the newest, until `most`."""
    lists = {id_: _List(keys, Span(first)) for id_, keys in keys_of.items()}
    found: dict[int, list[int]] = {id_: [] for id_ in keys_of}
    days = FIRST_DAYS
    while waiting := {id_: one for id_, one in lists.items() if not one.span.is_empty and len(found[id_]) < most}:
        await _read_on(connection, list(waiting.values()), days, most, is_newest_first=True)
        for id_, one in waiting.items():
            found[id_] += one.ids
        days *= 8
    return found


async def list_related(
    connection: Connection,
    killmails: Sequence[KillmailRow],
    limit: int,
    cursor: Cursor | None = None,
    *,
    is_forward: bool = True,
) -> list[Page]:
    """Return of each killmail a page of what died in its system from an hour before to two hours after, oldest first.

    Source of the window: zKillboard's related kills.
    limit: 1 to MAX_PAGE of each. cursor: read on after it; not forward, read back before it, or from the end.
    """
    wanted = []
    for place, (row, ids) in enumerate(zip(killmails, await related_ids(connection, killmails), strict=True)):
        since, until = row.killmail_time - RELATED_BEFORE, row.killmail_time + RELATED_AFTER
        wanted += [(place, killmail_id, since, until) for killmail_id in ids]
    found = await _rows(connection, wanted, limit + 1, cursor, is_newest_first=not is_forward)
    return [Page.cut(found.get(place, []), limit, is_forward=is_forward) for place in range(len(killmails))]


def related_to(killmail: KillmailRow) -> KillmailFilter:
    """Return the filter of what `list_related` lists."""
    return KillmailFilter(
        Every(
            (
                Condition("system", (killmail.solar_system_id,)),
                Condition("from", killmail.killmail_time - RELATED_BEFORE),
                Condition("to", killmail.killmail_time + RELATED_AFTER),
            )
        )
    )


async def related_ids(connection: Connection, killmails: Sequence[KillmailRow]) -> list[list[int]]:
    """Return of each killmail what died in its system on the days its window of related kills lies in."""
    keys, days = set(), set()
    asked = []
    for row in killmails:
        key = (code_of(EntityKind.SOLAR_SYSTEM, row.solar_system_id), int(Side.KILLER))
        window = {(row.killmail_time - RELATED_BEFORE).date(), (row.killmail_time + RELATED_AFTER).date()}
        keys.add(key)
        days |= window
        asked.append((key, window))
    sets = DaySets()
    await read_days(connection, sorted(keys), days, sets)
    return [[killmail_id for day in window for killmail_id in sets.of(day, key)] for key, window in asked]


async def _read_on(
    connection: Connection, lists: Sequence[_List], days: int, size: int, *, is_newest_first: bool
) -> None:
    """Read the next days of each list, and keep what they have."""
    by_span: dict[Span, list[_List]] = {}
    for one in lists:
        by_span.setdefault(one.span, []).append(one)
    for span, together in by_span.items():
        keys = [key for one in together for key in one.keys]
        nearest = await read_nearest(connection, keys, span.first, span.last, days, is_newest_first=is_newest_first)
        for one in together:
            _keep(one, [nearest[key] for key in one.keys], days, size, is_newest_first=is_newest_first)


def _keep(one: _List, nearest: Sequence[Mapping[date, bytes]], limit: int, size: int, *, is_newest_first: bool) -> None:
    """Keep the ids of the days up to which all postings of the list are known, and no more days than a page needs."""
    days, rest = known_days(nearest, limit, one.span, is_newest_first=is_newest_first)
    one.ids = set()
    for index, day in enumerate(days):
        # The nearest day may lie on the wrong side of the cursor with some or all of its killmails.
        if index > 1 and len(one.ids) > 2 * size:
            rest = one.span.beyond(days[index - 1], is_newest_first=is_newest_first)
            break
        for postings in nearest:
            if day in postings:
                one.ids.update(unpack_ids(postings[day]))
    one.span = rest


async def _rows(
    connection: Connection,
    wanted: Sequence[tuple[int, int, datetime | None, datetime | None]],
    limit: int,
    cursor: Cursor | None,
    *,
    is_newest_first: bool,
) -> dict[int, list[KillmailRow]]:
    """Return by list its first rows beyond the cursor, of these ids, each with the list it is of and its times."""
    direction, sign = ("desc", "<") if is_newest_first else ("asc", ">")
    beyond = "" if cursor is None else f"and (k.killmail_time, killmail_id) {sign} ($6::timestamptz, $7::bigint)"
    statement = _ROWS.format(columns=KILLMAIL_ROW, direction=direction, beyond=beyond)
    columns = [[row[column] for row in wanted] for column in range(4)]
    found: dict[int, list[KillmailRow]] = {row[0]: [] for row in wanted}
    for place, *row, _ in await connection.fetch(statement, *columns, limit, *(cursor or ())):
        found[place].append(killmail_row(row))
    return found
