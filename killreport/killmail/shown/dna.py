"""A fitting in the game's own short form, the ship's DNA, which links in chat and mails carry.

Source of the format: https://developers.eveonline.com/docs/guides/fitting/, checked 2026-11-30:
`ship:subsystem;1:…:module;number:…:drone;number:charge;number::`, all of it type ids. Modules are fitted where they
belong by their type, so there are no slots, no empty ones and no cargo but charges.
"""

from __future__ import annotations

from collections import Counter

from killreport.eve.flags import Bay
from killreport.eve.universe import Universe
from killreport.killmail.shown.fitting import Fitting
from killreport.killmail.shown.loadout import is_charge, loadout_of

# Subsystems first: they make the slots of all others.
_RACKS = (Bay.SUBSYSTEM, Bay.HIGH, Bay.MID, Bay.LOW, Bay.RIG, Bay.SERVICE)


def dna_text(fitting: Fitting, universe: Universe) -> str:
    """Return the fitting as DNA: `587:2889;3:…::`. Loaded charges and those in any hold are counted together."""
    loadout = loadout_of(fitting, universe)
    parts: list[tuple[int, int]] = []
    for bay in _RACKS:
        places = loadout.racks.get(bay, [])
        parts += Counter(place.module for place in places if place.module is not None).items()
    parts += loadout.drones.items()
    fighters: Counter[int] = Counter()
    for type_id, number in loadout.squadrons:
        fighters[type_id] += number
    parts += fighters.items()
    charges = loadout.loaded + loadout.cargo
    parts += [(type_id, number) for type_id, number in charges.items() if is_charge(type_id, universe)]
    return (
        ":".join([str(loadout.ship_type_id), *(f"{type_id};{number}" for type_id, number in parts if number > 0)])
        + "::"
    )
