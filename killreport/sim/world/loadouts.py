"""Which groups of modules, charges and goods a hull carries, and how often: tables for `fitting`."""

from __future__ import annotations

import random
from dataclasses import dataclass

from killreport.sim.world.chance import Weighted


@dataclass(frozen=True)
class Weapon:
    """A family of weapons: what is fitted by size of hull, what it shoots, and what improves it."""

    name: str
    by_size: dict[int, tuple[str, ...]]
    charges: dict[str, tuple[str, ...]]
    upgrade: str
    has_calibre: bool

    def groups_for(self, size: int | None) -> tuple[str, ...]:
        """Return the groups of modules for a hull of this size, 1 to 4."""
        return self.by_size.get(size or 2) or self.by_size[2]

    def charges_for(self, group: str) -> tuple[str, ...]:
        """Return the groups of charges the modules of `group` take."""
        return self.charges[group]

    def ending(self, size: int | None) -> str:
        """Return how the names of charges for this size end; missiles have no such ending."""
        return {1: " S", 2: " M", 3: " L", 4: " XL"}[size or 2] if self.has_calibre else ""


def _turret(name: str, group: str, charges: tuple[str, ...], upgrade: str) -> Weapon:
    return Weapon(name, dict.fromkeys((1, 2, 3, 4), (group,)), {group: charges}, upgrade, has_calibre=True)


_MISSILES = Weapon(
    "missiles",
    {
        1: ("Missile Launcher Rocket", "Missile Launcher Light"),
        2: ("Missile Launcher Heavy", "Missile Launcher Heavy Assault", "Missile Launcher Rapid Light"),
        3: ("Missile Launcher Cruise", "Missile Launcher Torpedo", "Missile Launcher Rapid Heavy"),
        4: ("Missile Launcher XL Cruise", "Missile Launcher XL Torpedo"),
    },
    {
        "Missile Launcher Rocket": ("Rocket", "Advanced Rocket"),
        "Missile Launcher Light": ("Light Missile", "Advanced Light Missile"),
        "Missile Launcher Rapid Light": ("Light Missile", "Advanced Light Missile"),
        "Missile Launcher Heavy": ("Heavy Missile", "Advanced Heavy Missile"),
        "Missile Launcher Heavy Assault": ("Heavy Assault Missile", "Advanced Heavy Assault Missile"),
        "Missile Launcher Rapid Heavy": ("Heavy Missile", "Advanced Heavy Missile"),
        "Missile Launcher Cruise": ("Cruise Missile", "Advanced Cruise Missile"),
        "Missile Launcher Torpedo": ("Torpedo", "Advanced Torpedo"),
        "Missile Launcher XL Cruise": ("XL Cruise Missile",),
        "Missile Launcher XL Torpedo": ("XL Torpedo",),
    },
    "Ballistic Control System",
    has_calibre=False,
)

_HYBRIDS = ("Hybrid Charge", "Hybrid Charge", "Advanced Blaster Charge", "Advanced Railgun Charge")
_LASERS = ("Frequency Crystal", "Frequency Crystal", "Advanced Pulse Laser Crystal", "Advanced Beam Laser Crystal")
_PROJECTILES = ("Projectile Ammo", "Projectile Ammo", "Advanced Autocannon Ammo", "Advanced Artillery Ammo")

WEAPONS: Weighted[Weapon] = Weighted(
    [
        (_turret("hybrids", "Hybrid Weapon", _HYBRIDS, "Magnetic Field Stabilizer"), 30),
        (_turret("lasers", "Energy Weapon", _LASERS, "Heat Sink"), 18),
        (_turret("projectiles", "Projectile Weapon", _PROJECTILES, "Gyrostabilizer"), 24),
        (_MISSILES, 28),
    ]
)

UTILITIES: Weighted[str] = Weighted(
    [
        ("Energy Nosferatu", 5), ("Energy Neutralizer", 6), ("Scan Probe Launcher", 3), ("Cloaking Device", 3),
        ("Smart Bomb", 1), ("Remote Armor Repairer", 2), ("Remote Shield Booster", 2), ("Salvager", 1),
        ("Mining Laser", 1), ("Command Burst", 1),
    ]
)  # fmt: skip

_MIDS: Weighted[str] = Weighted(
    [
        ("Warp Scrambler", 20), ("Stasis Web", 14), ("Shield Extender", 16), ("Shield Hardener", 12),
        ("Capacitor Booster", 6), ("Sensor Booster", 5), ("Tracking Computer", 4), ("Weapon Disruptor", 3), ("ECM", 2),
        ("Capacitor Battery", 3), ("Capacitor Recharger", 2), ("Ancillary Shield Booster", 4), ("Shield Booster", 3),
        ("Target Painter", 2), ("Data Miners", 1), ("Sensor Dampener", 2), ("Missile Guidance Computer", 2),
        ("Micro Jump Drive", 1),
    ]
)  # fmt: skip

_LOWS: Weighted[str] = Weighted(
    [
        ("Armor Hardener", 12), ("Armor Plate", 8), ("Armor Repair Unit", 7), ("Energized Armor Membrane", 8),
        ("Armor Coating", 4), ("Tracking Enhancer", 5), ("Nanofiber Internal Structure", 5), ("Inertial Stabilizer", 3),
        ("Warp Core Stabilizer", 2), ("Power Diagnostic System", 3), ("Drone Damage Modules", 6),
        ("Signal Amplifier", 2),
        ("Reinforced Bulkhead", 2), ("Overdrive Injector System", 2), ("Ancillary Armor Repairer", 2),
        ("Expanded Cargohold", 2), ("Shield Power Relay", 1), ("Capacitor Power Relay", 1),
    ]
)  # fmt: skip

