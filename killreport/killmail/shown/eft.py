"""A fitting in EFT's text format, which the game and the fitting tools import.

Source of the format: https://developers.eveonline.com/docs/guides/fitting/ and what pyfa's importer takes, checked
2026-11-30: racks as blocks of lines, then drones, fighters, implants and boosters, and the cargo, a blank line between.
What has ` x2` behind it is a drone, a fighter or cargo; an implant with it would be one that lies in the cargo.
"""

from __future__ import annotations

from collections import Counter

from killreport.eve.flags import Bay
from killreport.eve.universe import Universe
from killreport.killmail.shown.fitting import Fitting
from killreport.killmail.shown.loadout import RACKS, Loadout, RackSlot, loadout_of

EMPTY_SLOT = {
    Bay.LOW: "[Empty Low slot]",
    Bay.MID: "[Empty Med slot]",
    Bay.HIGH: "[Empty High slot]",
    Bay.RIG: "[Empty Rig slot]",
    Bay.SUBSYSTEM: "[Empty Subsystem slot]",
    Bay.SERVICE: "[Empty Service slot]",
}


def eft_text(fitting: Fitting, universe: Universe, name: str) -> str:
    """Return the fitting as text that ends with a line break. name: what the fitting is called; brackets are dropped.

    Fighters have a line a squadron. A type the static data lacks is written as its number.
    """
    loadout = loadout_of(fitting, universe)
    title = "".join(letter for letter in name if letter.isprintable() and letter not in "[]").strip()
    racks = _racks(loadout, universe)
    # The low slots follow the title without a blank line.
    blocks = [[f"[{_name(loadout.ship_type_id, universe)}, {title}]", *racks[0]], *racks[1:]]
    blocks.append(_counted(loadout.drones, universe))
    blocks.append([f"{_name(type_id, universe)} x{number}" for type_id, number in loadout.squadrons])
    blocks.append([_name(type_id, universe) for type_id in loadout.implants])
    blocks += _cargo(loadout, universe)
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _racks(loadout: Loadout, universe: Universe) -> list[list[str]]:
    return [[_line(place, EMPTY_SLOT[bay], universe) for place in loadout.racks.get(bay, [])] for bay in RACKS]


def _line(place: RackSlot, empty: str, universe: Universe) -> str:
    if place.module is None:
        return empty
    line = _name(place.module, universe)
    return line if place.charge is None else f"{line}, {_name(place.charge, universe)}"


def _counted(counts: Counter[int], universe: Universe) -> list[str]:
    """Return a line a type, `Name x3`, in the order they first appear."""
    return [f"{_name(type_id, universe)} x{number}" for type_id, number in counts.items() if number > 0]


def _cargo(loadout: Loadout, universe: Universe) -> list[list[str]]:
    """Return the cargo in two blocks: a reader that does not know one line of a block may misread all its others."""
    blocks: tuple[Counter[int], Counter[int]] = Counter(), Counter()
    for type_id, number in loadout.cargo.items():
        blocks[not _is_common(type_id, universe)][type_id] = number
    return [_counted(block, universe) for block in blocks]


def _is_common(type_id: int, universe: Universe) -> bool:
    """Tell whether every tool knows the type: it is published, and its name cannot be taken for anything else."""
    known = universe.types.get(type_id)
    return known is not None and known.is_published and not set(known.name) & set(",/[]")


def _name(type_id: int, universe: Universe) -> str:
    return universe.type_name(type_id) or f"Type {type_id}"
