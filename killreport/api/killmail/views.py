"""Killmails as the schema shows them. Field names are the schema's, in snake_case.

Structs, since an answer makes thousands: they are made several times as fast as frozen dataclasses, and as none can be
in a circle, the collector need not look at them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from killreport.api.cursor import encode_cursor
from killreport.api.entity.views import CharacterView, EntityViews, NamedGroupView, load_entity_views
from killreport.api.killmail.batch import Parts
from killreport.api.killmail.parties import Party, final_blow_party, victim_party
from killreport.api.universe.views import NamedView, SolarSystemView, TypeView, UniverseViews
from killreport.db.database import Database
from killreport.eve.flags import bay_of, flag_name
from killreport.killmail.lists import Order, cursor_of
from killreport.killmail.queries import AttackerRow, ItemRow, KillmailRow
from killreport.market.price import PriceRule

# For people and programs to look up the same killmail; never the hosts of the settings, which may be a simulator.
_ZKILLBOARD = "https://zkillboard.com"
_ESI = "https://esi.evetech.net"

_PRICE_RULES = {rule.value: rule for rule in PriceRule}


class PositionView(msgspec.Struct, frozen=True, gc=False):
    """Metres from the star."""

    x: float
    y: float
    z: float


class VictimView(msgspec.Struct, frozen=True, gc=False):
    """Who lost what."""

    character: CharacterView | None
    corporation: NamedGroupView | None
    alliance: NamedGroupView | None
    faction: NamedView | None
    ship_type: TypeView
    damage_taken: int
    position: PositionView | None


class FinalBlowView(msgspec.Struct, frozen=True, gc=False):
    """Who struck the final blow, from the killmail's own row."""

    character: CharacterView | None
    corporation: NamedGroupView | None
    alliance: NamedGroupView | None
    faction: NamedView | None
    ship_type: TypeView | None
    weapon_type: TypeView | None


class AttackerView(msgspec.Struct, frozen=True, gc=False):
    """One party to the kill."""

    ordinal: int
    character: CharacterView | None
    corporation: NamedGroupView | None
    alliance: NamedGroupView | None
    faction: NamedView | None
    ship_type: TypeView | None
    weapon_type: TypeView | None
    damage_done: int
    final_blow: bool
    security_status: float | None


class ItemView(msgspec.Struct, frozen=True, gc=False):
    """One item; unit_price is in hundredths of an ISK."""

    type: TypeView
    flag: int
    flag_name: str
    slot: str
    slot_name: str
    quantity_dropped: int
    quantity_destroyed: int
    singleton: int
    unit_price: int
    price_rule: str
    price_explanation: str
    items: list[ItemView]


class ValuesView(msgspec.Struct, frozen=True, gc=False):
    """Worth of the loss, in hundredths of an ISK."""

    ship: int
    ship_price_rule: str
    ship_price_explanation: str
    fitted: int
    dropped: int
    destroyed: int
    total: int


class LinksView(msgspec.Struct, frozen=True, gc=False):
    """Addresses of the same killmail elsewhere."""

    zkillboard: str
    esi: str


class KillmailView(msgspec.Struct, frozen=True, gc=False):
    """One killmail without its attackers and items. row: all of it is drawn from; parts: those of its whole batch."""

    id: int
    hash: str
    cursor: str
    time: datetime
    solar_system: SolarSystemView
    victim: VictimView
    final_blow: FinalBlowView
    attacker_count: int
    player_count: int
    values: ValuesView
    points: int
    labels: list[str]
    solo: bool
    npc: bool
    awox: bool
    war_id: int | None
    links: LinksView
    stored_at: datetime
    row: KillmailRow
    parts: Parts | None


async def load_views(
    database: Database,
    views: UniverseViews,
    rows: Sequence[KillmailRow],
    parts: Parts | None = None,
    order: Order = Order.NEWEST,
) -> list[KillmailView]:
    """Return the views of these rows, in their order; one statement for all names. order: of their cursors."""
    parties: list[Party] = [victim_party(row) for row in rows]
    parties.extend(final_blow_party(row) for row in rows)
    entities = await load_entity_views(database, views, parties)
    shared = parts or Parts(database, views, [row.killmail_id for row in rows])
    return [killmail_view(row, entities, views, shared, order) for row in rows]


def price_rule(number: int) -> PriceRule:
    """Return the stored price rule; UNKNOWN for a number that a newer release may have written."""
    return _PRICE_RULES.get(number, PriceRule.UNKNOWN)


