"""The packaged seed: complete, small, and true where the game's facts are known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import zstandard

from killreport.eve.importer import StaticDataRelease, read_static_data
from killreport.eve.seed import ARCHIVE, PRICES, read_reference_prices


@cache
def seed() -> StaticDataRelease:
    """Return the packaged static data."""
    with (resources.files("killreport.eve.seed") / ARCHIVE).open("rb") as stream:
        return read_static_data(stream, ARCHIVE)


@cache
def types() -> dict[int, dict[str, Any]]:
    """Return the packaged types by id."""
    found = next(rows for rows in seed().tables if rows.table == "eve_type")
    return {row[0]: dict(zip(found.columns, row, strict=True)) for row in found.rows}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file."""
    for line in path.read_text().splitlines():
        yield json.loads(line)


def test_the_seed_is_one_build_whole() -> None:
    assert seed().build_number == 3650286
    assert {rows.table: len(rows.rows) for rows in seed().tables} == {
        "eve_category": 48,
        "eve_group": 1611,
        "eve_market_group": 2114,
        "eve_meta_group": 13,
        "eve_region": 112,
        "eve_constellation": 1174,
        "eve_system": 8436,
        "eve_faction": 27,
        "eve_corporation": 283,
        "eve_type": 53289,
        "eve_blueprint": 0,
    }


def test_unpublished_types_are_in_it() -> None:
    assert sum(not row["is_published"] for row in types().values()) == 25979


def test_the_seed_stays_small() -> None:
    folder = resources.files("killreport.eve.seed")

    assert len((folder / ARCHIVE).read_bytes()) < 1_000_000
    assert len((folder / PRICES).read_bytes()) < 250_000
    assert "CCP hf." in (folder / "NOTICE").read_text()


@pytest.mark.parametrize(
    ("type_id", "facts"),
    [
        (587, {"name": "Rifter", "rig_size": 1, "high_slots": 3, "mid_slots": 3, "low_slots": 4, "rig_slots": 3}),
        (24692, {"name": "Abaddon", "rig_size": 3, "high_slots": 8, "mid_slots": 4, "low_slots": 7, "rig_slots": 3}),
        (11567, {"name": "Avatar", "rig_size": 4, "category_id": 6, "group_id": 30}),
        (670, {"name": "Capsule", "group_id": 29, "high_slots": None}),
        (2048, {"name": "Damage Control II", "slot": "low", "meta_level": 5, "is_overheatable": False}),
        (3057, {"name": "Mega Pulse Laser II", "slot": "high", "meta_level": 5, "is_overheatable": True}),
        (2446, {"slot": None, "category_id": 18, "meta_level": 5, "is_overheatable": False}),
        (448, {"name": "Warp Scrambler II", "slot": "mid", "meta_level": 5, "is_overheatable": True}),
        (31055, {"name": "Medium Trimark Armor Pump I", "slot": "rig", "rig_size": 2}),
        (35892, {"name": "Standup Market Hub I", "slot": "service"}),
    ],
)
def test_known_types_have_their_known_values(type_id: int, facts: dict[str, Any]) -> None:
    assert {name: types()[type_id][name] for name in facts} == facts


def test_the_slots_of_every_module_agree_with_the_flat_table(data: Path) -> None:
    short = {"med": "mid", "hi": "high", "lo": "low"}
    expected = {
        row["type_id"]: short.get(row["slot"], row["slot"]) for row in lines(data / "sde" / "module_slots.jsonl")
    }

    assert len(expected) == 5186
    assert {type_id: types()[type_id]["slot"] for type_id in expected} == expected
    assert {type_id for type_id, row in types().items() if row["slot"] is not None} == set(expected)


