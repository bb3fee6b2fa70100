"""`/kill/{id}`: one kill, who lost what, to whom, and what it carried."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from killreport.ids import MAX_ID, read_id
from killreport.web.amounts import day_title, security_class, security_text, share
from killreport.web.attackers import attacker_lines
from killreport.web.documents import PARTY
from killreport.web.fitting import slot_groups
from killreport.web.labels import badges
from killreport.web.model import ApiAttacker, ApiFitting, ApiSolarSystem, ApiValues, ApiVictim, Struct
from killreport.web.pages.errors import not_found
from killreport.web.parties import entity_name, party_line, type_name
from killreport.web.site import Site
from killreport.web.worth import kill_worth

SHOWN_ATTACKERS = 50
SHIP_PIXELS = 256
PORTRAIT_PIXELS = 64

# Containers in containers exist (a packed ship holds a container that holds ammunition); deeper ones never occurred.
DOCUMENT = (
    """
query Site_Kill($id: ID64!) {
  killmail(id: $id) {
    id hash time
    solarSystem { ...Place }
    victim { ...VictimParts }
    attackers {
      character { ...PartyCharacter } corporation { ...PartyCorporation } alliance { ...PartyAlliance }
      faction { id name } shipType { ...TypeParts } weaponType { ...TypeParts }
      damageDone finalBlow securityStatus
    }
    attackerCount playerCount
    fitting {
      sections {
        slotName worth { total isComplete }
        slots { module { ...ItemParts } charges { ...ItemParts } } items { ...ItemTree }
      }
    }
    values { ship shipPriceExplanation fitted dropped destroyed total isComplete }
    points labels solo npc awox warId
    links { zkillboard esi }
  }
}
fragment ItemTree on Item { ...ItemParts items { ...ItemParts items { ...ItemParts items { ...ItemParts } } } }
fragment ItemParts on Item {
  type { ...TypeParts } quantityDropped quantityDestroyed singleton unitPrice priceExplanation
}
"""
    + PARTY
)


class ApiLinks(Struct, frozen=True):
    """The same killmail elsewhere."""

    zkillboard: str
    esi: str


class ApiKill(Struct, frozen=True):
    """A killmail on its own page."""

    id: int
    hash: str
    time: datetime
    solar_system: ApiSolarSystem
    victim: ApiVictim
    attackers: list[ApiAttacker]
    attacker_count: int
    player_count: int
    fitting: ApiFitting
    values: ApiValues
    points: int
    labels: list[str]
    solo: bool
    npc: bool
    awox: bool
    war_id: int | None
    links: ApiLinks


class KillAnswer(Struct, frozen=True):
    """Answer to `DOCUMENT`."""

    killmail: ApiKill | None


async def kill(request: Request) -> Response:
    """Render one kill; 404 where it is not stored or the id cannot be one."""
    site: Site = request.app.state.site
    killmail_id = read_id(request.path_params["killmail_id"])
    if killmail_id is None:
        return not_found(site, f"No kill has such a number: they are whole and go from 1 to {MAX_ID}.")
    found = (await site.client_for(request).ask(DOCUMENT, KillAnswer, id=killmail_id)).killmail
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
        worth=kill_worth(found.values, found.fitting.sections),
        slots=slot_groups(found.fitting.sections, site.images),
        shown=attackers[:SHOWN_ATTACKERS],
        rest=attackers[SHOWN_ATTACKERS:],
    )


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
