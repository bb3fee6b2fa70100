"""Why a stored killmail has the points and the labels it has, fact by fact.

Pure: stored rows and today's static data in, facts out. The factors' points are what the rule gives today; they
differ from the stored figure only where the static data of a hull or module has changed since the killmail came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from killreport.eve.space import shown_security, space_class
from killreport.killmail.filters.predicates import Facts
from killreport.killmail.rules.labels import TOURNAMENT_HULLS
from killreport.killmail.rules.points import Factors, point_factors
from killreport.killmail.stored.remade import mail_of


def explain_points(facts: Facts) -> Factors:
    """Return every factor of the points of a stored killmail."""
    mail = mail_of(facts.killmail, facts.attackers, facts.items)
    return point_factors(mail, facts.universe, facts.killmail.is_npc)


def explain_labels(facts: Facts) -> dict[str, str]:
    """Return a sentence of evidence for each label, in the labels' order.

    A label that another killmail or a source gave (`ganked`, `padding`) says that it cannot be seen on the mail itself.
    """
    return {label: _evidence(label, facts) for label in facts.killmail.labels}


def _evidence(label: str, facts: Facts) -> str:
    kind = next((kind for kind in _KINDS if label.startswith(kind)), None)
    found = _WORDS.get(label) or (None if kind is None else _KINDS[kind])
    return "Given by the source, or by another killmail." if found is None else found(facts)


def _time_zone(facts: Facts) -> str:
    return f"It was {facts.killmail.killmail_time:%H:%M} UTC."


def _category(facts: Facts) -> str:
    category = facts.universe.category_of(facts.killmail.ship_type_id)
    name = facts.universe.type_name(facts.killmail.ship_type_id) or "The hull"
    return f"{name} is of the category {category.name if category else 'unknown'}."


def _crowd(facts: Facts) -> str:
    count = facts.killmail.attacker_count
    return f"{count:,} attacker{'' if count == 1 else 's'}, NPCs counted."


def _space(facts: Facts) -> str:
    system = facts.universe.systems.get(facts.killmail.solar_system_id)
    if system is None:
        return "The static data does not have this system any more."
    region = facts.universe.regions.get(system.region_id)
    place = f"{system.name} in {region.name if region else 'an unknown region'}"
    if space_class(system).value not in ("highsec", "lowsec", "nullsec"):
        return f"{place} is {space_class(system).value}."
    shown = shown_security(system.security_status)
    return f"{place} has security {shown:.1f} ({system.security_status:.4f})."


def _value(facts: Facts) -> str:
    whole = facts.killmail.total_value_cents // 100
    return f"It was worth {'' if facts.killmail.is_worth_known else 'at least '}{whole:,} ISK in all."


def _warfare(facts: Facts) -> str:
    factions = facts.universe.factions
    victim = factions.get(facts.killmail.victim_faction_id or 0)
    militias = Counter(a.faction_id for a in facts.attackers if a.faction_id is not None)
    names = ", ".join(
        f"{factions[faction_id].name} ({count})" for faction_id, count in militias.items() if faction_id in factions
    )
    return (
        f"The victim fought for {victim.name if victim else 'a militia'}; among the attackers: {names or 'its enemy'}."
    )


def _solo(facts: Facts) -> str:
    others = facts.killmail.attacker_count - 1
    return "One player alone" + (f", with {others:,} beside who are no players." if others else ".")


def _npc(facts: Facts) -> str:
    if facts.killmail.player_count:
        return "The victim was of an NPC corporation, with no pilot."
    return "No attacker was a player or of a player corporation, or an NPC died."


def _pvp(facts: Facts) -> str:
    count = facts.killmail.player_count
    return f"{count:,} player{'' if count == 1 else 's'} among the attackers."


def _awox(_facts: Facts) -> str:
    return "The final blow came from the victim's own corporation."


def _capital(facts: Facts) -> str:
    return f"{facts.universe.type_name(facts.killmail.ship_type_id) or 'The hull'} is sold among the capital ships."


def _tournament(facts: Facts) -> str:
    hulls = [facts.killmail.ship_type_id, *(attacker.ship_type_id for attacker in facts.attackers)]
    found = dict.fromkeys(hull for hull in hulls if hull is not None and hull in TOURNAMENT_HULLS)
    names = ", ".join(facts.universe.type_name(hull) or str(hull) for hull in found)
    return f"On the mail: {names}." if names else "A prize hull was on the mail."


_Evidence = Callable[[Facts], str]
_WORDS: Mapping[str, _Evidence] = {
    "solo": _solo,
    "npc": _npc,
    "pvp": _pvp,
    "awox": _awox,
    "capital": _capital,
    "atShip": _tournament,
}
_KINDS: Mapping[str, _Evidence] = {
    "tz:": _time_zone,
    "cat:": _category,
    "#:": _crowd,
    "loc:": _space,
    "isk:": _value,
    "fw:": _warfare,
}
