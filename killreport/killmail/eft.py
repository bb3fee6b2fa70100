"""A fitting in EFT's text format, which the game and the fitting tools import.

Source of the format: the game's own export ("Copy to clipboard" of the fitting window): low, mid, high, rig and
subsystem slots as blocks of lines, then services, drones and fighters, implants and boosters, and the cargo.
"""

from __future__ import annotations

from collections.abc import Iterable

from killreport.eve.flags import Bay
from killreport.eve.universe import Universe
from killreport.killmail.fitting import Content, Fitting, Section, Slot

EMPTY_SLOT = {
    Bay.LOW: "[Empty Low slot]",
    Bay.MID: "[Empty Med slot]",
    Bay.HIGH: "[Empty High slot]",
    Bay.RIG: "[Empty Rig slot]",
    Bay.SUBSYSTEM: "[Empty Subsystem slot]",
    Bay.SERVICE: "[Empty Service slot]",
}
_COUNTED = (
    (Bay.DRONE_BAY,),
    (Bay.FIGHTER_TUBE, Bay.FIGHTER_BAY),
    (Bay.IMPLANT, Bay.BOOSTER),
)
_COUNTED_APART = frozenset(bay for bays in _COUNTED for bay in bays)


def eft_text(fitting: Fitting, universe: Universe, name: str) -> str:
    """Return the fitting as text that ends with a line break. name: what the fitting is called; brackets are dropped.

    Everything the victim had counts, dropped or destroyed. What a container held is listed beside it as cargo, because
    the format knows no containers. A type the static data lacks is written as its number.
    """
    title = "".join(letter for letter in name if letter.isprintable() and letter not in "[]").strip()
    racks = [
        [_slot_line(slot, empty, universe) for slot in section.slots] if (section := fitting.section(bay)) else []
        for bay, empty in EMPTY_SLOT.items()
    ]
    # The low slots follow the title without a blank line.
    blocks = [[f"[{_name(fitting.ship_type_id, universe)}, {title}]", *racks[0]], *racks[1:]]
    blocks += [_counted([fitting.section(bay) for bay in bays], universe) for bays in _COUNTED]
    blocks.append(_counted((section for section in fitting.sections if section.bay not in _COUNTED_APART), universe))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _slot_line(slot: Slot, empty: str, universe: Universe) -> str:
    if slot.module is None:
        return empty
    line = _name(slot.module.row.type_id, universe)
    return f"{line}, {_name(slot.charges[0].row.type_id, universe)}" if slot.charges else line


def _counted(sections: Iterable[Section | None], universe: Universe) -> list[str]:
    """Return a line a type, `Name x3`, in the order they first appear; of slots only what no module's line names."""
    counts: dict[int, int] = {}
    for section in sections:
        if section is not None:
            for slot in section.slots:
                if section.bay not in EMPTY_SLOT:
                    _count(counts, (slot.module, *slot.charges))
                elif slot.module is None:
                    _count(counts, slot.charges)
            _count(counts, section.contents)
    return [f"{_name(type_id, universe)} x{number}" for type_id, number in counts.items()]


def _count(counts: dict[int, int], contents: Iterable[Content | None]) -> None:
    for content in contents:
        if content is not None:
            counts[content.row.type_id] = counts.get(content.row.type_id, 0) + content.quantity
            _count(counts, content.contents)


def _name(type_id: int, universe: Universe) -> str:
    return universe.type_name(type_id) or f"Type {type_id}"
