"""What a hull carries: modules in slots they fit, charges, rigs, drones, cargo, now and then a container.

The exact roll of a real fit is out of reach here; what counts is that every row is of a real type in a bay where such a
type is seen, and that rows, quantities and the share dropped come out like in the game.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any

from killreport.eve.universe import Type, Universe
from killreport.killmail.rules.labels import TOURNAMENT_HULLS
from killreport.market.price import FIXED_BY_TYPE
from killreport.sim.world import loadouts
from killreport.sim.world.chance import Quantiles, Weighted, pick
from killreport.sim.world.hulls import VictimGroup

Row = dict[str, Any]

# First flag of each bay. Source: CCP's inventory flags.
_FIRST_FLAG = {"high": 27, "mid": 19, "low": 11, "rig": 92, "subsystem": 125, "service": 164}
_CARGO, _DRONES, _IMPLANTS, _SHIP_HANGAR, _ORE_HOLD, _FLEET_HANGAR, _ESCAPE_BAY = 5, 87, 89, 90, 134, 155, 179

# Half of what can drop does; rigs and implants never do. Source: the week of 83,228 mails, by flag.
_DROP_SHARE = 0.5

_CARGO_ROWS = Quantiles([(0, 0), (0.28, 0.4), (0.5, 2.6), (0.75, 7.5), (0.9, 13), (0.97, 22), (0.996, 55), (1, 400)])
_LOOT_ROWS = Quantiles([(0, 0), (0.25, 6), (0.5, 19), (0.75, 41), (0.9, 60), (1, 120)])
_HAULER_ROWS = Quantiles([(0, 0), (0.1, 0.5), (0.5, 6), (0.75, 11), (0.9, 22), (0.99, 150), (1, 500)])
_STACK = Quantiles([(0, 0), (0.3, 1.5), (0.6, 20), (0.85, 400), (0.97, 3_000), (1, 60_000)])

# Material, charge, commodity, asteroid: what comes in large stacks.
_STACKED_CATEGORIES = frozenset({4, 8, 17, 25})

# Meta groups: Tech I, II, storyline, faction, officer, deadspace; types that name none are Tech I.
_META_WEIGHTS = {None: 0.2, 1: 0.25, 2: 0.6, 3: 0.02, 4: 0.12, 5: 0.0005, 6: 0.03}

_SIZE_WORDS = {
    4: (
        "Capital|XL|Siege|10000MN|50000MN|Dual Giga|Dual 1000mm|Quad 800mm|Hexa|Triple Neutron|Quad Mega|Ion Siege"
        "|6x2500mm|Dual 2500mm"
    ),
    3: (
        r"Large|Mega|Tachyon|Dual Heavy|Dual 250mm|350mm|425mm Rail\w*|\w+ Blaster Cannon|800mm|Dual 425mm|Dual 650mm"
        "|1200mm|1400mm|Cruise|Torpedo|Rapid Heavy|100MN|500MN|1600mm|X-Large"
    ),
    2: (
        r"Medium|Heavy|Focused|Quad Light|Dual 150mm|200mm Rail\w*|250mm Rail\w*|220mm|425mm Auto\w*|Dual 180mm|650mm"
        "|720mm|Rapid Light|10MN|50MN"
    ),
    1: "Small|Light|75mm|125mm|150mm|200mm|250mm|280mm|Gatling|Rocket|1MN|5MN|100mm|400mm",
}
# The larger sizes come first: their names contain the words of the smaller.
_SIZES = tuple((size, re.compile(rf"\b(?:{words})\b")) for size, words in _SIZE_WORDS.items())


def module_size(name: str) -> int | None:
    """Return for which hulls a module is meant, by its name: 1 small to 4 capital, None where any hull takes it."""
    return next((size for size, pattern in _SIZES if pattern.search(name)), None)


def _is_common(kind: Type) -> bool:
    """Tell what one may meet in space any day: prizes of tournaments and hulls of which a handful exist are not."""
    return kind.is_published and kind.type_id not in TOURNAMENT_HULLS and kind.type_id not in FIXED_BY_TYPE


class Outfitter:
    """Fills hulls. Reads the universe once; every draw comes from the generator it is given."""

    def __init__(self, universe: Universe) -> None:
        """Index the types by group name: the common ones, or all where a group has none."""
        self._universe = universe
        every: dict[str, list[Type]] = {}
        for kind in universe.types.values():
            group = universe.groups.get(kind.group_id)
            if group is not None:
                every.setdefault(group.name, []).append(kind)
        self._by_group = {name: [kind for kind in kinds if _is_common(kind)] or kinds for name, kinds in every.items()}
        self._choices = cache(self._build_choices)

    def types_of(self, group_name: str) -> list[Type]:
        """Return the types of a group, in the order of the static data; the common ones where there are any."""
        return self._by_group.get(group_name, [])

    def _build_choices(self, group_name: str, size: int | None, slot: str | None, ending: str) -> Weighted[int] | None:
        """Return what of a group suits a hull of this size; `ending` is how charges name their calibre."""
        found: list[tuple[int, float]] = []
        for kind in self._by_group.get(group_name, ()):
            fits = module_size(kind.name)
            if kind.slot == slot and kind.name.endswith(ending) and (fits is None or size is None or fits == size):
                found.append((kind.type_id, _META_WEIGHTS.get(kind.meta_group_id, 0.01)))
        return Weighted(found) if found else None

    def _choose(
        self, roll: random.Random, group: str, size: int | None, slot: str | None, ending: str = ""
    ) -> int | None:
        choices = self._choices(group, size, slot, ending)
        return None if choices is None else choices.draw(roll.random())

    def rows(self, hull: Type, group: VictimGroup, roll: random.Random) -> list[Row]:
        """Return the item rows of a lost hull, in no meaningful order, as the game gives them."""
        rows = list(self._rows(hull, group, roll))
        roll.shuffle(rows)
        return rows

    def _rows(self, hull: Type, group: VictimGroup, roll: random.Random) -> Iterator[Row]:
        match group.outfit:
            case "bare":
                return
            case "implants":
                yield from self._implants(roll)
            case "corvette":
                yield from self._corvette(roll)
            case "loot":
                yield from self._cargo(roll, int(_LOOT_ROWS.draw(roll.random())), loadouts.LOOT)
            case "structure":
                yield from self._structure(roll)
            case "hauler":
                yield from self._fit(hull, roll, share=0.5)
                yield from self._cargo(roll, int(_HAULER_ROWS.draw(roll.random())), loadouts.FREIGHT)
            case "fitted" | "miner":
                yield from self._fit(hull, roll, share=0.97)
                yield from self._cargo(roll, int(_CARGO_ROWS.draw(roll.random())), loadouts.CARGO)
                if group.outfit == "miner":
                    yield from self._ore(roll)
        if roll.random() < group.drones:
            yield from self._drones(roll)

    def weapon_of(self, hull: Type, roll: random.Random) -> int:
        """Return what an attacker in this hull shot with: a gun or launcher that fits, or the hull where none does."""
        weapon = loadouts.WEAPONS.draw(roll.random())
        group = pick(weapon.groups_for(hull.rig_size), roll.random())
        if roll.random() < 0.15:
            return hull.type_id
        return self._choose(roll, group, hull.rig_size, "high") or hull.type_id

    def _fit(self, hull: Type, roll: random.Random, share: float) -> Iterator[Row]:
        """Yield modules with their charges, rigs, and subsystems where the hull is made of them."""
        size = hull.rig_size
        weapon = loadouts.WEAPONS.draw(roll.random())
        yield from self._weapons(weapon, hull, size, roll, share)
        slots = (("mid", hull.mid_slots), ("low", hull.low_slots), ("rig", hull.rig_slots))
        for slot, count in slots:
            for place in range(min(8, self._slot_count(slot, count))):
                if roll.random() < share:
                    group = loadouts.module_group(slot, place, weapon, roll)
                    kind = self._choose(roll, group, size, slot)
                    if kind is not None:
                        yield self._row(kind, _FIRST_FLAG[slot] + place, 1, roll, can_drop=slot != "rig")
        if not hull.high_slots:
            yield from self._subsystems(hull, roll)
        if size == 3 and roll.random() < 0.04:
            frigates = self.types_of("Frigate")
            yield self._row(pick(frigates, roll.random()).type_id, _ESCAPE_BAY, 1, roll)

    @staticmethod
    def _slot_count(slot: str, count: int | None) -> int:
        # Hulls made of subsystems have no slots of their own.
        return count or {"high": 5, "mid": 5, "low": 5, "rig": 3}[slot]

    def _weapons(
        self, weapon: loadouts.Weapon, hull: Type, size: int | None, roll: random.Random, share: float
    ) -> Iterator[Row]:
        group = pick(weapon.groups_for(size), roll.random())
        gun = self._choose(roll, group, size, "high")
        charge_group = pick(weapon.charges_for(group), roll.random())
        charge = self._choose(roll, charge_group, None, None, weapon.ending(size))
        highs = min(8, self._slot_count("high", hull.high_slots))
        utilities = roll.randrange(0, 1 + highs // 3)
        for place in range(highs):
            flag = _FIRST_FLAG["high"] + place
            if roll.random() > share:
                continue
            if place >= highs - utilities:
                gun = self._choose(roll, loadouts.UTILITIES.draw(roll.random()), size, "high")
                charge = None
            if gun is not None:
                yield self._row(gun, flag, 1, roll)
            if charge is not None and roll.random() < 0.55:
                yield self._row(charge, flag, roll.randrange(1, 160), roll)

    def _subsystems(self, hull: Type, roll: random.Random) -> Iterator[Row]:
        for ordinal, group in enumerate(loadouts.SUBSYSTEMS):
            kinds = [kind for kind in self.types_of(group) if kind.name.startswith(hull.name)]
            if kinds:
                flag = _FIRST_FLAG["subsystem"] + ordinal
                yield self._row(pick(kinds, roll.random()).type_id, flag, 1, roll)

    def _structure(self, roll: random.Random) -> Iterator[Row]:
        for slot, places in (("high", 5), ("mid", 4), ("low", 4), ("service", 3)):
            for place in range(roll.randrange(places + 1)):
                group = pick(loadouts.STRUCTURE_MODULES[slot], roll.random())
                kind = self._choose(roll, group, None, slot)
                if kind is not None:
                    yield self._row(kind, _FIRST_FLAG[slot] + place, 1, roll)

    def _implants(self, roll: random.Random) -> Iterator[Row]:
        if roll.random() >= 0.23:
            return
        for _ in range(roll.randrange(1, 11)):
            kind = self._choose(roll, loadouts.IMPLANTS.draw(roll.random()), None, None)
            if kind is not None:
                yield self._row(kind, _IMPLANTS, 1, roll, can_drop=False)

    def _corvette(self, roll: random.Random) -> Iterator[Row]:
        """Yield what a corvette comes with: two civilian modules and something to shoot with."""
        for ordinal, name in enumerate(loadouts.CIVILIAN):
            kinds = [kind for kind in self._civilian if kind.name == name]
            if kinds and kinds[0].slot is not None:
                yield self._row(kinds[0].type_id, _FIRST_FLAG[kinds[0].slot] + ordinal, 1, roll)

    @cached_property
    def _civilian(self) -> list[Type]:
        return [kind for kind in self._universe.types.values() if kind.name.startswith("Civilian ")]

    def _drones(self, roll: random.Random) -> Iterator[Row]:
        for _ in range(roll.choice((1, 1, 1, 2, 2, 3))):
            kind = self._choose(roll, loadouts.DRONES.draw(roll.random()), None, None)
            if kind is not None:
                yield from self._split(kind, _DRONES, roll.randrange(1, 8), roll)

    def _ore(self, roll: random.Random) -> Iterator[Row]:
        for _ in range(roll.randrange(4)):
            kind = self._choose(roll, pick(loadouts.ORES, roll.random()), None, None)
            if kind is not None:
                yield self._row(kind, _ORE_HOLD, roll.randrange(50, 9_000), roll)

    def _cargo(self, roll: random.Random, count: int, goods: Weighted[str]) -> Iterator[Row]:
        for _ in range(count):
            kind = self._choose(roll, goods.draw(roll.random()), None, None) or self._any_module(roll)
            yield self._row(kind, _CARGO, self._quantity(kind, roll), roll)
        if count and roll.random() < 0.03:
            yield self._blueprint_copy(roll)
        if count and roll.random() < 0.018:
            yield self._container(roll, goods)

    def _quantity(self, kind: int, roll: random.Random) -> int:
        """Return how many lie in one stack: goods by the hundred, modules and drones one or a few."""
        if self._universe.category_id_of(kind) in _STACKED_CATEGORIES:
            return 1 + int(_STACK.draw(roll.random()))
        return roll.choice((1, 1, 1, 2, 3))

    def _any_module(self, roll: random.Random) -> int:
        group = pick(loadouts.SPARE_MODULES, roll.random())
        return pick(self.types_of(group), roll.random()).type_id

    def _blueprint_copy(self, roll: random.Random) -> Row:
        kind = pick(self.types_of(pick(loadouts.BLUEPRINTS, roll.random())), roll.random())
        return self._row(kind.type_id, _CARGO, 1, roll) | {"singleton": 2}

    def _container(self, roll: random.Random, goods: Weighted[str]) -> Row:
        kind = pick(self.types_of("Secure Cargo Container"), roll.random())
        row = self._row(kind.type_id, _CARGO, 1, roll)
        fate = "quantity_dropped" if "quantity_dropped" in row else "quantity_destroyed"
        inner = []
        for _ in range(1 + int(roll.expovariate(1 / 6))):
            held = self._choose(roll, goods.draw(roll.random()), None, None) or self._any_module(roll)
            inner.append({"flag": 0, "item_type_id": held, fate: self._quantity(held, roll), "singleton": 0})
        return row | {"items": inner}

    def _split(self, kind: int, flag: int, quantity: int, roll: random.Random) -> Iterator[Row]:
        """Yield one row, or two where a part of the stack dropped and the rest did not."""
        dropped = sum(roll.random() < _DROP_SHARE for _ in range(quantity))
        for fate, part in (("quantity_dropped", dropped), ("quantity_destroyed", quantity - dropped)):
            if part:
                yield {"flag": flag, "item_type_id": kind, fate: part, "singleton": 0}

    @staticmethod
    def _row(kind: int, flag: int, quantity: int, roll: random.Random, *, can_drop: bool = True) -> Row:
        fate = "quantity_dropped" if can_drop and roll.random() < _DROP_SHARE else "quantity_destroyed"
        return {"flag": flag, "item_type_id": kind, fate: quantity, "singleton": 0}