def item_tree(rows: Sequence[ItemRow], views: UniverseViews) -> list[ItemView]:
    """Return the items that are in no container, in order, with their contents below them."""
    contents: defaultdict[int | None, list[ItemView]] = defaultdict(list)
    for row in reversed(rows):
        # Contents come after their container, so that going backwards they are complete when it is reached.
        view = item_view(row, contents.pop(row.ordinal, [])[::-1], views)
        contents[row.parent_ordinal].append(view)
    return contents[None][::-1]


def item_view(row: ItemRow, contents: list[ItemView], views: UniverseViews) -> ItemView:
    """Return the view of one item with what was inside it."""
    rule, bay = price_rule(row.price_rule), bay_of(row.flag)
    return ItemView(
        type=views.type(row.type_id),
        flag=row.flag,
        flag_name=flag_name(row.flag),
        slot=bay.value,
        slot_name=bay.label,
        quantity_dropped=row.quantity_dropped,
        quantity_destroyed=row.quantity_destroyed,
        singleton=row.singleton,
        unit_price=row.unit_price_cents,
        price_rule=rule.name,
        price_explanation=rule.explanation,
        items=contents,
    )


def attacker_view(row: AttackerRow, entities: EntityViews, views: UniverseViews) -> AttackerView:
    """Return the view of one party to a kill."""
    return AttackerView(
        ordinal=row.ordinal,
        character=entities.character(row.character_id),
        corporation=entities.corporation(row.corporation_id),
        alliance=entities.alliance(row.alliance_id),
        faction=views.faction(row.faction_id),
        ship_type=views.type_or_none(row.ship_type_id),
        weapon_type=views.type_or_none(row.weapon_type_id),
        damage_done=row.damage_done,
        final_blow=row.is_final_blow,
        # The column is a 4-byte real; ESI gives at most one decimal that matters, more digits are noise.
        security_status=None if row.security_status is None else round(row.security_status, 2),
    )


def killmail_view(
    row: KillmailRow, entities: EntityViews, views: UniverseViews, parts: Parts | None, order: Order
) -> KillmailView:
    """Return the view of one killmail."""
    killmail_hash = row.hash.hex()
    rule = price_rule(row.ship_price_rule)
    return KillmailView(
        id=row.killmail_id,
        hash=killmail_hash,
        cursor=encode_cursor(cursor_of(row, order), order),
        time=row.killmail_time,
        solar_system=views.system(row.solar_system_id, row.constellation_id, row.region_id),
        victim=_victim(row, entities, views),
        final_blow=_final_blow(row, entities, views),
        attacker_count=row.attacker_count,
        player_count=row.player_count,
        values=ValuesView(
            ship=row.ship_value_cents,
            ship_price_rule=rule.name,
            ship_price_explanation=rule.explanation,
            fitted=row.fitted_value_cents,
            dropped=row.dropped_value_cents,
            destroyed=row.destroyed_value_cents,
            total=row.total_value_cents,
        ),
        points=row.points,
        labels=row.labels,
        solo=row.is_solo,
        npc=row.is_npc,
        awox=row.is_awox,
        war_id=row.war_id,
        links=LinksView(
            zkillboard=f"{_ZKILLBOARD}/kill/{row.killmail_id}/",
            esi=f"{_ESI}/killmails/{row.killmail_id}/{killmail_hash}/",
        ),
        stored_at=row.stored_at,
        row=row,
        parts=parts,
    )


def _victim(row: KillmailRow, entities: EntityViews, views: UniverseViews) -> VictimView:
    party = victim_party(row)
    position = None
    if row.position_x is not None and row.position_y is not None and row.position_z is not None:
        position = PositionView(row.position_x, row.position_y, row.position_z)
    return VictimView(
        character=entities.character(party.character_id),
        corporation=entities.corporation(party.corporation_id),
        alliance=entities.alliance(party.alliance_id),
        faction=views.faction(party.faction_id),
        ship_type=views.type(row.ship_type_id),
        damage_taken=row.damage_taken,
        position=position,
    )


def _final_blow(row: KillmailRow, entities: EntityViews, views: UniverseViews) -> FinalBlowView:
    party = final_blow_party(row)
    return FinalBlowView(
        character=entities.character(party.character_id),
        corporation=entities.corporation(party.corporation_id),
        alliance=entities.alliance(party.alliance_id),
        faction=views.faction(party.faction_id),
        ship_type=views.type_or_none(row.final_blow_ship_type_id),
        weapon_type=views.type_or_none(row.final_blow_weapon_type_id),
    )
