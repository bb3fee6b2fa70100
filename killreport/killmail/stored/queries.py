"""Reads of killmails, for the API and the feeds. Every list is bounded and walks an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from killreport.db.database import Connection
from killreport.market.price import PriceRule

MAX_PAGE = 200
EVENT_PAGE = 100

Row = TypeVar("Row")
Part = TypeVar("Part", bound=msgspec.Struct)


class KillmailRow(msgspec.Struct, frozen=True, gc=False):
    """The wide row of one killmail. Money is in hundredths of an ISK, damage in hit points, positions in metres.

    is_value_complete: False where some of it has no known price, so that it was worth at least what the values say.
    """

    killmail_id: int
    hash: bytes
    killmail_time: datetime
    solar_system_id: int
    constellation_id: int | None
    region_id: int | None
    war_id: int | None
    victim_character_id: int | None
    victim_corporation_id: int | None
    victim_alliance_id: int | None
    victim_faction_id: int | None
    ship_type_id: int
    ship_group_id: int | None
    damage_taken: int
    position_x: float | None
    position_y: float | None
    position_z: float | None
    final_blow_character_id: int | None
    final_blow_corporation_id: int | None
    final_blow_alliance_id: int | None
    final_blow_faction_id: int | None
    final_blow_ship_type_id: int | None
    final_blow_weapon_type_id: int | None
    attacker_count: int
    player_count: int
    ship_value_cents: int
    ship_price_rule: int
    fitted_value_cents: int
    dropped_value_cents: int
    destroyed_value_cents: int
    total_value_cents: int
    is_value_complete: bool
    points: int
    is_npc: bool
    is_solo: bool
    is_awox: bool
    labels: list[str]
    stored_at: datetime
    is_history: bool = False
    location_id: int | None = None

    @property
    def known_ship_value_cents(self) -> int | None:
        """Return the price of the hull, None where none is known."""
        return _known(self.ship_value_cents, self.ship_price_rule)

    @property
    def is_worth_known(self) -> bool:
        """Tell whether the values are those of all of it. A row of an older release tells of its hull alone."""
        return self.is_value_complete and self.ship_price_rule != PriceRule.UNKNOWN


class AttackerRow(msgspec.Struct, frozen=True, gc=False):
    """One party to a kill, in the order of the source."""

    killmail_id: int
    ordinal: int
    is_final_blow: bool
    character_id: int | None
    corporation_id: int | None
    alliance_id: int | None
    faction_id: int | None
    ship_type_id: int | None
    weapon_type_id: int | None
    damage_done: int
    security_status: float | None


class ItemRow(msgspec.Struct, frozen=True, gc=False):
    """One item of the victim; `parent_ordinal` is the container it was in."""

    killmail_id: int
    ordinal: int
    parent_ordinal: int | None
    flag: int
    price_rule: int
    type_id: int
    singleton: int
    quantity_dropped: int
    quantity_destroyed: int
    unit_price_cents: int

    @property
    def known_price_cents(self) -> int | None:
        """Return the price of one, None where none is known."""
        return _known(self.unit_price_cents, self.price_rule)


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """What one transaction did: it `stored` new killmails, new ones that are `history`, or `changed` known ones."""

    event_id: int
    kind: str
    killmail_ids: list[int]


class FeedStatus(msgspec.Struct, frozen=True, gc=False):
    """How much is stored and how far the feed is; None where nothing has happened yet."""

    killmail_count: int
    last_stored_at: datetime | None
    feed_sequence: int | None
    feed_updated_at: datetime | None


def _known(cents: int, rule: int) -> int | None:
    # By the rule: older releases stored a cent for what nobody knows a price of.
    return None if rule == PriceRule.UNKNOWN else cents


def _columns(row: type[msgspec.Struct]) -> str:
    return ", ".join(row.__struct_fields__)


async def get_killmails(connection: Connection, killmail_ids: Collection[int]) -> list[KillmailRow]:
    """Return the killmails with these ids, oldest first; ids that are not stored are left out."""
    rows = await connection.fetch(
        f"select {_columns(KillmailRow)} from killmail "  # noqa: S608
        "where killmail_id = any($1::bigint[]) order by killmail_time, killmail_id",
        list(killmail_ids),
    )
    return [KillmailRow(*row) for row in rows]


async def get_with_parts(
    connection: Connection, killmail_id: int, *, attackers: bool, items: bool
) -> tuple[KillmailRow, list[AttackerRow], list[ItemRow]] | None:
    """Return a killmail with its attackers and items, as far as asked for; None where it is not stored.

    One statement: three would take three times as long one after the other, and longer still beside each other.
    """
    row = await connection.fetchrow(
        f"select {_columns(KillmailRow)}, "  # noqa: S608
        f"{_part(AttackerRow, 'attacker') if attackers else 'null'}, {_part(ItemRow, 'item') if items else 'null'} "
        "from killmail where killmail_id = $1",
        killmail_id,
    )
    if row is None:
        return None
    *values, found_attackers, found_items = row
    return (
        KillmailRow(*values),
        [AttackerRow(*part) for part in found_attackers or ()],
        [ItemRow(*part) for part in found_items or ()],
    )


def _part(row: type[msgspec.Struct], table: str) -> str:
    return f"array(select row({_columns(row)}) from {table} where killmail_id = $1 order by ordinal)"  # noqa: S608


def _by_killmail(rows: Iterable[Sequence[Any]], make: Callable[..., Row]) -> Mapping[int, list[Row]]:
    """Return rows by the id of their killmail, which is their first column; an empty list for any other id."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(make(*row))
    return found