_RIGS: Weighted[str] = Weighted(
    [
        ("Rig Shield", 26), ("Rig Armor", 24), ("Rig Core", 10), ("Rig Navigation", 9), ("Rig Hybrid Weapon", 6),
        ("Rig Energy Weapon", 6), ("Rig Projectile Weapon", 6), ("Rig Launcher", 6), ("Rig Drones", 4),
        ("Rig Scanning", 4), ("Rig Electronic Systems", 3), ("Rig Targeting", 1),
    ]
)  # fmt: skip


def module_group(slot: str, place: int, weapon: Weapon, roll: random.Random) -> str:
    """Return of which group the module at this place of a slot row is; the first mid is a drive on most hulls."""
    unit = roll.random()
    if slot == "mid":
        return "Propulsion Module" if place == 0 and unit < 0.95 else _MIDS.draw(roll.random())
    if slot == "low":
        if place == 0 and unit < 0.7:
            return "Damage Control"
        return weapon.upgrade if unit < 0.35 else _LOWS.draw(roll.random())
    return _RIGS.draw(unit)


SUBSYSTEMS = ("Defensive Subsystem", "Offensive Subsystem", "Propulsion Subsystem", "Core Subsystem")

STRUCTURE_MODULES = {
    "high": ("Structure Energy Neutralizer", "Structure Multirole Missile Launcher", "Structure XL Missile Launcher"),
    "mid": ("Structure Stasis Webifier", "Structure Warp Scrambler", "Structure ECM Battery"),
    "low": ("Structure Weapon Upgrade", "Structure Armor Reinforcer", "Structure Fitting Module"),
    "service": ("Structure Engineering Service Module", "Structure Citadel Service Module"),
}  # fmt: skip

DRONES: Weighted[str] = Weighted(
    [
        ("Combat Drone", 80), ("Logistic Drone", 4), ("Electronic Warfare Drone", 5), ("Mining Drone", 4),
        ("Salvage Drone", 3),
    ]
)  # fmt: skip

IMPLANTS: Weighted[str] = Weighted(
    [
        ("Cyberimplant", 50), ("Cyber Gunnery", 14), ("Cyber Missile", 10), ("Cyber Navigation", 9),
        ("Cyber Engineering", 6), ("Cyber Armor", 6), ("Cyber Shields", 5),
    ]
)  # fmt: skip

CIVILIAN = ("Civilian Gatling Railgun", "Civilian Miner", "Civilian Shield Booster")

ORES = ("Veldspar", "Scordite", "Pyroxeres", "Plagioclase", "Kernite", "Ice", "Spodumain", "Arkonor", "Mercoxit")

# Rows of cargo by group. An empty name stands for a spare module.
CARGO: Weighted[str] = Weighted(
    [
        ("Salvaged Materials", 3394), ("Projectile Ammo", 2680), ("Nanite Repair Paste", 2400), ("Hybrid Charge", 2283),
        ("Light Missile", 1640), ("Frequency Crystal", 1335), ("Capacitor Booster Charge", 1122), ("", 9800),
        ("Advanced Blaster Charge", 1085), ("Commodities", 1071), ("Booster", 960), ("Advanced Light Missile", 904),
        ("Heavy Missile", 875), ("Scanner Probe", 872), ("Combat Drone", 798), ("Advanced Rocket", 766),
        ("Abyssal Filaments", 763), ("Advanced Autocannon Ammo", 732), ("Sensor Booster Script", 724),
        ("Jump Filaments", 693), ("Generic Decryptor", 670), ("Datacores", 638), ("Triglavian Space Filaments", 613),
        ("Materials and Compounds", 583), ("Empire Insignia Drops", 570), ("Cruise Missile", 548), ("Rocket", 499),
        ("Advanced Heavy Missile", 398), ("Advanced Pulse Laser Crystal", 379), ("Torpedo", 356),
        ("Advanced Heavy Assault Missile", 379), ("General", 336), ("Mobile Depot", 250), ("Mobile Tractor Unit", 120),
    ]
)  # fmt: skip

LOOT: Weighted[str] = Weighted(
    [
        ("Salvaged Materials", 20), ("", 45), ("Projectile Ammo", 8), ("Hybrid Charge", 8), ("Frequency Crystal", 6),
        ("Heavy Missile", 4), ("Criminal Tags", 4), ("Commodities", 5), ("Mineral", 4),
    ]
)  # fmt: skip

FREIGHT: Weighted[str] = Weighted(
    [
        ("Mineral", 14), ("", 22), ("Ice Product", 5), ("Moon Materials", 6), ("Composite", 6), ("Commodities", 14),
        ("Fuel Block", 4), ("Salvaged Materials", 8), ("Veldspar", 6), ("Construction Components", 5),
        ("Combat Drone", 4),
        ("Projectile Ammo", 3), ("Biochemical Material", 3), ("Datacores", 2), ("Capital Construction Components", 3),
    ]
)  # fmt: skip

SPARE_MODULES = (
    "Propulsion Module", "Hybrid Weapon", "Warp Scrambler", "ECM", "Shield Hardener", "Projectile Weapon",
    "Energy Weapon", "Armor Hardener", "Damage Control", "Shield Extender",
)  # fmt: skip

BLUEPRINTS = (
    "Frigate Blueprint",
    "Cruiser Blueprint",
    "Destroyer Blueprint",
    "Rig Blueprint",
    "Combat Drone Blueprint",
)
