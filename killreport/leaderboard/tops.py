"""Whom an entity kills, where and with what: counted over its newest killmails, never over all of its history.

A bounded read instead of a rollup: one row for every pair of those who met would be several times as large as the
facts, and most pairs meet once. `Tops.since` says how far back the count goes, so that a page can say it too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.eve.universe import Universe
from killreport.killmail.rollup import code_of
from killreport.leaderboard.model import Window, first_day

MOST_KILLMAILS = 2000  # of the kills, and as many of the losses

_KILLS = f"""
    with newest as materialized (
        select killmail_id, killmail_time from killed_by where code = $1 and killmail_time >= $2
        order by killmail_time desc, killmail_id desc limit {MOST_KILLMAILS})
    select killmail_id, newest.killmail_time, solar_system_id, region_id, victim_character_id, victim_corporation_id,
           victim_alliance_id
    from newest join killmail using (killmail_id) order by newest.killmail_time desc, killmail_id desc
"""  # noqa: S608 - a number of ours
_LOSSES = f"""
    select ship_group_id, killmail_time from killmail where victim_{{column}} = $1 and killmail_time >= $2
    order by killmail_time desc, killmail_id desc limit {MOST_KILLMAILS}
"""  # noqa: S608

_COLUMNS = {EntityKind.CHARACTER: "character_id", EntityKind.CORPORATION: "corporation_id"}
_COLUMNS[EntityKind.ALLIANCE] = "alliance_id"


@dataclass(frozen=True, slots=True)
class Top:
    """One line of a list: how many killmails, or for hulls and weapons how many pilots with it."""

    entity_id: int
    killmails: int


@dataclass(frozen=True, slots=True)
class Tops:
    """The lists, each with its longest first. since: the time of the oldest killmail counted, None without any.

    is_whole: whether that is all of the window. groups_used and groups_lost: groups of hulls.
    """

    since: datetime | None
    is_whole: bool
    characters: Sequence[Top]
    corporations: Sequence[Top]
    alliances: Sequence[Top]
    solar_systems: Sequence[Top]
    regions: Sequence[Top]
    ship_types: Sequence[Top]
    weapons: Sequence[Top]
    groups_used: Sequence[Top]
    groups_lost: Sequence[Top]


async def list_tops(
    connection: Connection,
    kind: EntityKind,
    entity_id: int,
    window: Window,
    *,
    today: date,
    universe: Universe,
    limit: int = 10,
) -> Tops:
    """Return the lists of a character, a corporation or an alliance; Refused for anything else.

    Reads the newest MOST_KILLMAILS kills and as many losses of the window, off the indexes that the lists use.
    """
    column = _COLUMNS.get(kind)
    if column is None:
        raise Refused("Only characters, corporations and alliances have lists of whom they kill.")
    first = first_day(window, today)
    since = datetime.min.replace(tzinfo=UTC) if first is None else datetime.combine(first, time(), UTC)
    kills = await connection.fetch(_KILLS, code_of(kind, entity_id), since)
    losses = await connection.fetch(_LOSSES.format(column=column), entity_id, since)
    pilots = await connection.fetch(
        f"""select ship_type_id, weapon_type_id from attacker
            where killmail_id = any($1::bigint[]) and {column} = $2""",  # noqa: S608 - a column of our own
        [row["killmail_id"] for row in kills],
        entity_id,
    )
    lists = [
        _count([row[name] for row in kills], limit)
        for name in (
            *("victim_character_id", "victim_corporation_id", "victim_alliance_id"),
            *("solar_system_id", "region_id"),
        )
    ]
    lists += [_count([row[name] for row in pilots], limit) for name in ("ship_type_id", "weapon_type_id")]
    lists.append(_count([universe.group_id_of(row["ship_type_id"]) for row in pilots], limit))
    lists.append(_count([row["ship_group_id"] for row in losses], limit))
    times = [rows[-1]["killmail_time"] for rows in (kills, losses) if rows]
    is_whole = max(len(kills), len(losses)) < MOST_KILLMAILS
    return Tops(min(times, default=None), is_whole, *lists)


def _count(ids: Sequence[int | None], limit: int) -> list[Top]:
    counts = Counter(id_ for id_ in ids if id_ is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Top(*item) for item in ordered[:limit]]
