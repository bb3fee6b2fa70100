"""What kind of kill it was: by NPCs, by one pilot alone, of one's own corporation.

Everybody who lists, counts or filters kills uses these flags as stored; they are decided here and nowhere else.
Source: zKillboard's rules, checked on 991 real `zkb` blocks (`docs/decisions/0003-labels-and-points.md`).
"""

from __future__ import annotations

from dataclasses import dataclass

from killreport.eve.ranges import is_npc_corporation, is_player_character, is_player_corporation
from killreport.eve.universe import Universe
from killreport.killmail.mail.model import Killmail
from killreport.killmail.rules.labels import list_labels

SHIP_CATEGORY = 6
STRUCTURE_CATEGORY = 65
CAPSULE_GROUP = 29
SHUTTLE_GROUP = 31
CORVETTE_GROUP = 237
_NO_SOLO_GROUPS = frozenset((CAPSULE_GROUP, SHUTTLE_GROUP, CORVETTE_GROUP))
_NO_AWOX_GROUPS = frozenset((CAPSULE_GROUP, CORVETTE_GROUP))


@dataclass(frozen=True, slots=True)
class Classification:
    """The flags of a killmail. player_count: attackers that are players; an NPC agent's character is none."""

    is_npc: bool
    is_solo: bool
    is_awox: bool
    player_count: int
    labels: tuple[str, ...]


def classify(mail: Killmail, universe: Universe, total_value_cents: int) -> Classification:
    """Return the flags and labels of a killmail. Total: an unknown hull or system costs a label, never an error."""
    players = sum(1 for attacker in mail.attackers if is_player_character(attacker.character_id))
    is_npc = _is_npc(mail, players)
    is_solo = not is_npc and players == 1 and _is_solo(mail, universe)
    is_awox = not is_npc and _is_awox(mail, universe)
    labels = list_labels(mail, universe, total_value_cents, is_npc=is_npc, is_solo=is_solo, is_awox=is_awox)
    return Classification(is_npc, is_solo, is_awox, players, labels)


def _is_npc(mail: Killmail, players: int) -> bool:
    """Tell whether the game killed, or was killed. A structure of a player corporation is no NPC."""
    victim = mail.victim
    if victim.character_id is None and is_npc_corporation(victim.corporation_id):
        return True
    if players:
        return False
    return not any(is_player_corporation(attacker.corporation_id) for attacker in mail.attackers)


def _is_solo(mail: Killmail, universe: Universe) -> bool:
    """Tell whether one player's kill counts as alone: a real ship died, and no structure helped. NPCs may have."""
    types = universe.types
    hull = types.get(mail.victim.ship_type_id)
    if hull is None or hull.category_id != SHIP_CATEGORY or hull.group_id in _NO_SOLO_GROUPS:
        return False
    for attacker in mail.attackers:
        ship = types.get(attacker.ship_type_id) if attacker.ship_type_id is not None else None
        if ship is not None and ship.category_id == STRUCTURE_CATEGORY:
            return False
    return True


def _is_awox(mail: Killmail, universe: Universe) -> bool:
    """Tell whether the final blow came from the victim's own player corporation."""
    corporation_id = mail.victim.corporation_id
    if not is_player_corporation(corporation_id):
        return False
    if universe.group_id_of(mail.victim.ship_type_id) in _NO_AWOX_GROUPS:
        return False
    return mail.final_blow.corporation_id == corporation_id
