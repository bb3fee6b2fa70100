"""One killmail as a row of a list, ready for the template; pages and the live stream render the same row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from killreport.web.amounts import AT_LEAST, clock, day_title, security_class, security_text, sum_full, sum_short
from killreport.web.images import Images, Tile
from killreport.web.labels import Badge, badges
from killreport.web.model import ApiKillRow
from killreport.web.parties import PartyLine, party_line, type_name

ICON_PIXELS = 40


@dataclass(frozen=True, slots=True)
class PlaceLabel:
    """Where it happened."""

    system: str
    region: str
    security: str
    security_class: str


@dataclass(frozen=True, slots=True)
class KillRowView:
    """A row of the list. `sort_key` orders rows as text does, newest first is descending.

    value_before: what has to be read before the value, where it is only the least.
    """

    id: int
    cursor: str
    sort_key: str
    day: str
    day_title: str
    time: str
    instant: str
    ship: str
    ship_group: str
    ship_tile: Tile
    place: PlaceLabel
    victim: PartyLine
    final_blow: PartyLine
    final_ship: str
    others: int
    attacker_count: int
    value_before: str
    value: str
    value_title: str
    badges: list[Badge]


@dataclass(frozen=True, slots=True)
class DayView:
    """The rows of one UTC day."""

    day: str
    title: str
    rows: list[KillRowView]


def row_view(row: ApiKillRow, images: Images) -> KillRowView:
    """Return the row as it is written."""
    ship = row.victim.ship_type
    worth, is_complete = row.values.total, row.values.is_complete
    value = sum_short(worth, is_complete=is_complete)
    blow = party_line(row.final_blow, images, ICON_PIXELS)
    final_ship = "" if row.final_blow.ship_type is None else type_name(row.final_blow.ship_type)
    return KillRowView(
        id=row.id,
        cursor=row.cursor,
        # Both halves have a fixed width, so that a script can compare them as text.
        sort_key=f"{int(row.time.timestamp()):012d}.{row.id:012d}",
        day=f"{row.time:%Y-%m-%d}",
        day_title=day_title(row.time),
        time=clock(row.time),
        instant=f"{row.time:%Y-%m-%dT%H:%M:%SZ}",
        ship=type_name(ship),
        ship_group="" if ship.group is None else ship.group.name or "",
        ship_tile=images.type_tile(ship, ICON_PIXELS),
        place=PlaceLabel(
            system=row.solar_system.name or f"System {row.solar_system.id}",
            region="" if row.solar_system.region is None else row.solar_system.region.name or "",
            security=security_text(row.solar_system.security),
            security_class=security_class(row.solar_system.security),
        ),
        victim=party_line(row.victim, images, ICON_PIXELS),
        final_blow=blow,
        final_ship="" if final_ship == blow.name else final_ship,
        others=row.attacker_count - 1,
        attacker_count=row.attacker_count,
        value_before=AT_LEAST if value.startswith(AT_LEAST) else "",
        value=value.removeprefix(AT_LEAST),
        value_title=sum_full(worth, is_complete=is_complete, unit=" ISK"),
        badges=badges(row.labels, is_solo=row.solo, is_npc=row.npc, is_awox=row.awox),
    )


def by_day(rows: Sequence[KillRowView]) -> list[DayView]:
    """Return rows that are in order of time, grouped by their UTC day."""
    days = []
    for day, group in groupby(rows, key=lambda row: row.day):
        inside = list(group)
        days.append(DayView(day, inside[0].day_title, inside))
    return days
