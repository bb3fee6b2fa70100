"""What things of a kind cost about, in ISK: made-up levels of a believable market, by the names of groups.

Nobody observed these figures; they only have the right size, so that a made-up kill is worth what one expects.
"""

from __future__ import annotations

from typing import Final

M: Final = 1_000_000.0
B: Final = 1_000_000_000.0

# Hulls as they come off the assembly line, and as the factions sell them.
HULLS: dict[str, tuple[float, float]] = {
    "Corvette": (10_000, 1 * M), "Shuttle": (50_000, 8 * M), "Frigate": (0.5 * M, 20 * M),
    "Destroyer": (1.6 * M, 40 * M), "Cruiser": (10 * M, 110 * M), "Hauler": (2 * M, 30 * M),
    "Combat Battlecruiser": (60 * M, 260 * M), "Attack Battlecruiser": (75 * M, 260 * M),
    "Battleship": (210 * M, 550 * M), "Mining Barge": (35 * M, 90 * M), "Industrial Command Ship": (0.9 * B, 1.3 * B),
    "Prototype Exploration Ship": (40 * M, 40 * M), "Special Edition Yachts": (80 * M, 160 * M),
    "Freighter": (1.7 * B, 3.5 * B), "Dreadnought": (3.6 * B, 9 * B), "Carrier": (2.4 * B, 4 * B),
    "Force Auxiliary": (2.6 * B, 6 * B), "Capital Industrial Ship": (3.4 * B, 3.4 * B),
    "Supercarrier": (28 * B, 60 * B), "Titan": (105 * B, 200 * B),
    "Assault Frigate": (30 * M, 2 * B), "Interceptor": (22 * M, 2 * B), "Covert Ops": (22 * M, 2 * B),
    "Stealth Bomber": (32 * M, 2 * B), "Electronic Attack Ship": (26 * M, 2 * B), "Logistics Frigate": (26 * M, 2 * B),
    "Expedition Frigate": (40 * M, 60 * M), "Interdictor": (55 * M, 2 * B), "Command Destroyer": (52 * M, 2 * B),
    "Tactical Destroyer": (48 * M, 2 * B), "Heavy Assault Cruiser": (240 * M, 6 * B),
    "Heavy Interdiction Cruiser": (270 * M, 6 * B), "Logistics": (230 * M, 6 * B),
    "Combat Recon Ship": (220 * M, 6 * B),
    "Force Recon Ship": (230 * M, 6 * B), "Strategic Cruiser": (190 * M, 6 * B), "Flag Cruiser": (260 * M, 6 * B),
    "Command Ship": (430 * M, 6 * B), "Exhumer": (240 * M, 400 * M), "Deep Space Transport": (190 * M, 400 * M),
    "Blockade Runner": (170 * M, 400 * M), "Expedition Command Ship": (600 * M, 600 * M), "Marauder": (1.5 * B, 20 * B),
    "Black Ops": (1.2 * B, 20 * B), "Jump Freighter": (8.5 * B, 10 * B), "Lancer Dreadnought": (8 * B, 9 * B),
    "Command Carrier": (9 * B, 9 * B),
}  # fmt: skip
OTHER_HULL: Final = (90 * M, 500 * M)

# Modules that are no rigs, by meta group (None: none given); those of capitals cost so much more.
MODULES: dict[int | None, float] = {
    None: 60_000, 1: 40_000, 2: 1.5 * M, 3: 12 * M, 4: 65 * M, 5: 1.1 * B, 6: 160 * M, 14: 40 * M, 15: 60 * M,
    17: 20 * M,
}  # fmt: skip
CAPITAL_FACTOR: dict[int | None, float] = {None: 60, 1: 100, 2: 25, 4: 8, 6: 8}
# By size, 1 for small to 4 for capital; of the second technology so much more.
RIGS: dict[int, float] = {1: 0.35 * M, 2: 2.5 * M, 3: 10 * M, 4: 95 * M}
T2_RIG_FACTOR: Final = 14.0
STRUCTURE_RIGS: dict[int, float] = {2: 90 * M, 3: 700 * M, 4: 3.2 * B}
STRUCTURE_MODULE: Final = 60 * M
T2_STRUCTURE_FACTOR: Final = 6.0

# Ammunition by how its name ends, and by meta group; other charges by a word in the name of their group.
ROUNDS: dict[str, float] = {" S": 18, " M": 60, " L": 180, " XL": 1_100}
ROUND_FACTOR: dict[int | None, float] = {2: 8, 4: 30, 6: 30}
CHARGES: tuple[tuple[str, float], ...] = (
    ("Guided Bomb", 0.9 * M), ("Bomb", 0.6 * M), ("Structure", 0.8 * M), ("Script", 25_000),
    ("Mining Crystal", 1.1 * M),
    ("Mercoxit", 2 * M), ("Crystal", 9_000), ("XL Torpedo", 18_000), ("XL Cruise", 16_000), ("Torpedo", 1_400),
    ("Cruise Missile", 900), ("Heavy", 320), ("Light Missile", 130), ("Rocket", 70), ("Missile", 300),
    ("Nanite", 26_000), ("Capacitor", 9_000), ("Scanner Probe", 120_000), ("Survey Probe", 60_000),
    ("Interdiction", 60_000), ("Command Burst", 3_500), ("Mining Foreman", 3_500), ("Festival", 4_000),
    ("SCARAB", 30_000),
)  # fmt: skip
OTHER_CHARGE: Final = 250.0

