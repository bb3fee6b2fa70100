"""Whom an entity kills, where and with what: counted over its newest killmails, never over all of its history.

A bounded read instead of a rollup: one row for every pair of those who met would be several times as large as the
facts, and most pairs meet once. `Tops.since` says how far back the count goes, so that a page can say it too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.eve.universe import Universe
from killreport.killmail.lists.of_many import list_newest_ids
from killreport.killmail.postings.codes import Side, code_of
from killreport.killmail.postings.sets import Key
from killreport.leaderboard.model import Window, first_day

MAX_KILLMAILS = 2000  # of the kills, and as many of the losses
MAX_TOGETHER = 20_000  # of all that are asked for at once, shared equally

# `offset 0` keeps the planner from joining all at once: it takes the bounded part for a large one, and would read whole
# tables to save some thousand looks into an index.
_NEWEST = """
    select id, killmail_id, killmail_time, solar_system_id, region_id, ship_group_id, victim_character_id,
           victim_corporation_id, victim_alliance_id
    from (select wanted.id, mail.*, row_number() over (
              partition by wanted.id order by mail.killmail_time desc, mail.killmail_id desc) as number
          from unnest($1::bigint[], $2::bigint[]) as wanted (id, killmail_id) cross join lateral (
              select * from killmail where killmail.killmail_id = wanted.killmail_id offset 0) mail) numbered
    where number <= $3 order by killmail_time desc, killmail_id desc
"""
_PILOTS = """
    select wanted.id, pilot.* from unnest($1::bigint[], $2::bigint[]) as wanted (id, killmail_id) cross join lateral (
        select ship_type_id, weapon_type_id from attacker
        where attacker.killmail_id = wanted.killmail_id and {column} = wanted.id offset 0) pilot
"""

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
    is_complete: bool
    characters: Sequence[Top]
    corporations: Sequence[Top]
    alliances: Sequence[Top]
    solar_systems: Sequence[Top]
    regions: Sequence[Top]
    ship_types: Sequence[Top]
    weapons: Sequence[Top]
    groups_used: Sequence[Top]
    groups_lost: Sequence[Top]


async def list_tops_of(
    connection: Connection,
    kind: EntityKind,
    entity_ids: Collection[int],
    window: Window,
    *,
    today: date,
    universe: Universe,
    limit: int = 10,
) -> dict[int, Tops]:
    """Return by id the lists of characters, corporations or alliances, in a few statements; Refused for other kinds.

    Reads the newest MAX_KILLMAILS kills and as many losses of the window.
    Of more than ten the count goes less far back for each: together they read MAX_TOGETHER kills and losses.
    """
    column = _COLUMNS.get(kind)
    if column is None:
        raise Refused("Only characters, corporations and alliances have top lists.")
    first = first_day(window, today)
    ids = sorted(set(entity_ids))
    most = min(MAX_KILLMAILS, MAX_TOGETHER // max(len(ids), 1))
    kills, losses = [
        await _newest(connection, {id_: [(code_of(kind, id_), int(side))] for id_ in ids}, first or date.min, most)
        for side in (Side.KILLER, Side.VICTIM)
    ]
    pilots = await connection.fetch(
        _PILOTS.format(column=column), [row["id"] for row in kills], [row["killmail_id"] for row in kills]
    )
    killed, lost, flown = (_by_id(rows) for rows in (kills, losses, pilots))
    return {
        entity_id: _tops(_Read(killed[entity_id], lost[entity_id], flown[entity_id], most), universe, limit)
        for entity_id in ids
    }


@dataclass(frozen=True, slots=True)
class _Read:
    """The rows of one entity, and how many kills or losses were read at most."""

    kills: Sequence[Any]
    losses: Sequence[Any]
    pilots: Sequence[Any]
    most: int


async def _newest(connection: Connection, keys: Mapping[int, Sequence[Key]], first: date, most: int) -> Sequence[Any]:
    newest = await list_newest_ids(connection, keys, first, most)
    pairs = [(id_, killmail_id) for id_, ids in newest.items() for killmail_id in ids]
    rows: Sequence[Any] = await connection.fetch(_NEWEST, [id_ for id_, _ in pairs], [one for _, one in pairs], most)
    return rows


def _by_id(rows: Sequence[Any]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["id"]].append(row)
    return found


def _tops(read: _Read, universe: Universe, limit: int) -> Tops:
    kills, losses, pilots = read.kills, read.losses, read.pilots
    lists = [
        count_ids([row[name] for row in kills], limit)
        for name in (
            *("victim_character_id", "victim_corporation_id", "victim_alliance_id"),
            *("solar_system_id", "region_id"),
        )
    ]
    lists += [count_ids([row[name] for row in pilots], limit) for name in ("ship_type_id", "weapon_type_id")]
    lists.append(count_ids([universe.group_id_of(row["ship_type_id"]) for row in pilots], limit))
    lists.append(count_ids([row["ship_group_id"] for row in losses], limit))
    times = [min(row["killmail_time"] for row in rows) for rows in (kills, losses) if rows]
    return Tops(min(times, default=None), max(len(kills), len(losses)) < read.most, *lists)


def count_ids(ids: Iterable[int | None], limit: int) -> list[Top]:
    """Return how often each id is there, the most frequent first, at most `limit` of them; None is nobody."""
    counts = Counter(id_ for id_ in ids if id_ is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Top(*item) for item in ordered[:limit]]
