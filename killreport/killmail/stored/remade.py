"""A killmail made again from its stored rows, for the rules that are asked about it later."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.killmail.mail.items import FlatItem
from killreport.killmail.mail.model import Attacker, Item, Killmail, Victim
from killreport.killmail.stored.queries import AttackerRow, ItemRow, KillmailRow


def mail_of(row: KillmailRow, attackers: Sequence[AttackerRow], items: Sequence[ItemRow]) -> Killmail:
    """Return all of the killmail that the rules of points, flags, labels and names look at.

    What was in a container is left out: it counts for nothing but its price, for which there is `flat_items`.
    """
    return Killmail(
        row.killmail_id,
        row.killmail_time,
        row.solar_system_id,
        Victim(
            ship_type_id=row.ship_type_id,
            character_id=row.victim_character_id,
            corporation_id=row.victim_corporation_id,
            alliance_id=row.victim_alliance_id,
            faction_id=row.victim_faction_id,
            items=tuple(_item(item) for item in items if item.parent_ordinal is None),
        ),
        tuple(
            Attacker(
                final_blow=attacker.is_final_blow,
                character_id=attacker.character_id,
                corporation_id=attacker.corporation_id,
                alliance_id=attacker.alliance_id,
                faction_id=attacker.faction_id,
                ship_type_id=attacker.ship_type_id,
                weapon_type_id=attacker.weapon_type_id,
            )
            for attacker in attackers
        ),
    )


def flat_items(items: Sequence[ItemRow]) -> list[FlatItem]:
    """Return the items as `flatten_items` gave them when the killmail came."""
    return [FlatItem(row.ordinal, row.parent_ordinal, _item(row)) for row in items]


def _item(row: ItemRow) -> Item:
    return Item(row.type_id, row.flag, row.singleton, row.quantity_dropped, row.quantity_destroyed)
