"""Item flags: every place has one bay, and a page can name it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zstandard

from killreport.eve.flags import BAY_LABELS, FLAG_ROWS, FLAGS, Bay, bay_of, flag_name, is_fitted, slot_of

# What ESI calls a place that CCP's own table calls otherwise.
ESI_NAMES = {
    "AutoFit": 0,
    "OfficeFolder": 2,
    "Impounded": 6,
    "SkillInTraining": 61,
    "CorpDeliveries": 62,
    **{f"SubSystemSlot{number}": 125 + number for number in range(8)},
    "SpecializedOreHold": 134,
    "DustDatabank": 152,
    "DustBattle": 153,
    **{f"ServiceSlot{number}": 164 + number for number in range(8)},
    "CorpseBay": 174,
    "SubSystemBay": 177,
    "QuantumCoreRoom": 180,
    "MobileDepotHold": 183,
    "CorporationGoalDeliveries": 184,
    "InfrastructureHangar": 185,
}
# In ESI's lists, and no place that an item can be in.
NO_PLACE = {"HangarAll", "Invalid", "Module"}
# Places that no ship and no structure has, so a killmail names them in error only.
NOT_ABOARD = {
    *("AutoFit", "None", "Wallet", "Skill", "Reward", "Fixed Slot", "Capsule", "Pilot", "Skill In Training"),
    *("SkillInTraining", "Locked", "Unlocked", "Bonus", "StructureActive", "StructureInactive", "StructureOffline"),
    *("JunkyardReprocessed", "JunkyardTrashed", "PlanetSurface", "HiddenModifiers", "DustBattle", "DustDatabank"),
    *("DustCharacterBattle", "DustCharacterDatabank"),
}


def test_all_142_flags_are_known_and_none_has_two_bays() -> None:
    assert len(FLAG_ROWS) == 142
    assert set(Counter(row[0] for row in FLAG_ROWS).values()) == {1}


def test_the_flags_are_those_of_the_game(data: Path) -> None:
    lines = (data / "sde" / "inventory_flags.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    ours = {flag.flag_id: (flag.name, flag.text) for flag in FLAGS.values()}

    assert {row["flag_id"]: (row["name"], row["text"].strip()) for row in rows}.items() <= ours.items()
    # CCP's table is older than these.
    assert set(ours) - {row["flag_id"] for row in rows} == {185, 187, 188}


def test_every_place_aboard_that_ccp_or_esi_names_has_a_section(data: Path) -> None:
    numbers = {flag.name: flag.flag_id for flag in FLAGS.values()} | ESI_NAMES
    openapi = msgspec.json.decode((data / "esi" / "openapi.json").read_bytes())
    packed = (data / "esi" / "swagger-1.36-legacy.json.zst").read_bytes()
    swagger = msgspec.json.decode(zstandard.ZstdDecompressor().decompressobj().decompress(packed))
    of_esi = set(places(openapi)) | set(places(swagger))

    assert len(of_esi) > 120
    assert of_esi - set(numbers) == NO_PLACE
    of_all = (of_esi | {flag.name for flag in FLAGS.values()}) - NO_PLACE
    assert {name for name in of_all if bay_of(numbers[name]) is Bay.OTHER} == NOT_ABOARD & of_all


def places(document: object) -> Iterator[str]:
    """Yield what the enumerations of places in an OpenAPI document list."""
    if isinstance(document, dict):
        listed = document.get("enum")
        if isinstance(listed, list) and "HiSlot0" in listed:
            yield from listed
        for value in document.values():
            yield from places(value)
    elif isinstance(document, list):
        for value in document:
            yield from places(value)


def test_every_bay_has_a_heading_of_its_own_and_a_flag() -> None:
    assert set(BAY_LABELS) == set(Bay)
    assert len(set(BAY_LABELS.values())) == len(Bay)
    assert {flag.bay for flag in FLAGS.values()} == set(Bay)


def test_the_bays_come_in_the_order_of_the_games_own_fittings() -> None:
    in_order = sorted(Bay, key=lambda bay: bay.order)

    assert in_order[:7] == [Bay.LOW, Bay.MID, Bay.HIGH, Bay.RIG, Bay.SUBSYSTEM, Bay.SERVICE, Bay.DRONE_BAY]
    assert in_order[-1] is Bay.OTHER


@pytest.mark.parametrize(
    ("flag", "slot", "name"),
    [
        (11, "low", "Low slot 1"),
        (26, "mid", "Mid slot 8"),
        (27, "high", "High slot 1"),
        (94, "rig", "Rig slot 3"),
        (127, "subsystem", "Subsystem slot 3"),
        (164, "service", "Service slot 1"),
        (159, "fighter_tube", "Fighter tube 1"),
        (163, "fighter_tube", "Fighter tube 5"),
        (5, "cargo", "Cargo"),
        (87, "drone_bay", "Drone Bay"),
        (179, "escape_bay", "Frigate escape bay Hangar"),
        (174, "corpse_hold", "Crate Loot"),
        (185, "infrastructure_hold", "Infrastructure Hold"),
        (186, "moon_material_bay", "Moon Material Bay"),
        (187, "capsuleer_deliveries", "Capsuleer Deliveries"),
        (188, "expedition_hold", "Expedition Hold"),
        (0, "other", "None"),
        (1000, "other", "Flag 1000"),
    ],
)
def test_a_place_has_a_code_and_a_name(flag: int, slot: str, name: str) -> None:
    assert slot_of(flag) == slot
    assert flag_name(flag) == name


def test_fitted_are_the_slots_and_launch_tubes_and_nothing_else() -> None:
    assert [flag for flag in range(-1, 1000) if is_fitted(flag)] == [
        *range(11, 35),
        *range(92, 100),
        *range(125, 133),
        *range(159, 172),
    ]


def test_both_asteroid_holds_are_one_bay() -> None:
    assert bay_of(134) is bay_of(182) is Bay.MINING_HOLD
