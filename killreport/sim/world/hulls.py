"""What is lost, how often and how: one row a group of victims, from the week of 83,228 real mails of 2021.

Source: the distributions of that week (share of the mails, damage taken, share killed by no player), EVE Ref archives
2021-11-27 to 2021-12-03.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outfit = Literal["fitted", "bare", "implants", "corvette", "loot", "hauler", "miner", "structure"]


@dataclass(frozen=True)
class VictimGroup:
    """How a group of types dies.

    share: of all mails. npc_share: of its mails, with no player among the attackers.
    gang: above 1 the group dies to larger gangs than the average victim, below to smaller ones.
    damage: about the 10th and the 90th percentile of damage taken.
    """

    name: str
    share: float
    damage: tuple[int, int]
    npc_share: float = 0.1
    gang: float = 1.0
    outfit: Outfit = "fitted"
    drones: float = 0.0
    character: bool = True


CAPSULE = "Capsule"

VICTIM_GROUPS = (
    VictimGroup(CAPSULE, 0.2742, (418, 463), 0.12, 0.75, "implants"),
    VictimGroup("Frigate", 0.1527, (836, 4111), 0.16, 0.8, drones=0.3),
    VictimGroup("Cruiser", 0.1008, (5131, 28801), 0.17, 1.3, drones=0.6),
    VictimGroup("Destroyer", 0.0718, (2700, 6436), 0.25, 1.1, drones=0.2),
    VictimGroup("Combat Battlecruiser", 0.0558, (16066, 45853), 0.07, 1.8, drones=0.7),
    VictimGroup("Corvette", 0.0457, (545, 669), 0.6, 0.5, "corvette"),
    VictimGroup("Heavy Assault Cruiser", 0.0272, (8134, 65822), 0.16, 2.8, drones=0.4),
    VictimGroup("Mobile Tractor Unit", 0.024, (43185, 50229), 0.0, 0.4, "loot"),
    VictimGroup("Hauler", 0.021, (2080, 7999), 0.14, 0.6, "hauler"),
    VictimGroup("Battleship", 0.0209, (32570, 105777), 0.1, 2.0, drones=0.9),
    VictimGroup("Shuttle", 0.0203, (99, 557), 0.12, 0.6, "bare"),
    VictimGroup("Assault Frigate", 0.0197, (2128, 7180), 0.4, 1.1, drones=0.2),
    VictimGroup("Tactical Destroyer", 0.0186, (2746, 7180), 0.12, 1.0),
    VictimGroup("Interdictor", 0.0178, (4119, 9469), 0.04, 1.4),
    VictimGroup("Interceptor", 0.0173, (1442, 3613), 0.07, 1.0),
    VictimGroup("Mobile Warp Disruptor", 0.0105, (6578, 202198), 0.0, 0.9, "bare"),
    VictimGroup("Mining Barge", 0.0095, (5495, 27192), 0.13, 0.8, "miner", drones=0.7),
    VictimGroup("Stealth Bomber", 0.0094, (1640, 3189), 0.15, 1.0),
    VictimGroup("Strategic Cruiser", 0.0089, (9883, 55007), 0.12, 1.5, drones=0.3),
    VictimGroup("Covert Ops", 0.008, (1255, 2596), 0.33, 0.7),
    VictimGroup("Attack Battlecruiser", 0.0071, (6382, 13166), 0.16, 1.1),
    VictimGroup("Logistics", 0.0065, (14530, 58985), 0.05, 4.0, drones=0.4),
    VictimGroup("Command Destroyer", 0.0052, (3844, 11284), 0.05, 1.4),
    VictimGroup("Force Recon Ship", 0.0039, (4923, 24026), 0.12, 1.4, drones=0.3),
    VictimGroup("Marauder", 0.0033, (30879, 320331), 0.31, 1.6, drones=0.7),
    VictimGroup("Combat Recon Ship", 0.0027, (4693, 21670), 0.02, 1.6, drones=0.3),
    VictimGroup("Exhumer", 0.0027, (7532, 28896), 0.12, 0.9, "miner", drones=0.7),
    VictimGroup("Electronic Attack Ship", 0.0025, (1148, 3754), 0.04, 1.3),
    VictimGroup("Expedition Frigate", 0.0024, (2204, 4300), 0.04, 0.8, "miner"),
    VictimGroup("Industrial Command Ship", 0.0023, (21069, 83699), 0.04, 1.4, "miner", drones=0.8),
    VictimGroup("Command Ship", 0.0022, (22889, 53166), 0.02, 4.0, drones=0.5),
    VictimGroup("Mobile Depot", 0.0021, (10172, 12704), 0.0, 0.4, "bare"),
    VictimGroup("Logistics Frigate", 0.0019, (2873, 12158), 0.18, 1.4),
    VictimGroup("Deep Space Transport", 0.0018, (10685, 21912), 0.07, 0.9, "hauler"),
    VictimGroup("Blockade Runner", 0.0016, (4111, 9271), 0.06, 0.9, "hauler"),
    VictimGroup("Orbital Infrastructure", 0.0014, (3246181, 4536817), 0.0, 1.6, "bare", character=False),
    VictimGroup("Light Fighter", 0.0014, (20345, 31785), 0.2, 3.0, "bare"),
    VictimGroup("Mobile Analysis Beacon", 0.0013, (25402, 151747), 0.3, 0.6, "bare"),
    VictimGroup("Mobile Cynosural Beacon", 0.0013, (22627, 30104), 0.0, 0.4, "bare"),
    VictimGroup("Heavy Interdiction Cruiser", 0.0013, (7500, 18110), 0.0, 1.4, drones=0.3),
    VictimGroup("Refinery", 0.0007, (4703809, 14244498), 0.0, 2.0, "structure", character=False),
    VictimGroup("Dreadnought", 0.0007, (718720, 9863513), 0.0, 2.5),
    VictimGroup("Shield Hardening Array", 0.0006, (154818, 252152), 0.0, 1.2, "bare", character=False),
    VictimGroup("Citadel", 0.0006, (5892620, 10718127), 0.0, 2.5, "structure", character=False),
    VictimGroup("Control Tower", 0.0005, (5000000, 60000000), 0.0, 1.6, "bare", character=False),
    VictimGroup("Freighter", 0.0004, (150000, 400000), 0.05, 2.5, "hauler"),
    VictimGroup("Black Ops", 0.0004, (30000, 90000), 0.02, 1.8, drones=0.6),
    VictimGroup("Mobile Cyno Inhibitor", 0.0004, (154818, 252152), 0.0, 1.4, "bare"),
    VictimGroup("Mobile Laser Sentry", 0.0004, (60000, 250000), 0.0, 1.2, "bare", character=False),
    VictimGroup("Carrier", 0.0003, (800000, 4000000), 0.02, 3.0),
    VictimGroup("Engineering Complex", 0.0003, (4703809, 14244498), 0.0, 2.0, "structure", character=False),
    VictimGroup("Mobile Micro Jump Unit", 0.0003, (10172, 12704), 0.0, 0.6, "bare"),
    VictimGroup("Mining Drone", 0.0003, (800, 2500), 0.3, 0.6, "bare"),
    VictimGroup("Mobile Observatory", 0.0003, (10172, 30104), 0.0, 0.8, "bare"),
    VictimGroup("Heavy Fighter", 0.0003, (30000, 60000), 0.1, 3.0, "bare"),
    VictimGroup("Electronic Warfare Battery", 0.0002, (60000, 250000), 0.0, 1.2, "bare", character=False),
    VictimGroup("Capital Industrial Ship", 0.0002, (500000, 2000000), 0.0, 2.5, "miner", drones=0.6),
    VictimGroup("Supercarrier", 0.00003, (9000000, 30000000), 0.0, 8.0),
    VictimGroup("Titan", 0.00002, (20000000, 60000000), 0.0, 9.0),
)

# Where kills happen. Abyssal space is rolled apart, since only some hulls enter it.
SPACE_SHARES = (("nullsec", 0.4816), ("lowsec", 0.2187), ("highsec", 0.1139), ("wormhole", 0.0867), ("pochven", 0.0454))
ABYSSAL_GROUPS = frozenset(
    {
        "Frigate",
        "Assault Frigate",
        "Destroyer",
        "Tactical Destroyer",
        "Cruiser",
        "Heavy Assault Cruiser",
        "Strategic Cruiser",
        "Interceptor",
        "Covert Ops",
        "Stealth Bomber",
        CAPSULE,
    }
)

# The systems where the week's kills were many; they come first in their kind of space.
BUSY_SYSTEMS = (
    "Tama", "Jorund", "R1O-GN", "Nalvula", "Jita", "Ahbazon", "Ostingele", "LXQ2-T", "4-HWWF", "Amamake",
    "Heydieles", "EC-P8R", "5ZXX-K", "Uedama", "Miroitem", "Q-5211", "J-ZYSZ", "M-OEE8", "P3EN-E", "O-IVNH",
    "Q-GICU", "Hek", "Fliet", "O-N8XZ", "Kourmonen",
)  # fmt: skip

# What attackers fly, by rows of attackers.
ATTACKER_GROUPS = (
    ("Heavy Assault Cruiser", 116281), ("Combat Battlecruiser", 42483), ("Cruiser", 40113), ("Battleship", 32532),
    ("Destroyer", 20519), ("Frigate", 19914), ("Strategic Cruiser", 14486), ("Tactical Destroyer", 12565),
    ("Assault Frigate", 11735), ("Interceptor", 10890), ("Interdictor", 9529), ("Command Ship", 8635),
    ("Combat Recon Ship", 6498), ("Stealth Bomber", 6023), ("Attack Battlecruiser", 5835), ("Capsule", 5607),
    ("Marauder", 5429), ("Command Destroyer", 3683), ("Heavy Interdiction Cruiser", 3253),
    ("Electronic Attack Ship", 3232), ("Black Ops", 3169), ("Logistics", 3131), ("Force Recon Ship", 2494),
    ("Dreadnought", 2066), ("Flag Cruiser", 1835), ("Carrier", 735), ("Logistics Frigate", 571), ("Supercarrier", 443),
)  # fmt: skip

# Who kills without being a player, by kind of space: group name, weight, faction and corporation it shows.
NPC_GROUPS: dict[str, tuple[tuple[str, int, int | None, int | None], ...]] = {
    "highsec": (
        ("Concord Drone", 3303, None, 1000125), ("Police Drone", 1078, None, 1000125),
        ("Sentry Gun", 600, 500001, None), ("Mission Generic Frigates", 250, None, None),
        ("Asteroid Guristas Frigate", 128, 500010, None),
    ),
    "lowsec": (
        ("Sentry Gun", 999, 500001, None), ("Destructible Sentry Gun", 982, None, None),
        ("Asteroid Serpentis Cruiser", 195, 500020, None), ("Asteroid Guristas Cruiser", 214, 500010, None),
        ("FW Gallente Federation Destroyer", 191, 500004, None), ("Spawn Container", 100, None, None),
    ),
    "nullsec": (
        ("Asteroid Guristas Frigate", 328, 500010, None), ("Asteroid Guristas Battleship", 212, 500010, None),
        ("Asteroid Guristas BattleCruiser", 196, 500010, None), ("Asteroid Serpentis Frigate", 204, 500020, None),
        ("Rogue Drone Entities", 253, 500025, None), ("Deadspace Rogue Drone Battleship", 232, 500025, None),
        ("Deadspace Guristas Frigate", 211, 500010, None), ("Spawn Container", 254, None, None),
        ("Asteroid Angel Cartel Cruiser", 150, 500011, None),
        ("Asteroid Sansha's Nation Battleship", 150, 500019, None),
        ("Asteroid Blood Raiders Cruiser", 120, 500012, None),
    ),
    "wormhole": (("Sleeper Entities", 319, 500005, None), ("Drifter Entities", 202, 500024, None)),
    "pochven": (("Triglavian Entities", 497, 500026, None), ("EDENCOM Entities", 247, 500027, None)),
    "abyssal": (
        ("Abyssal Spaceship Entities", 2027, 500021, None), ("Abyssal Drone Entities", 542, 500025, None),
        ("Abyssal Hazards", 150, None, None),
    ),
}  # fmt: skip
