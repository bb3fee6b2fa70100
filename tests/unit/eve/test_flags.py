"""Item flags: every place has one bay, and a page can name it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from killreport.eve.flags import BAY_LABELS, FLAG_ROWS, FLAGS, Bay, bay_of, flag_name, is_fitted, slot_of


def test_all_139_flags_are_known_and_none_has_two_bays() -> None:
    assert len(FLAG_ROWS) == 139
    assert set(Counter(row[0] for row in FLAG_ROWS).values()) == {1}


def test_the_flags_are_those_of_the_game(data: Path) -> None:
    lines = (data / "sde" / "inventory_flags.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]

    assert {row["flag_id"]: (row["name"], row["text"].strip()) for row in rows} == {
        flag.flag_id: (flag.name, flag.text) for flag in FLAGS.values()
    }


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
        (186, "moon_material_bay", "Moon Material Bay"),
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
