"""Reads of killmails, for the API and the feeds. Every list is bounded and walks an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from killreport.db.database import Connection
from killreport.killmail.mail.hash import hash_of
from killreport.killmail.mail.label_numbers import unpack_labels
from killreport.killmail.stored.packed import unpack_attackers, unpack_items
from killreport.market.price import PriceRule

MAX_PAGE = 200
EVENT_PAGE = 100

Part = TypeVar("Part", bound=msgspec.Struct)


class KillmailRow(msgspec.Struct, frozen=True, gc=False):
    """The wide row of one killmail. Money is in hundredths of an ISK, damage in hit points, positions in metres.

    is_value_complete: False where some of it has no known price, so that it was worth at least what the values say.
    """

    killmail_id: int
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
    def hash(self) -> bytes:
        """Return the 20 bytes of ESI's hash, which follows from the rest."""
        return hash_of(self.victim_character_id, self.final_blow_character_id, self.ship_type_id, self.killmail_time)

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


# What `killmail_row` takes, as columns of `killmail k`.
KILLMAIL_ROW = ", ".join(f"k.{name}" for name in (*KillmailRow.__struct_fields__, "ship_category_id"))
_LABELS = KillmailRow.__struct_fields__.index("labels")


def killmail_row(values: Iterable[Any]) -> KillmailRow:
    """Return the row of what KILLMAIL_ROW selects."""
    *row, category_id = values
    row[_LABELS] = unpack_labels(row[_LABELS], category_id)
    return KillmailRow(*row)


def attacker_rows(killmail_id: int, packed: bytes, places: range | None = None) -> list[AttackerRow]:
    """Return the attackers that a killmail's column holds, or those of some places in their order."""
    values = unpack_attackers(packed)
    if places is not None:
        values = islice(values, places.start, places.stop)
    return [AttackerRow(killmail_id, *one) for one in values]


def item_rows(killmail_id: int, packed: bytes) -> list[ItemRow]:
    """Return the items that a killmail's column holds."""
    return [ItemRow(killmail_id, *one) for one in unpack_items(packed)]


async def get_killmails(connection: Connection, killmail_ids: Collection[int]) -> list[KillmailRow]:
    """Return the killmails with these ids, oldest first; ids that are not stored are left out."""
    rows = await connection.fetch(
        f"select {KILLMAIL_ROW} from killmail k "  # noqa: S608
        "where killmail_id = any($1::bigint[]) order by killmail_time, killmail_id",
        list(killmail_ids),
    )
    return [killmail_row(row) for row in rows]


async def get_with_parts(
    connection: Connection, killmail_id: int, *, attackers: bool, items: bool
) -> tuple[KillmailRow, list[AttackerRow], list[ItemRow]] | None:
    """Return a killmail with its attackers and items, as far as asked for; None where it is not stored."""
    row = await connection.fetchrow(
        f"select {KILLMAIL_ROW}, {'attackers' if attackers else 'null'}, {'items' if items else 'null'} "  # noqa: S608
        "from killmail k where killmail_id = $1",
        killmail_id,
    )
    if row is None:
        return None
    *values, packed_attackers, packed_items = row
    return (
        killmail_row(values),
        attacker_rows(killmail_id, packed_attackers or b""),
        item_rows(killmail_id, packed_items or b""),
    )


async def list_attackers(connection: Connection, killmail_ids: Collection[int]) -> Mapping[int, list[AttackerRow]]:
    """Return all attackers of these killmails by killmail id, in the order of the source."""
    return _by_killmail(await _fetch_packed(connection, "attackers", killmail_ids), attacker_rows)


async def list_items(connection: Connection, killmail_ids: Collection[int]) -> Mapping[int, list[ItemRow]]:
    """Return all items of these killmails by killmail id, containers before their contents."""
    return _by_killmail(await _fetch_packed(connection, "items", killmail_ids), item_rows)


async def list_some_attackers(connection: Connection, places: Mapping[int, range]) -> Mapping[int, list[AttackerRow]]:
    """Return some attackers of killmails by killmail id, in the order of the source. places: theirs in that order."""
    return _by_killmail(
        await _fetch_packed(connection, "attackers", places),
        lambda killmail_id, packed: attacker_rows(killmail_id, packed, places[killmail_id]),
    )


async def list_top_damage(connection: Connection, killmail_ids: Collection[int]) -> Mapping[int, AttackerRow]:
    """Return by killmail id who did the most damage; of several, the first in the source's order."""
    found = await list_attackers(connection, killmail_ids)
    # Of equals, `max` returns the first.
    return {killmail_id: max(rows, key=attrgetter("damage_done")) for killmail_id, rows in found.items()}


async def _fetch_packed(connection: Connection, column: str, killmail_ids: Collection[int]) -> list[tuple[int, bytes]]:
    rows: list[tuple[int, bytes]] = await connection.fetch(
        f"select killmail_id, {column} from killmail where killmail_id = any($1::bigint[])",  # noqa: S608
        list(killmail_ids),
    )
    return rows


def _by_killmail(
    rows: Iterable[tuple[int, bytes]], unpack: Callable[[int, bytes], list[Part]]
) -> Mapping[int, list[Part]]:
    """Return rows by the id of their killmail; an empty list for any other id."""
    found: defaultdict[int, list[Part]] = defaultdict(list)
    found.update((killmail_id, unpack(killmail_id, packed)) for killmail_id, packed in rows)
    return found


async def list_events(connection: Connection, after: int) -> list[EventRow]:
    """Return up to EVENT_PAGE events with a larger id than `after`, in order; fewer means there are no more now."""
    rows = await connection.fetch(
        f"select {', '.join(EventRow.__struct_fields__)} from event where event_id > $1 "  # noqa: S608
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