def test_the_slots_and_sizes_of_every_hull_agree_with_the_flat_table(data: Path) -> None:
    names = {
        "hi_slots": "high_slots",
        "med_slots": "mid_slots",
        "low_slots": "low_slots",
        "rig_slots": "rig_slots",
        "rig_size": "rig_size",
        "meta_level": "meta_level",
    }
    hulls = list(lines(data / "sde" / "ship_slots.jsonl"))
    differing = [
        (row["type_id"], name)
        for row in hulls
        for name, ours in names.items()
        if row.get(name) is not None and row[name] != (types()[row["type_id"]][ours] or 0)
    ]

    assert len(hulls) == 780
    assert differing == []


@pytest.mark.parametrize(
    ("type_id", "portion_size"),
    [
        (34, 1),  # Tritanium
        (587, 1),  # Rifter
        (222, 100),  # Antimatter Charge S
        (2629, 5000),  # Scourge Fury Heavy Missile
        (28668, 10),  # Nanite Repair Paste
        (20, 100),  # Kernite
    ],
)
def test_a_base_price_is_for_a_portion(type_id: int, portion_size: int) -> None:
    assert types()[type_id]["portion_size"] == portion_size


def test_the_portions_of_every_type_agree_with_the_flat_table(data: Path) -> None:
    with zstandard.open(data / "sde" / "types_all.jsonl.zst", "rt") as stream:
        rows = [json.loads(line) for line in stream]

    assert len(rows) == 53289
    assert {row["type_id"]: row.get("portion_size", 1) for row in rows} == {
        type_id: row["portion_size"] for type_id, row in types().items()
    }


def test_no_base_price_passes_as_an_observation(data: Path) -> None:
    flat = {row["type_id"]: row for row in lines(data / "sde" / "prices.jsonl")}
    is_base = {type_id for type_id, row in flat.items() if row["source"] == "sde base_price"}
    prices = read_reference_prices()

    assert len(is_base) == 6380
    assert [price.type_id for price in prices if price.type_id in is_base] == []
    assert all(abs(price.cents - flat[price.type_id]["average_price"] * 100) < 1 for price in prices)


def test_reference_prices_are_of_known_types_once_each_and_worth_something() -> None:
    prices = read_reference_prices()

    assert len(prices) == 1165
    assert [price.type_id for price in prices] == sorted({price.type_id for price in prices})
    assert {price.type_id for price in prices} <= set(types())
    assert min(price.cents for price in prices) > 1
    assert all((price.day is not None) == (price.rule == 20) for price in prices)


def test_slots_of_subsystems_and_services_and_squadrons_are_in_it() -> None:
    by_name = {row["name"]: row for row in types().values()}

    def slots(name: str) -> tuple[int, ...]:
        return tuple(by_name[name][f"{rack}_slots"] for rack in ("high", "mid", "low"))

    assert slots("Loki Defensive - Covert Reconfiguration") == (1, 2, 1)
    assert slots("Proteus Offensive - Drone Synthesis Projector") == (6, 0, 0)
    assert sum(row["category_id"] == 32 and row["high_slots"] is not None for row in types().values()) == 48
    assert (by_name["Astrahus"]["service_slots"], by_name["Keepstar"]["service_slots"]) == (3, 7)
    assert [by_name[name]["squadron_size"] for name in ("Siren I", "Templar II", "Gram I", "Warrior II")] == [
        *(3, 6, 12),
        None,
    ]


def test_what_a_migration_fills_in_is_what_the_seed_says() -> None:
    folder = resources.files("killreport.db.migrations")
    (path,) = [entry for entry in folder.iterdir() if entry.name.endswith("_slots_and_squadrons.sql")]
    filled = re.findall(r"update eve_type set ([^;]+) where type_id in \(([^)]+)\)", path.read_text())
    rows = {
        (int(type_id), column, int(value))
        for facts, ids in filled
        for column, value in re.findall(r"(\w+) = (\d+)", facts)
        for type_id in ids.split(",")
    }
    racks = ("high_slots", "mid_slots", "low_slots")
    expected = {
        (type_id, column, row[column])
        for type_id, row in types().items()
        for column in ("service_slots", "squadron_size", *(racks if row["category_id"] == 32 else ()))
        if row[column] is not None
    }

    assert len(rows) == 27 + 98 + 3 * 48
    assert rows == expected
