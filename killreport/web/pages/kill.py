"""`/kill/{id}`: one kill, who lost what, to whom, and what it carried."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from killreport.ids import MAX_ID, read_id
from killreport.web.amounts import count, day_title, security_class, security_text, share
from killreport.web.fitting import slot_groups
from killreport.web.images import Images, Tile
from killreport.web.labels import badges
from killreport.web.model import ApiAttacker, ApiKill
from killreport.web.pages.errors import not_found
from killreport.web.parties import PartyLine, entity_name, party_line, type_name
from killreport.web.site import Site
from killreport.web.worth import kill_worth

SHOWN_ATTACKERS = 50
SHIP_PIXELS = 256
PORTRAIT_PIXELS = 64
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


async def kill(request: Request) -> Response:
    """Render one kill; 404 where it is not stored or the id cannot be one."""
    site: Site = request.app.state.site
    killmail_id = read_id(request.path_params["killmail_id"])
    if killmail_id is None:
        return not_found(site, f"No kill has such a number: they are whole and go from 1 to {MAX_ID}.")
    found = (await site.client_for(request).find_killmail(killmail_id)).killmail
    if found is None:
        return not_found(site, f"There is no kill {killmail_id} here.")
    attackers = attacker_lines(found.attackers, site.images)
    victim = found.victim
    return site.page(
        "kill.html",
        kill=found,
        ship=type_name(victim.ship_type),
        ship_group="" if victim.ship_type.group is None else victim.ship_type.group.name or "",
        ship_tile=site.images.ship_tile(victim.ship_type, SHIP_PIXELS),
        victim=party_line(victim, site.images, PORTRAIT_PIXELS),
        affiliations=_affiliations(found),
        place=_place(found),
        day=day_title(found.time),
        time=f"{found.time:%H:%M:%S}",
        instant=f"{found.time:%Y-%m-%dT%H:%M:%SZ}",
        badges=badges(found.labels, is_solo=found.solo, is_npc=found.npc, is_awox=found.awox),
        dropped_share=share(_cents(found.values.dropped), _cents(found.values.total)),
        worth=kill_worth(found),
        slots=slot_groups(found.fitting.sections, site.images),
        shown=attackers[:SHOWN_ATTACKERS],
        rest=attackers[SHOWN_ATTACKERS:],
    )


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


def _affiliations(kill: ApiKill) -> list[tuple[str, str]]:
    """Return for whom the victim flew, as label and name."""
    victim = kill.victim
    lines = []
    for kind, group in (("Corporation", victim.corporation), ("Alliance", victim.alliance)):
        if group is not None:
            ticker = f" [{group.ticker}]" if group.ticker else ""
            lines.append((kind, f"{entity_name(kind, group)}{ticker}"))
    if victim.faction is not None:
        lines.append(("Faction", entity_name("Faction", victim.faction)))
    return lines


def _place(kill: ApiKill) -> dict[str, str]:
    system = kill.solar_system
    return {
        "system": system.name or f"System {system.id}",
        "security": security_text(system.security),
        "security_class": security_class(system.security),
        "constellation": "" if system.constellation is None else system.constellation.name or "",
        "region": "" if system.region is None else system.region.name or "",
    }


def _cents(isk: str) -> int:
    return int(isk.replace(".", ""))
