"""Item flags: where in a ship, a structure or a hangar an item was, and to which bay of a page that belongs.

A flag is CCP's number of a place. Every flag belongs to exactly one bay; a flag CCP adds later belongs to OTHER until
it is added here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Bay(StrEnum):
    """A section of a fitting, in the order a page shows them: as the game's own text format (EFT), then the holds."""

    LOW = "low"
    MID = "mid"
    HIGH = "high"
    RIG = "rig"
    SUBSYSTEM = "subsystem"
    SERVICE = "service"
    DRONE_BAY = "drone_bay"
    FIGHTER_TUBE = "fighter_tube"
    FIGHTER_BAY = "fighter_bay"
    IMPLANT = "implant"
    BOOSTER = "booster"
    CARGO = "cargo"
    FLEET_HANGAR = "fleet_hangar"
    SHIP_HANGAR = "ship_hangar"
    FUEL_BAY = "fuel_bay"
    MINING_HOLD = "mining_hold"
    GAS_HOLD = "gas_hold"
    ICE_HOLD = "ice_hold"
    MINERAL_HOLD = "mineral_hold"
    SALVAGE_HOLD = "salvage_hold"
    SHIP_HOLD = "ship_hold"
    AMMO_HOLD = "ammo_hold"
    COMMAND_CENTER_HOLD = "command_center_hold"
    PLANETARY_HOLD = "planetary_hold"
    MATERIAL_BAY = "material_bay"
    QUAFE_BAY = "quafe_bay"
    BOOSTER_BAY = "booster_bay"
    SUBSYSTEM_BAY = "subsystem_bay"
    ESCAPE_BAY = "escape_bay"
    MOBILE_DEPOT = "mobile_depot"
    DEED_BAY = "deed_bay"
    MOON_MATERIAL_BAY = "moon_material_bay"
    INFRASTRUCTURE_HOLD = "infrastructure_hold"
    EXPEDITION_HOLD = "expedition_hold"
    CORPSE_HOLD = "corpse_hold"
    STRUCTURE_FUEL = "structure_fuel"
    CORPORATION_HANGAR = "corporation_hangar"
    HANGAR = "hangar"
    CAPSULEER_DELIVERIES = "capsuleer_deliveries"
    OFFICE = "office"
    OTHER = "other"

    @property
    def label(self) -> str:
        """Return the heading of the section."""
        return BAY_LABELS[self]

    @property
    def order(self) -> int:
        """Return the section's place on a page, from 0."""
        return BAY_ORDER[self]


BAY_LABELS: Mapping[Bay, str] = {
    Bay.LOW: "Low slots",
    Bay.MID: "Mid slots",
    Bay.HIGH: "High slots",
    Bay.RIG: "Rigs",
    Bay.SUBSYSTEM: "Subsystems",
    Bay.SERVICE: "Service slots",
    Bay.DRONE_BAY: "Drone bay",
    Bay.FIGHTER_TUBE: "Fighter tubes",
    Bay.FIGHTER_BAY: "Fighter bay",
    Bay.IMPLANT: "Implants",
    Bay.BOOSTER: "Boosters",
    Bay.CARGO: "Cargo hold",
    Bay.FLEET_HANGAR: "Fleet hangar",
    Bay.SHIP_HANGAR: "Ship maintenance bay",
    Bay.FUEL_BAY: "Fuel bay",
    Bay.MINING_HOLD: "Mining hold",
    Bay.GAS_HOLD: "Gas hold",
    Bay.ICE_HOLD: "Ice hold",
    Bay.MINERAL_HOLD: "Mineral hold",
    Bay.SALVAGE_HOLD: "Salvage hold",
    Bay.SHIP_HOLD: "Ship hold",
    Bay.AMMO_HOLD: "Ammunition hold",
    Bay.COMMAND_CENTER_HOLD: "Command center hold",
    Bay.PLANETARY_HOLD: "Planetary commodities hold",
    Bay.MATERIAL_BAY: "Material bay",
    Bay.QUAFE_BAY: "Quafe bay",
    Bay.BOOSTER_BAY: "Booster hold",
    Bay.SUBSYSTEM_BAY: "Subsystem hold",
    Bay.ESCAPE_BAY: "Frigate escape bay",
    Bay.MOBILE_DEPOT: "Mobile depot",
    Bay.DEED_BAY: "Structure deed bay",
    Bay.MOON_MATERIAL_BAY: "Moon material bay",
    Bay.INFRASTRUCTURE_HOLD: "Infrastructure hold",
    Bay.EXPEDITION_HOLD: "Expedition hold",
    Bay.CORPSE_HOLD: "Corpse hold",
    Bay.STRUCTURE_FUEL: "Structure fuel bay",
    Bay.CORPORATION_HANGAR: "Corporation hangar",
    Bay.HANGAR: "Hangar",
    Bay.CAPSULEER_DELIVERIES: "Capsuleer deliveries",
    Bay.OFFICE: "Office",
    Bay.OTHER: "Elsewhere",
}
BAY_ORDER: Mapping[Bay, int] = {bay: order for order, bay in enumerate(Bay)}