async def list_attackers(connection: Connection, killmail_ids: Collection[int]) -> Mapping[int, list[AttackerRow]]:
    """Return all attackers of these killmails by killmail id, in the order of the source."""
    return await _list_parts(connection, AttackerRow, "attacker", killmail_ids)


async def list_items(connection: Connection, killmail_ids: Collection[int]) -> Mapping[int, list[ItemRow]]:
    """Return all items of these killmails by killmail id, containers before their contents."""
    return await _list_parts(connection, ItemRow, "item", killmail_ids)


async def _list_parts(
    connection: Connection, part: type[Part], table: str, killmail_ids: Collection[int]
) -> Mapping[int, list[Part]]:
    rows = await connection.fetch(
        f"select {_columns(part)} from {table} "  # noqa: S608
        "where killmail_id = any($1::bigint[]) order by killmail_id, ordinal",
        list(killmail_ids),
    )
    return _by_killmail(rows, part)


async def list_some_attackers(connection: Connection, places: Mapping[int, range]) -> Mapping[int, list[AttackerRow]]:
    """Return some attackers of killmails by killmail id, in the order of the source. places: theirs in that order."""
    rows = await connection.fetch(
        f"select {_columns(AttackerRow)} "  # noqa: S608
        "from unnest($1::bigint[], $2::int[], $3::int[]) as asked(killmail_id, low, high) "
        "join attacker using (killmail_id) where ordinal >= low and ordinal < high order by killmail_id, ordinal",
        list(places),
        [place.start for place in places.values()],
        [place.stop for place in places.values()],
    )
    return _by_killmail(rows, AttackerRow)


async def list_top_damage(connection: Connection, killmail_ids: Collection[int]) -> Mapping[int, AttackerRow]:
    """Return by killmail id who did the most damage; of several, the first in the source's order."""
    rows = await connection.fetch(
        f"select distinct on (killmail_id) {_columns(AttackerRow)} from attacker "  # noqa: S608
        "where killmail_id = any($1::bigint[]) order by killmail_id, damage_done desc, ordinal",
        list(killmail_ids),
    )
    return {row[0]: AttackerRow(*row) for row in rows}


async def list_events(connection: Connection, after: int) -> list[EventRow]:
    """Return up to EVENT_PAGE events with a larger id than `after`, in order; fewer means there are no more now."""
    rows = await connection.fetch(
        f"select {_columns(EventRow)} from event where event_id > $1 "  # noqa: S608
        f"order by event_id limit {EVENT_PAGE}",
        after,
    )
    return [EventRow(*row) for row in rows]


async def newest_event_id(connection: Connection) -> int:
    """Return the id of the newest event, 0 where there is none."""
    found: int | None = await connection.fetchval("select max(event_id) from event")
    return found or 0


async def feed_status(connection: Connection) -> FeedStatus:
    """Return how much is stored and how far the feed is. The count comes from the daily totals, not from the facts."""
    row = await connection.fetchrow(
        """select (select coalesce(sum(killmails), 0)::bigint from daily_total) as killmail_count,
                  (select at from event where kind <> 'changed' order by event_id desc limit 1) as last_stored_at,
                  feed.next_sequence - 1 as feed_sequence,
                  feed.updated_at as feed_updated_at
             from (select 1) as one
             left join (select next_sequence, updated_at from feed_cursor where feed not like 'import:%'
                         order by updated_at desc limit 1) as feed
               on true"""
    )
    return FeedStatus(*row)


async def newest_killmail_time(connection: Connection) -> datetime | None:
    """Return when the newest stored killmail happened, None before the first."""
    found: datetime | None = await connection.fetchval(
        "select killmail_time from killmail order by killmail_time desc, killmail_id desc limit 1"
    )
    return found
