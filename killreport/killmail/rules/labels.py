"""The labels of a killmail that can be told from the mail alone, spelt as zKillboard spells them.

Always in the order of this module. `ganked` and `padding` need other killmails and are added by whoever knows them.
Source: zKillboard's rules, described in `docs/decisions/0003-labels-and-points.md`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from killreport.eve.space import location_label
from killreport.eve.universe import Universe
from killreport.killmail.mail.model import Killmail

# The time zone by UTC hour, from hour 0: US East, US West, Australia, Russia, Europe, US East again.
_ZONES = ("use",) * 4 + ("usw",) * 4 + ("au",) * 6 + ("ru",) * 3 + ("eu",) * 5 + ("use",) * 2
TIME_ZONE_LABELS = tuple(f"tz:{zone}" for zone in _ZONES)

# Exclusive bands by the number of attackers, NPCs among them.
_CROWD_FROM = (1, 2, 5, 10, 25, 50, 100, 1000)
_CROWD_LABELS = ("#:1", "#:2+", "#:5+", "#:10+", "#:25+", "#:50+", "#:100+", "#:1000+")

# Exclusive bands by total value, in cents of ISK.
_VALUE_FROM = (10**11, 5 * 10**11, 10**12, 10**13, 10**14)
_VALUE_LABELS = ("isk:1b+", "isk:5b+", "isk:10b+", "isk:100b+", "isk:1t+")

# What `list_labels` puts before the value.
_BEFORE_VALUE = ("solo", "npc", "pvp", "awox")
_BEFORE_VALUE_KINDS = ("tz:", "cat:", "#:", "loc:")

CALDARI, MINMATAR, AMARR, GALLENTE = 500001, 500002, 500003, 500004
# A militia's only enemy, and the front between the two.
_WARZONES = {
    CALDARI: (GALLENTE, "gallente", "calgal"),
    GALLENTE: (CALDARI, "caldari", "calgal"),
    AMARR: (MINMATAR, "minmatar", "amamin"),
    MINMATAR: (AMARR, "amarr", "amamin"),
}

# The pairs of hulls given as prizes of the Alliance Tournaments, from Adrestia and Utu on, and the Python.
# Source: CCP's static data (market groups below "Special Edition Ships", 1612), build 3650286.
TOURNAMENT_HULLS = frozenset(
    (2834, 2836, 3516, 3518, 32207, 32209, 32788, 32790, 33395, 33397, 33673, 33675, 35779, 35781, 42245, 42246,
     45530, 45531, 48635, 48636, 60764, 60765, 74141, 74316, 77726, 78414, 85062, 85229, 85236, 89807, 89808)
)  # fmt: skip


def list_labels(
    mail: Killmail, universe: Universe, total_value_cents: int, *, is_npc: bool, is_solo: bool, is_awox: bool
) -> tuple[str, ...]:
    """Return the labels, none twice. What the universe does not know (a new hull, a new system) has no label.

    The kind of space is that of the region the system lies in today: what the systems of Pochven were before October
    2020 is not in the static data, so kills there of any age have no `loc:` label.
    """
    victim = mail.victim
    hull_id = victim.ship_type_id
    labels = [TIME_ZONE_LABELS[mail.killmail_time.hour]]
    hull = universe.types.get(hull_id)
    if hull is not None:
        labels.append(f"cat:{hull.category_id}")
    labels.append("solo" if is_solo else _CROWD_LABELS[bisect_right(_CROWD_FROM, len(mail.attackers)) - 1])
    labels.append("npc" if is_npc else "pvp")
    if is_awox:
        labels.append("awox")
    system = universe.systems.get(mail.solar_system_id)
    location = None if system is None else location_label(system.region_id, system.security_status)
    if location is not None:
        labels.append(location)
    labels += _value_labels(total_value_cents)
    if universe.is_capital(hull_id):
        labels.append("capital")
    if victim.faction_id is not None:
        labels += _warfare_labels(mail)
    if hull_id in TOURNAMENT_HULLS or any(attacker.ship_type_id in TOURNAMENT_HULLS for attacker in mail.attackers):
        labels.append("atShip")
    return tuple(labels)


def with_value(labels: Sequence[str], total_value_cents: int) -> list[str]:
    """Return the labels as `list_labels` gives them for another value, those added by others kept behind."""
    others = [label for label in labels if label not in _VALUE_LABELS]
    ahead = sum(1 for label in others if label in _BEFORE_VALUE or label.startswith(_BEFORE_VALUE_KINDS))
    return [*others[:ahead], *_value_labels(total_value_cents), *others[ahead:]]


def bands_above(column: str, least: int) -> tuple[str, ...] | None:
    """Return labels of which every killmail has one whose column holds `least` or more; None where there are none."""
    if column == "total_value_cents" and least >= _VALUE_FROM[0]:
        return _VALUE_LABELS[bisect_right(_VALUE_FROM, least) - 1 :]
    if column in ("attacker_count", "player_count") and least >= _CROWD_FROM[0]:
        # More than one may have shot at a victim that one player alone killed.
        solo = () if column == "player_count" and least > 1 else ("solo",)
        return (*_CROWD_LABELS[bisect_right(_CROWD_FROM, least) - 1 :], *solo)
    return None


def is_band_edge(column: str, least: int) -> bool:
    """Tell whether all killmails with the labels of `bands_above` have `least` or more: a band begins there."""
    return column == "total_value_cents" and least in _VALUE_FROM


def _value_labels(total_value_cents: int) -> tuple[str, ...]:
    if total_value_cents < _VALUE_FROM[0]:
        return ()
    return (_VALUE_LABELS[bisect_right(_VALUE_FROM, total_value_cents) - 1],)


def _warfare_labels(mail: Killmail) -> tuple[str, ...]:
    """Return the winning militia and the front, when the victim's enemy militia is among the attackers."""
    warzone = _WARZONES.get(mail.victim.faction_id or 0)
    if warzone is None:
        return ()
    enemy_id, enemy, front = warzone
    if any(attacker.faction_id == enemy_id for attacker in mail.attackers):
        return f"fw:{enemy}", f"fw:{front}"
    return ()
