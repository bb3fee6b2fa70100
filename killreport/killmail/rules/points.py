"""How much a kill is worth in points: a dangerous victim counts more, a crowd and a bigger hull count less.

The formula and its constants are zKillboard's, described in its FAQ and read for behaviour on 2026-08-21
(`docs/decisions/0003-labels-and-points.md`); the worked example there is a test here.
"""

from __future__ import annotations

from dataclasses import dataclass

from killreport.eve.universe import Type, Universe
from killreport.killmail.mail.model import Killmail

STRUCTURE_CATEGORY = 65
MODULE_CATEGORY = 7
CAPSULE_GROUP = 29
STRATEGIC_CRUISER_GROUP = 963
DRONE_DAMAGE_GROUP = 645  # "Drone Damage Modules": dangerous, though they cannot be overheated
MINING_LASER_GROUP = 54  # can be overheated, and endanger nobody

SIZE_BASE = 5  # points of a hull = 5 to the power of its size class
MIN_CLASS = 1
STRATEGIC_CRUISER_CLASS = 2
FULL_DANGER = 4.0  # this much danger earns the full rate: four plain combat modules
EMPTY_HULL_RATE = 0.01
MIN_SIZE_FACTOR = 0.5
GREATEST_SIZE_FACTOR = 1.2
MIN_POINTS = 1
MAX_POINTS = 1_000_000  # real kills stay below 2,000; a forged quantity shall not break a sum

# Where modules that fight are fitted: low, mid and high slots and subsystems. Rigs do not count.
DANGER_FLAGS = frozenset((*range(11, 35), *range(125, 133)))
UNKNOWN_FLAG = 0
FIRST_MAIL_WITH_FLAGS = 23_970_577  # older mails did not tell the slot of a module


@dataclass(frozen=True, slots=True)
class Factors:
    """Everything the points are made of, in the order of the rule.

    only_one_because: why the rule gives 1 whatever the rest says, None where it does not. raw: (base + danger) x rate.
    points: floor of raw / crowd x size_factor, at least 1.
    """

    victim_class: int
    base: int
    danger: int
    rate: float
    raw: float
    characters: int
    crowd: float
    average_hull: float
    size_factor: float
    only_one_because: str | None
    points: int


def points(mail: Killmail, universe: Universe, is_npc: bool) -> int:
    """Return the points of a killmail, 1 to MAX_POINTS.

    Exactly 1 for a kill by NPCs, one without any character among the attackers, and one a structure took part in.
    Another player on a mail that has one never raises the points; NPCs raise the average hull but not the number it
    is divided by, so they lower them: kept as zKillboard has it.
    """
    return point_factors(mail, universe, is_npc).points


def point_factors(mail: Killmail, universe: Universe, is_npc: bool) -> Factors:
    """Return the points of a killmail with what led to them."""
    types = universe.types
    victim_class = size_class(types.get(mail.victim.ship_type_id))
    characters = 0
    hulls = 0
    has_structure = False
    for attacker in mail.attackers:
        if attacker.character_id is not None:
            characters += 1
        hull = types.get(attacker.ship_type_id) if attacker.ship_type_id is not None else None
        if hull is None:
            hulls += SIZE_BASE**MIN_CLASS
        elif hull.category_id == STRUCTURE_CATEGORY:
            has_structure = True
        else:
            hulls += SIZE_BASE ** (victim_class + 1 if hull.group_id == CAPSULE_GROUP else size_class(hull))
    base = SIZE_BASE**victim_class
    threat = danger(mail, universe)
    rate = min(1.0, max(EMPTY_HULL_RATE, threat / FULL_DANGER))
    raw = (base + threat) * rate
    crowd = max(1.0, characters * max(1.0, characters / 2))
    average = max(1.0, hulls / max(1, characters))
    factor = min(GREATEST_SIZE_FACTOR, max(MIN_SIZE_FACTOR, base / average))
    reason = _only_one_because(has_structure, is_npc, characters)
    score = MIN_POINTS if reason else min(MAX_POINTS, max(MIN_POINTS, int(raw / crowd * factor)))
    return Factors(victim_class, base, threat, rate, raw, characters, crowd, average, factor, reason, score)


def _only_one_because(has_structure: bool, is_npc: bool, characters: int) -> str | None:
    if has_structure:
        return "a structure took part"
    if is_npc:
        return "it was a kill by or of NPCs"
    return None if characters else "no attacker has a character"


def size_class(hull: Type | None) -> int:
    """Return the size of a hull: its rig size, 1 (small, unknown, or without rigs) to 4 (capital)."""
    if hull is None:
        return MIN_CLASS
    if hull.group_id == STRATEGIC_CRUISER_GROUP:
        return STRATEGIC_CRUISER_CLASS
    return max(MIN_CLASS, hull.rig_size or MIN_CLASS)


def danger(mail: Killmail, universe: Universe) -> int:
    """Return how dangerous the victim's fit was: its fighting modules, weighted 1 (plain) and up by meta level.

    Only what was fitted counts, not what a container held. May be negative: mining lasers subtract.
    """
    types = universe.types
    is_flagless = mail.killmail_id < FIRST_MAIL_WITH_FLAGS
    total = 0
    for item in mail.victim.items or ():
        if item.flag not in DANGER_FLAGS and not (is_flagless and item.flag == UNKNOWN_FLAG):
            continue
        module = types.get(item.item_type_id)
        if module is None or module.category_id != MODULE_CATEGORY:
            continue
        signs = module.is_overheatable + (module.group_id == DRONE_DAMAGE_GROUP)
        signs -= module.group_id == MINING_LASER_GROUP
        if signs:
            meta = 1 + (module.meta_level or 0) // 2
            total += signs * meta * ((item.quantity_dropped or 0) + (item.quantity_destroyed or 0))
    return total
