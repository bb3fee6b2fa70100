"""A fitting as the written formats take it: racks, drones, fighters, implants and a hold for all the rest.

The readers of those formats know a module by its type, not by where it was written: a rack holds only what belongs in
it, and what has no place among the slots is cargo. Nothing is lost, and nothing is counted twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from killreport.eve.flags import Bay
from killreport.eve.universe import Universe
from killreport.killmail.shown.fitting import CHARGE_CATEGORY, Content, Fitting, FittingSection, FittingSlot

# In the order that every format has them.
RACKS = (Bay.LOW, Bay.MID, Bay.HIGH, Bay.RIG, Bay.SUBSYSTEM, Bay.SERVICE)
DRONE_CATEGORY, FIGHTER_CATEGORY, IMPLANT_CATEGORY = 18, 87, 20
# A bay holds some dozens of squadrons, a head ten implants; a mail that claims a million does not get as many lines.
MAX_SQUADRONS = 100
MAX_ALIKE = 10


@dataclass(slots=True)
class RackSlot:
    """A slot of a rack: the type of its module and of what is loaded, None where it is empty."""

    module: int | None = None
    charge: int | None = None


@dataclass(slots=True)
class Loadout:
    """What a ship had, by type id. racks: empty slots too, in their order. squadrons: type and number of each.

    loaded: the charges in the modules of the racks, of which a place tells only the type. cargo: everything else.
    """

    ship_type_id: int
    racks: dict[Bay, list[RackSlot]] = field(default_factory=dict)
    drones: Counter[int] = field(default_factory=Counter)
    squadrons: list[tuple[int, int]] = field(default_factory=list)
    implants: list[int] = field(default_factory=list)
    loaded: Counter[int] = field(default_factory=Counter)
    cargo: Counter[int] = field(default_factory=Counter)


def loadout_of(fitting: Fitting, universe: Universe) -> Loadout:
    """Return the fitting as a format writes it. Everything counts, dropped or destroyed.

    What a container held lies beside it in the cargo, because the formats know no containers.
    """
    loadout = Loadout(fitting.ship_type_id)
    for section in fitting.sections:
        match section.bay:
            case bay if bay in RACKS:
                loadout.racks[bay] = _fill_rack(section, loadout, universe)
            case Bay.DRONE_BAY | Bay.FIGHTER_BAY | Bay.FIGHTER_TUBE:
                _fill_bays(section, loadout, universe)
            case Bay.IMPLANT | Bay.BOOSTER:
                _fill_head(section, loadout, universe)
            case _:
                _stow(loadout, _contents_of(section))
    return loadout


def _fill_rack(section: FittingSection, loadout: Loadout, universe: Universe) -> list[RackSlot]:
    """Return the places of a rack; a further module at a flag takes a free place, and is cargo where there is none."""
    places = {slot.flag: RackSlot() for slot in section.slots}
    without_place: Counter[int] = Counter()
    for slot in section.slots:
        place = places[slot.flag]
        module = slot.module
        if module is None or not _belongs(module, section.bay, universe):
            _stow(loadout, (*([module] if module else []), *slot.charges))
            continue
        free = int(place.module is None)
        if free:
            place.module = module.row.type_id
            _load(place, slot, loadout)
        without_place[module.row.type_id] += module.quantity - free
        _stow(loadout, module.contents)
    for place in places.values():
        if place.module is None and (type_id := next(iter(+without_place), None)) is not None:
            place.module = type_id
            without_place[type_id] -= 1
    loadout.cargo += without_place
    return list(places.values())


def _load(place: RackSlot, slot: FittingSlot, loadout: Loadout) -> None:
    """Put the slot's charges into the module; a module takes one type, so any other is cargo."""
    for charge in slot.charges:
        if place.charge in (None, charge.row.type_id):
            place.charge = charge.row.type_id
            loadout.loaded[charge.row.type_id] += charge.quantity
            _stow(loadout, charge.contents)
        else:
            _stow(loadout, [charge])


def _belongs(module: Content, bay: Bay, universe: Universe) -> bool:
    """Tell whether the module is of this rack. One that the static data lacks is where the mail says."""
    known = universe.types.get(module.row.type_id)
    return known is None or known.slot == bay.value


def _fill_bays(section: FittingSection, loadout: Loadout, universe: Universe) -> None:
    """Take in drones, and fighters a tube at a time. Until 2016 fighters were in drone bays."""
    tubes: defaultdict[int, list[Content]] = defaultdict(list)
    for slot in section.slots:
        tubes[slot.flag] += slot.contents
    for contents in (*tubes.values(), section.contents):
        fighters: Counter[int] = Counter()
        for content in contents:
            type_id = content.row.type_id
            category = universe.category_id_of(type_id)
            if category is None:
                category = DRONE_CATEGORY if section.bay is Bay.DRONE_BAY else FIGHTER_CATEGORY
            if category == DRONE_CATEGORY:
                loadout.drones[type_id] += content.quantity
            elif category == FIGHTER_CATEGORY:
                fighters[type_id] += content.quantity
            else:
                loadout.cargo[type_id] += content.quantity
            _stow(loadout, content.contents)
        for type_id, number in fighters.items():
            loadout.squadrons += _squadrons(type_id, number, universe)


def _squadrons(type_id: int, number: int, universe: Universe) -> Iterator[tuple[int, int]]:
    """Yield so many fighters in squadrons of the size of today, the last as large as what is left."""
    known = universe.types.get(type_id)
    size = known.squadron_size if known is not None else None
    for _ in range(MAX_SQUADRONS if size else 0):
        if number <= (size or 0):
            break
        yield type_id, size or 0
        number -= size or 0
    if number:
        yield type_id, number


def _fill_head(section: FittingSection, loadout: Loadout, universe: Universe) -> None:
    for content in section.contents:
        type_id = content.row.type_id
        if universe.category_id_of(type_id) not in (IMPLANT_CATEGORY, None):
            _stow(loadout, [content])
            continue
        worn = min(content.quantity, MAX_ALIKE)
        loadout.implants += [type_id] * worn
        loadout.cargo[type_id] += content.quantity - worn
        _stow(loadout, content.contents)


def _contents_of(section: FittingSection) -> Iterator[Content]:
    for slot in section.slots:
        yield from slot.contents
    yield from section.contents


def _stow(loadout: Loadout, contents: Iterable[Content]) -> None:
    for content in contents:
        loadout.cargo[content.row.type_id] += content.quantity
        _stow(loadout, content.contents)


def is_charge(type_id: int, universe: Universe) -> bool:
    """Tell whether it is ammunition, a script, a crystal or the like."""
    return universe.category_id_of(type_id) == CHARGE_CATEGORY