# A place in one of these has a number, from 1.
SLOT_WORDS: Mapping[Bay, str] = {
    Bay.LOW: "Low slot",
    Bay.MID: "Mid slot",
    Bay.HIGH: "High slot",
    Bay.RIG: "Rig slot",
    Bay.SUBSYSTEM: "Subsystem slot",
    Bay.SERVICE: "Service slot",
    Bay.FIGHTER_TUBE: "Fighter tube",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """A place: CCP's number, CCP's name, CCP's text, and the bay it belongs to."""

    flag_id: int
    name: str
    text: str
    bay: Bay


# Source: invFlags of CCP's static data (the last release that had the table, with 185 and 187). 186 was seen on Metenox
# Moon Drills; 174 is the bay that ESI calls CorpseBay; 188 is the last of the flags that ESI lists (ExpeditionHold).
FLAG_ROWS: tuple[tuple[int, str, str, Bay], ...] = (
    (0, "None", "None", Bay.OTHER),
    (1, "Wallet", "Wallet", Bay.OTHER),
    (2, "Offices", "OfficeFolder", Bay.OFFICE),
    (3, "Wardrobe", "Wardrobe", Bay.HANGAR),
    (4, "Hangar", "Hangar", Bay.HANGAR),
    (5, "Cargo", "Cargo", Bay.CARGO),
    (6, "OfficeImpound", "Impounded Offices", Bay.OFFICE),
    (7, "Skill", "Skill", Bay.OTHER),
    (8, "Reward", "Reward", Bay.OTHER),
    (11, "LoSlot0", "Low power slot 1", Bay.LOW),
    (12, "LoSlot1", "Low power slot 2", Bay.LOW),
    (13, "LoSlot2", "Low power slot 3", Bay.LOW),
    (14, "LoSlot3", "Low power slot 4", Bay.LOW),
    (15, "LoSlot4", "Low power slot 5", Bay.LOW),
    (16, "LoSlot5", "Low power slot 6", Bay.LOW),
    (17, "LoSlot6", "Low power slot 7", Bay.LOW),
    (18, "LoSlot7", "Low power slot 8", Bay.LOW),
    (19, "MedSlot0", "Medium power slot 1", Bay.MID),
    (20, "MedSlot1", "Medium power slot 2", Bay.MID),
    (21, "MedSlot2", "Medium power slot 3", Bay.MID),
    (22, "MedSlot3", "Medium power slot 4", Bay.MID),
    (23, "MedSlot4", "Medium power slot 5", Bay.MID),
    (24, "MedSlot5", "Medium power slot 6", Bay.MID),
    (25, "MedSlot6", "Medium power slot 7", Bay.MID),
    (26, "MedSlot7", "Medium power slot 8", Bay.MID),
    (27, "HiSlot0", "High power slot 1", Bay.HIGH),
    (28, "HiSlot1", "High power slot 2", Bay.HIGH),
    (29, "HiSlot2", "High power slot 3", Bay.HIGH),
    (30, "HiSlot3", "High power slot 4", Bay.HIGH),
    (31, "HiSlot4", "High power slot 5", Bay.HIGH),
    (32, "HiSlot5", "High power slot 6", Bay.HIGH),
    (33, "HiSlot6", "High power slot 7", Bay.HIGH),
    (34, "HiSlot7", "High power slot 8", Bay.HIGH),
    (35, "Fixed Slot", "Fixed Slot", Bay.OTHER),
    (36, "AssetSafety", "Asset Safety", Bay.HANGAR),
    (56, "Capsule", "Capsule", Bay.OTHER),
    (57, "Pilot", "Pilot", Bay.OTHER),
    (61, "Skill In Training", "Skill in training", Bay.OTHER),
    (62, "CorpMarket", "Corporation Market Deliveries / Returns", Bay.CORPORATION_HANGAR),
    (63, "Locked", "Locked item, can not be moved unless unlocked", Bay.OTHER),
    (64, "Unlocked", "Unlocked item, can be moved", Bay.OTHER),
    (70, "Office Slot 1", "Office slot 1", Bay.OFFICE),
    (71, "Office Slot 2", "Office slot 2", Bay.OFFICE),
    (72, "Office Slot 3", "Office slot 3", Bay.OFFICE),
    (73, "Office Slot 4", "Office slot 4", Bay.OFFICE),
    (74, "Office Slot 5", "Office slot 5", Bay.OFFICE),
    (75, "Office Slot 6", "Office slot 6", Bay.OFFICE),
    (76, "Office Slot 7", "Office slot 7", Bay.OFFICE),
    (77, "Office Slot 8", "Office slot 8", Bay.OFFICE),
    (78, "Office Slot 9", "Office slot 9", Bay.OFFICE),
    (79, "Office Slot 10", "Office slot 10", Bay.OFFICE),
    (80, "Office Slot 11", "Office slot 11", Bay.OFFICE),
    (81, "Office Slot 12", "Office slot 12", Bay.OFFICE),
    (82, "Office Slot 13", "Office slot 13", Bay.OFFICE),
    (83, "Office Slot 14", "Office slot 14", Bay.OFFICE),
    (84, "Office Slot 15", "Office slot 15", Bay.OFFICE),
    (85, "Office Slot 16", "Office slot 16", Bay.OFFICE),
    (86, "Bonus", "Bonus", Bay.OTHER),
    (87, "DroneBay", "Drone Bay", Bay.DRONE_BAY),
    (88, "Booster", "Booster", Bay.BOOSTER),
    (89, "Implant", "Implant", Bay.IMPLANT),
    (90, "ShipHangar", "Ship Hangar", Bay.SHIP_HANGAR),
    (91, "ShipOffline", "Ship Offline", Bay.SHIP_HANGAR),
    (92, "RigSlot0", "Rig power slot 1", Bay.RIG),
    (93, "RigSlot1", "Rig power slot 2", Bay.RIG),
    (94, "RigSlot2", "Rig power slot 3", Bay.RIG),
    (95, "RigSlot3", "Rig power slot 4", Bay.RIG),
    (96, "RigSlot4", "Rig power slot 5", Bay.RIG),
    (97, "RigSlot5", "Rig power slot 6", Bay.RIG),
    (98, "RigSlot6", "Rig power slot 7", Bay.RIG),
    (99, "RigSlot7", "Rig power slot 8", Bay.RIG),
    (115, "CorpSAG1", "Corp Security Access Group 1", Bay.CORPORATION_HANGAR),
    (116, "CorpSAG2", "Corp Security Access Group 2", Bay.CORPORATION_HANGAR),
    (117, "CorpSAG3", "Corp Security Access Group 3", Bay.CORPORATION_HANGAR),
    (118, "CorpSAG4", "Corp Security Access Group 4", Bay.CORPORATION_HANGAR),
    (119, "CorpSAG5", "Corp Security Access Group 5", Bay.CORPORATION_HANGAR),
    (120, "CorpSAG6", "Corp Security Access Group 6", Bay.CORPORATION_HANGAR),
    (121, "CorpSAG7", "Corp Security Access Group 7", Bay.CORPORATION_HANGAR),
    (122, "SecondaryStorage", "Secondary Storage", Bay.CORPORATION_HANGAR),
    (125, "SubSystem0", "Sub system slot 0", Bay.SUBSYSTEM),
    (126, "SubSystem1", "Sub system slot 1", Bay.SUBSYSTEM),
    (127, "SubSystem2", "Sub system slot 2", Bay.SUBSYSTEM),
    (128, "SubSystem3", "Sub system slot 3", Bay.SUBSYSTEM),
    (129, "SubSystem4", "Sub system slot 4", Bay.SUBSYSTEM),
    (130, "SubSystem5", "Sub system slot 5", Bay.SUBSYSTEM),
    (131, "SubSystem6", "Sub system slot 6", Bay.SUBSYSTEM),
    (132, "SubSystem7", "Sub system slot 7", Bay.SUBSYSTEM),
    (133, "SpecializedFuelBay", "Specialized Fuel Bay", Bay.FUEL_BAY),
    (134, "SpecializedAsteroidHold", "Specialized Asteroid Hold", Bay.MINING_HOLD),
    (135, "SpecializedGasHold", "Specialized Gas Hold", Bay.GAS_HOLD),
    (136, "SpecializedMineralHold", "Specialized Mineral Hold", Bay.MINERAL_HOLD),
    (137, "SpecializedSalvageHold", "Specialized Salvage Hold", Bay.SALVAGE_HOLD),
    (138, "SpecializedShipHold", "Specialized Ship Hold", Bay.SHIP_HOLD),
    (139, "SpecializedSmallShipHold", "Specialized Small Ship Hold", Bay.SHIP_HOLD),
    (140, "SpecializedMediumShipHold", "Specialized Medium Ship Hold", Bay.SHIP_HOLD),
    (141, "SpecializedLargeShipHold", "Specialized Large Ship Hold", Bay.SHIP_HOLD),
    (142, "SpecializedIndustrialShipHold", "Specialized Industrial Ship Hold", Bay.SHIP_HOLD),
    (143, "SpecializedAmmoHold", "Specialized Ammo Hold", Bay.AMMO_HOLD),
    (144, "StructureActive", "Structure Active", Bay.OTHER),
    (145, "StructureInactive", "Structure Inactive", Bay.OTHER),
    (146, "JunkyardReprocessed", "This item was put into a junkyard through reprocession.", Bay.OTHER),
    (147, "JunkyardTrashed", "This item was put into a junkyard through being trashed by its owner.", Bay.OTHER),
    (148, "SpecializedCommandCenterHold", "Specialized Command Center Hold", Bay.COMMAND_CENTER_HOLD),
    (149, "SpecializedPlanetaryCommoditiesHold", "Specialized Planetary Commodities Hold", Bay.PLANETARY_HOLD),
    (150, "PlanetSurface", "Planet Surface", Bay.OTHER),
    (151, "SpecializedMaterialBay", "Specialized Material Bay", Bay.MATERIAL_BAY),
    (152, "DustCharacterDatabank", "Dust Character Databank", Bay.OTHER),
    (153, "DustCharacterBattle", "Dust Character Battle", Bay.OTHER),
    (154, "QuafeBay", "Quafe Bay", Bay.QUAFE_BAY),
    (155, "FleetHangar", "Fleet Hangar", Bay.FLEET_HANGAR),
    (156, "HiddenModifiers", "Hidden Modifiers", Bay.OTHER),
    (157, "StructureOffline", "Structure Offline", Bay.OTHER),
    (158, "FighterBay", "Fighter Bay", Bay.FIGHTER_BAY),
    (159, "FighterTube0", "Fighter Tube 0", Bay.FIGHTER_TUBE),
    (160, "FighterTube1", "Fighter Tube 1", Bay.FIGHTER_TUBE),
    (161, "FighterTube2", "Fighter Tube 2", Bay.FIGHTER_TUBE),
    (162, "FighterTube3", "Fighter Tube 3", Bay.FIGHTER_TUBE),
    (163, "FighterTube4", "Fighter Tube 4", Bay.FIGHTER_TUBE),
    (164, "StructureServiceSlot0", "Structure service slot 1", Bay.SERVICE),
    (165, "StructureServiceSlot1", "Structure service slot 2", Bay.SERVICE),
    (166, "StructureServiceSlot2", "Structure service slot 3", Bay.SERVICE),
    (167, "StructureServiceSlot3", "Structure service slot 4", Bay.SERVICE),
    (168, "StructureServiceSlot4", "Structure service slot 5", Bay.SERVICE),
    (169, "StructureServiceSlot5", "Structure service slot 6", Bay.SERVICE),
    (170, "StructureServiceSlot6", "Structure service slot 7", Bay.SERVICE),
    (171, "StructureServiceSlot7", "Structure service slot 8", Bay.SERVICE),
    (172, "StructureFuel", "Structure Fuel", Bay.STRUCTURE_FUEL),
    (173, "Deliveries", "Deliveries", Bay.HANGAR),
    (174, "CrateLoot", "Crate Loot", Bay.CORPSE_HOLD),
    (176, "BoosterBay", "Booster Hold", Bay.BOOSTER_BAY),
    (177, "SubsystemBay", "Subsystem Hold", Bay.SUBSYSTEM_BAY),
    (178, "Raffles", "Raffles Hangar", Bay.HANGAR),
    (179, "FrigateEscapeBay", "Frigate escape bay Hangar", Bay.ESCAPE_BAY),
    (180, "StructureDeedBay", "Structure Deed Bay", Bay.DEED_BAY),
    (181, "SpecializedIceHold", "Specialized Ice Hold", Bay.ICE_HOLD),
    (182, "SpecializedAsteroidHold", "Specialized Asteroid Hold", Bay.MINING_HOLD),
    (183, "MobileDepot", "Mobile Depot", Bay.MOBILE_DEPOT),
    (184, "CorpProjectsHangar", "Corporation Projects Hangar", Bay.CORPORATION_HANGAR),
    (185, "ColonyResourcesHold", "Infrastructure Hold", Bay.INFRASTRUCTURE_HOLD),
    (186, "MoonMaterialBay", "Moon Material Bay", Bay.MOON_MATERIAL_BAY),
    (187, "CapsuleerDeliveries", "Capsuleer Deliveries", Bay.CAPSULEER_DELIVERIES),
    (188, "ExpeditionHold", "Expedition Hold", Bay.EXPEDITION_HOLD),
)
FLAGS: Mapping[int, Flag] = {row[0]: Flag(*row) for row in FLAG_ROWS}
FIRST_FLAGS: Mapping[Bay, int] = {row[3]: row[0] for row in reversed(FLAG_ROWS)}
FITTED_FLAGS = frozenset(flag.flag_id for flag in FLAGS.values() if flag.bay in SLOT_WORDS)


def bay_of(flag: int) -> Bay:
    """Return the bay the flag belongs to; OTHER for a number not known."""
    found = FLAGS.get(flag)
    return Bay.OTHER if found is None else found.bay


def slot_of(flag: int) -> str:
    """Return the code of the flag's bay: `high`, `cargo`, `other`."""
    return bay_of(flag).value


def flag_name(flag: int) -> str:
    """Return the place in words: `High slot 1`, `Drone Bay`; a number not known is shown as such."""
    found = FLAGS.get(flag)
    if found is None:
        return f"Flag {flag}"
    if found.bay not in SLOT_WORDS:
        return found.text
    return f"{SLOT_WORDS[found.bay]} {flag - FIRST_FLAGS[found.bay] + 1}"


def is_fitted(flag: int) -> bool:
    """Tell whether what lies there is part of the fitted value: in a slot of the hull, or in a launch tube.

    Low 11-18, mid 19-26, high 27-34, rig 92-99, subsystem 125-132, fighter tube 159-163, service 164-171.
    Service slots count, other than on zKillboard and EVE-KILL: a service module is fitted, and often worth more than
    all the others of a structure. Implants (89) do not: they are in the pilot's head, no slot of the capsule, and are
    counted as destroyed. Drones, fighters in their bay and cargo are carried.
    """
    return flag in FITTED_FLAGS
