"""The attackers of a kill, in the order of its page."""

from __future__ import annotations

from dataclasses import dataclass

from killreport.web.amounts import count, share
from killreport.web.images import Images, Tile
from killreport.web.model import ApiAttacker
from killreport.web.parties import PartyLine, party_line, type_name

ATTACKER_PIXELS = 36
TYPE_PIXELS = 28


@dataclass(frozen=True, slots=True)
class AttackerLine:
    """One attacker; `share` is the part of all damage in per cent."""

    party: PartyLine
    ship: str
    ship_tile: Tile | None
    weapon: str
    weapon_tile: Tile | None
    damage: str
    share: str
    is_final_blow: bool
    is_top_damage: bool


def attacker_lines(attackers: list[ApiAttacker], images: Images) -> list[AttackerLine]:
    """Return the attackers: the final blow first, then by damage, most first; equals keep EVE's order."""
    total = sum(attacker.damage_done for attacker in attackers)
    top = max((attacker.damage_done for attacker in attackers), default=0)
    ordered = sorted(attackers, key=lambda attacker: (not attacker.final_blow, -attacker.damage_done))
    return [
        AttackerLine(
            party=party_line(attacker, images, ATTACKER_PIXELS),
            ship="" if attacker.ship_type is None else type_name(attacker.ship_type),
            ship_tile=None if attacker.ship_type is None else images.type_tile(attacker.ship_type, TYPE_PIXELS),
            weapon=_weapon(attacker),
            weapon_tile=None if attacker.weapon_type is None else images.type_tile(attacker.weapon_type, TYPE_PIXELS),
            damage=count(attacker.damage_done),
            share=share(attacker.damage_done, total),
            is_final_blow=attacker.final_blow,
            is_top_damage=len(attackers) > 1 and attacker.damage_done == top > 0,
        )
        for attacker in ordered
    ]


def _weapon(attacker: ApiAttacker) -> str:
    """Return the weapon's name, nothing where EVE only repeats the ship."""
    if attacker.weapon_type is None or attacker.weapon_type == attacker.ship_type:
        return ""
    return type_name(attacker.weapon_type)
