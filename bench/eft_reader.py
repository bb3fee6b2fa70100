"""Reads EFT text by the rules of pyfa's importer, to see what it makes of the fittings we write.

The rules, told from pyfa 2.x (service/port/eft.py), in own words and code:
- The first line is `[hull, name]`; the hull's name is letters, digits, underscores and blanks only.
- Blank lines part sections. A line in brackets is an empty slot; `Name x3` is so many drones, fighters or things in the
  cargo; `Name` or `Name, Charge` is a module, an implant or a booster. No name has a comma, slash or bracket.
- What is not published, or not known, is as an empty slot.
- A section of modules and empty slots is a rack, if all its modules are of one kind of slot; else its modules go to
  their racks without the empty slots. A section of implants is the head, one of drones the drone bay, one of fighters
  squadrons of one line each, and any other section of counted lines the cargo.
- In a section of several kinds each line goes where its kind goes; drones and fighters to their bay only if there is no
  section of them.
- A module beyond the slots of the hull and its subsystems is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from killreport.eve.universe import Slot, Type, Universe

MODULES = frozenset({7, 32, 66})
CHARGE, DRONE, IMPLANT, FIGHTER, SHIP, STRUCTURE = 8, 18, 20, 87, 6, 65
_NAME = r"[^,/\[\]]+?"
_HEAD = re.compile(r"\[([\w\s]+),\s*(.+)\]")
_COUNTED = re.compile(rf"({_NAME}) x(\d+)")
_MODULE = re.compile(rf"({_NAME})(?:,\s*({_NAME}))?")
SLOTS: tuple[Slot, ...] = ("low", "mid", "high", "rig", "subsystem", "service")


def can_be_read(name: str) -> bool:
    """Tell whether pyfa takes the name of an item."""
    return re.fullmatch(_NAME, name) is not None


class NotRead(Exception):
    """The text is not taken at all."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was understood. number: None for a module or an implant."""

    type: Type
    number: int | None = None
    charge: Type | None = None


@dataclass(slots=True)
class ReadFit:
    """What came out. racks: (module, charge) by slot, None for an empty one. left_out: what no slot was left for."""

    hull: Type
    racks: dict[Slot, list[tuple[int, int | None] | None]] = field(default_factory=lambda: {slot: [] for slot in SLOTS})
    drones: Counter[int] = field(default_factory=Counter)
    squadrons: list[tuple[int, int]] = field(default_factory=list)
    implants: Counter[int] = field(default_factory=Counter)
    cargo: Counter[int] = field(default_factory=Counter)
    left_out: list[int] = field(default_factory=list)


class Reader:
    """Knows the types by name, as far as players can have them."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._types = {kind.name: kind for kind in universe.types.values() if kind.is_published}

    def read(self, text: str) -> ReadFit:
        """Return the fitting. Raises NotRead."""
        lines = [line.strip() for line in text.strip().splitlines()]
        head = _HEAD.match(lines[0])
        hull = self._types.get(head[1].strip()) if head else None
        if hull is None or hull.category_id not in (SHIP, STRUCTURE):
            raise NotRead(lines[0])
        fit = ReadFit(hull)
        sections = [
            self._section(part.splitlines()) for part in re.split(r"\n\n+", "\n".join(lines[1:])) if part.strip()
        ]
        has_bay = {kind: any(_is_bay(section, kind) for section in sections) for kind in (DRONE, FIGHTER)}
        for section in sections:
            _take(section, fit, has_bay)
        self._cut_racks(fit)
        return fit

    def _section(self, lines: list[str]) -> list[Line | None]:
        section = [self._line(line) for line in lines if line]
        while section and section[-1] is None:
            section.pop()
        return section

    def _line(self, line: str) -> Line | None:
        if line.startswith("[") and line.endswith("]"):
            return None
        if counted := _COUNTED.fullmatch(line):
            kind = self._types.get(counted[1])
            return None if kind is None else Line(kind, int(counted[2]))
        if module := _MODULE.fullmatch(line):
            kind = self._types.get(module[1])
            charge = self._types.get(module[2] or "")
            is_charge = charge is not None and charge.category_id == CHARGE
            return None if kind is None else Line(kind, charge=charge if is_charge else None)
        return None

    def _cut_racks(self, fit: ReadFit) -> None:
        """Leave out what is beyond the slots."""
        subsystems = [self._universe.types[entry[0]] for entry in fit.racks["subsystem"] if entry is not None]
        parts = [fit.hull, *subsystems]
        most = {
            "high": sum(part.high_slots or 0 for part in parts),
            "mid": sum(part.mid_slots or 0 for part in parts),
            "low": sum(part.low_slots or 0 for part in parts),
            "rig": sum(part.rig_slots or 0 for part in parts),
            "service": sum(part.service_slots or 0 for part in parts),
        }
        for slot, rack in fit.racks.items():
            beyond = rack[most.get(slot, len(rack)) :]
            del rack[most.get(slot, len(rack)) :]
            fit.left_out += [entry[0] for entry in beyond if entry is not None]


def _is_bay(section: list[Line | None], category: int) -> bool:
    return bool(section) and all(
        line is not None and line.number is not None and line.type.category_id == category for line in section
    )


def _is_module(line: Line | None) -> bool:
    return line is not None and line.number is None and line.type.category_id in MODULES


def _is_implant(line: Line | None) -> bool:
    return line is not None and line.number is None and line.type.category_id == IMPLANT


def _take(section: list[Line | None], fit: ReadFit, has_bay: dict[int, bool]) -> None:
    if all(line is None or _is_module(line) for line in section):
        _take_rack(section, fit)
        return
    is_one_kind = all(_is_implant(line) for line in section) or all(
        line is not None and line.number is not None for line in section
    )
    is_bay = any(_is_bay(section, kind) for kind in has_bay)
    for line in section:
        if line is None:
            continue
        category = line.type.category_id
        if line.number is None:
            if category == IMPLANT:
                fit.implants[line.type.type_id] += 1
            elif category in MODULES:
                _take_rack([line], fit)
        elif category in has_bay and (is_bay or (not is_one_kind and not has_bay[category])):
            if category == DRONE:
                fit.drones[line.type.type_id] += line.number
            else:
                fit.squadrons.append((line.type.type_id, line.number))
        else:
            fit.cargo[line.type.type_id] += line.number


def _take_rack(section: list[Line | None], fit: ReadFit) -> None:
    slots = {line.type.slot for line in section if line is not None}
    for line in section:
        if line is not None:
            entry = line.type.type_id, (None if line.charge is None else line.charge.type_id)
            if line.type.slot is not None:
                fit.racks[line.type.slot].append(entry)
        elif len(slots) == 1 and (slot := next(iter(slots))) is not None:
            fit.racks[slot].append(None)
