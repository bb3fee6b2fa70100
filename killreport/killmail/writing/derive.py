"""Everything that is worked out from one killmail before it is stored, as rows ready to be copied."""

from __future__ import annotations

from dataclasses import dataclass

from killreport.errors import Malformed
from killreport.eve.universe import Universe
from killreport.killmail.mail.items import FlatItem, flatten_items, item_path
from killreport.killmail.mail.label_numbers import pack_labels
from killreport.killmail.mail.model import Killmail
from killreport.killmail.rules.classify import classify
from killreport.killmail.rules.points import points
from killreport.killmail.rules.value import value_killmail
from killreport.killmail.stored.named import Named, add_marks, named_in
from killreport.killmail.stored.packed import pack_attackers, pack_items
from killreport.killmail.writing.merge import merge_labels
from killreport.market.price import Price, PriceBook

KILLMAIL_COLUMNS = (
    "killmail_id", "killmail_time", "solar_system_id", "constellation_id", "region_id", "war_id", "moon_id",
    "location_id", "victim_character_id", "victim_corporation_id", "victim_alliance_id", "victim_faction_id",
    "ship_type_id", "ship_group_id", "ship_category_id", "damage_taken", "position_x", "position_y", "position_z",
    "final_blow_character_id", "final_blow_corporation_id", "final_blow_alliance_id", "final_blow_faction_id",
    "final_blow_ship_type_id", "final_blow_ship_group_id", "final_blow_weapon_type_id", "attacker_count",
    "player_count", "ship_value_cents", "ship_price_rule", "fitted_value_cents", "dropped_value_cents",
    "destroyed_value_cents", "total_value_cents", "is_value_complete", "points", "is_npc", "is_solo", "is_awox",
    "labels", "source", "is_history", "attackers", "items",
)  # fmt: skip
MAX_ROWS = 2**15 - 1  # what a smallint, which an ordinal is in the views, can number
MAX_CENTS = 10**16  # a hundred times the dearest loss known; leaves room for sums in a bigint


@dataclass(frozen=True, slots=True)
class Derived:
    """The row of one killmail, in the order of KILLMAIL_COLUMNS, and what it adds to the rollups."""

    killmail_id: int
    killmail: tuple[object, ...]
    named: Named
    points: int
    total_value_cents: int
    is_npc: bool
    is_solo: bool
    is_history: bool


def derive(
    mail: Killmail,
    universe: Universe,
    prices: PriceBook,
    *,
    source: str,
    location_id: int | None = None,
    extra_labels: tuple[str, ...] = (),
    is_history: bool = False,
) -> Derived:
    """Return the rows for a killmail. Pure: the same mail, universe and prices give the same rows.

    is_history: it is too old to be news.

    Raises Malformed where the mail does not fit the columns (more than 32,767 rows, a value beyond MAX_CENTS).
    """
    if len(mail.attackers) > MAX_ROWS:
        raise Malformed(f"more than {MAX_ROWS} attackers", "$.attackers")
    flat = flatten_items(mail)
    if len(flat) > MAX_ROWS:
        raise Malformed(f"more than {MAX_ROWS} items", "$.victim.items")
    value = value_killmail(mail, universe, prices, flat)
    if value.total > MAX_CENTS:
        raise Malformed("a value too large to be stored", _dearest_path(flat, value.item_prices))
    marks = classify(mail, universe, value.total)
    score = points(mail, universe, marks.is_npc)
    victim, blow, position = mail.victim, mail.final_blow, mail.victim.position
    constellation_id, region_id = places_of(mail, universe)
    ship = universe.types.get(victim.ship_type_id)
    labels = merge_labels(marks.labels, extra_labels)
    label_bits, category_id = pack_labels(labels)
    mail_id = mail.killmail_id
    row = (
        mail_id, mail.killmail_time, mail.solar_system_id,
        constellation_id, region_id,
        mail.war_id, mail.moon_id, location_id,
        victim.character_id, victim.corporation_id, victim.alliance_id, victim.faction_id,
        victim.ship_type_id, ship.group_id if ship else None, category_id, victim.damage_taken,
        position.x if position else None, position.y if position else None, position.z if position else None,
        blow.character_id, blow.corporation_id, blow.alliance_id, blow.faction_id,
        blow.ship_type_id, final_blow_group(mail, universe), blow.weapon_type_id, len(mail.attackers),
        marks.player_count, value.ship.cents, value.ship.rule, value.fitted, value.dropped, value.destroyed,
        value.total, value.is_complete, score, marks.is_npc, marks.is_solo, marks.is_awox, label_bits, source,
        is_history, pack_attackers(mail.attackers),
        pack_items(flat, [(price.cents, price.rule) for price in value.item_prices]),
    )  # fmt: skip
    named = named_in(mail, constellation_id, region_id, universe.types)
    item_type_ids = [row.item.item_type_id for row in flat]
    add_marks(named, labels, item_type_ids, war_id=mail.war_id, location_id=location_id)
    return Derived(mail_id, row, named, score, value.total, marks.is_npc, marks.is_solo, is_history)


def places_of(mail: Killmail, universe: Universe) -> tuple[int | None, int | None]:
    """Return the constellation and the region the killmail's system lies in today, None where it is unknown."""
    system = universe.systems.get(mail.solar_system_id)
    return (None, None) if system is None else (system.constellation_id, system.region_id)


def final_blow_group(mail: Killmail, universe: Universe) -> int:
    """Return the group of the hull that struck the final blow, 0 where there is none or it is unknown."""
    type_id = mail.final_blow.ship_type_id
    return (universe.group_id_of(type_id) if type_id is not None else None) or 0


def _dearest_path(flat: list[FlatItem], prices: list[Price]) -> str:
    """Return the path of the row that is worth most; of a hull beyond everything, the hull's."""

    def worth(row: tuple[FlatItem, Price]) -> int:
        return max(row[0].item.quantity_dropped or 0, row[0].item.quantity_destroyed or 0) * row[1].cents

    dearest = max(zip(flat, prices, strict=True), key=worth, default=None)
    if dearest is None:
        return "$.victim.ship_type_id"
    item = dearest[0].item
    is_dropped = (item.quantity_dropped or 0) > (item.quantity_destroyed or 0)
    return f"{item_path(flat, dearest[0].ordinal)}.{'quantity_dropped' if is_dropped else 'quantity_destroyed'}"