MINERALS: dict[int, float] = {34: 4.4, 35: 24, 36: 78, 37: 210, 38: 900, 39: 1_350, 40: 2_900, 11399: 42_000}

# Groups that stand out of their category.
GROUPS: dict[str, float] = {
    "PLEX": 5.6 * M, "Skill Injectors": 800 * M, "Legacy Currency": 500 * M, "Services": 900 * M,
    "Capital Construction Components": 9 * M, "Advanced Capital Construction Components": 45 * M,
    "Construction Components": 40_000, "Hybrid Tech Components": 4.5 * M, "Datacores": 90_000, "Mutaplasmids": 9 * M,
    "Abyssal Filaments": 6 * M, "Jump Filaments": 3 * M, "Criminal Tags": 0.6 * M, "Security Tags": 22 * M,
    "Overseer Personal Effects": 4 * M, "Sleeper Components": 0.4 * M, "General": 900, "Commodities": 3_000,
    "Livestock": 2_500, "Frozen": 500, "Radioactive": 9_000, "Drugs": 20_000,
    "Moon Materials": 6_000, "Intermediate Materials": 900, "Composite": 4_000, "Hybrid Polymers": 120_000,
    "Biochemical Material": 60_000, "Fuel Block": 21_000, "Ice Product": 900, "Salvaged Materials": 90_000,
    "Ancient Salvage": 1.1 * M, "Molecular-Forged Materials": 3.5 * M, "Unrefined Mineral": 12,
    "Ice": 240_000, "Mercoxit": 9_000, "Exceptional Moon Asteroids": 11_000, "Rare Moon Asteroids": 7_000,
    "Uncommon Moon Asteroids": 4_000, "Common Moon Asteroids": 2_500, "Ubiquitous Moon Asteroids": 1_500,
    "Harvestable Cloud": 30_000, "Compressed Gas": 32_000, "Freight Container": 300_000,
    "Basic Commodities - Tier 1": 600, "Refined Commodities - Tier 2": 9_000,
    "Specialized Commodities - Tier 3": 75_000, "Advanced Commodities - Tier 4": 1.3 * M,
    "Citadel": 1 * B, "Engineering Complex": 1 * B, "Refinery": 1 * B, "Upwell Cyno Beacon": 0.5 * B,
    "Upwell Cyno Jammer": 0.7 * B, "Upwell Jump Bridge": 2.6 * B, "Upwell Moon Drill": 0.35 * B,
    "Light Fighter": 14 * M, "Support Fighter": 16 * M, "Heavy Fighter": 38 * M, "Structure Light Fighter": 14 * M,
    "Structure Support Fighter": 16 * M, "Structure Heavy Fighter": 38 * M, "Booster": 2.5 * M,
    "Cyberimplant": 70 * M, "Mobile Depot": 1.2 * M, "Mobile Tractor Unit": 7 * M, "Mobile Warp Disruptor": 12 * M,
    "Encounter Surveillance System": 40 * M, "Mercenary Den": 160 * M,
}  # fmt: skip
STRUCTURE_SIZE_FACTOR: dict[int, float] = {3: 9, 4: 130}

# By category, and how far apart the types of one are: 2 is from half to twice as much.
CATEGORIES: dict[str, tuple[float, float]] = {
    "Drone": (60_000, 4), "Fighter": (16 * M, 1.3), "Implant": (18 * M, 4), "Subsystem": (48 * M, 1.4),
    "Deployable": (25 * M, 2), "Starbase": (70 * M, 4), "Structure": (1 * B, 1.3), "Skill": (4 * M, 5),
    "Blueprint": (6 * M, 8), "Commodity": (250_000, 4), "Material": (9_000, 3), "Asteroid": (220, 4),
    "SKINs": (16 * M, 3), "Personalization": (20 * M, 3), "Apparel": (30 * M, 3),
    "Special Edition Assets": (60 * M, 3), "Infrastructure Upgrades": (220 * M, 2), "Celestial": (25_000, 2),
    "Planetary Resources": (5, 1.6), "Ancient Relics": (1.4 * M, 3), "Decryptors": (1.2 * M, 2),
    "Accessories": (50 * M, 2),
}  # fmt: skip
OTHER_CATEGORY: Final = (1 * M, 3.0)
# Of everything that no table of its own tells apart by technology.
META_FACTORS: dict[int | None, float] = {2: 12, 3: 8, 4: 25, 5: 300, 6: 60, 53: 6}
