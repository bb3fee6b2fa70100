"""Items by slot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from killreport.web.fitting import slot_groups
from killreport.web.images import Images
from tests.unit.web.examples import make_item

OFF = Images("off")


def lines(*items: Any) -> list[tuple[str, list[tuple[str, int, int, int]]]]:
    """Return titles of slots and their lines as name, destroyed, dropped, depth."""
    return [
        (slot.title, [(line.name, line.destroyed, line.dropped, line.depth) for line in slot.lines])
        for slot in slot_groups(items, OFF)
    ]


def test_slots_come_in_the_order_of_a_written_fitting() -> None:
    slots = ("cargo", "high", "drone_bay", "rig", "low", "service", "mid", "subsystem", "fleet_hangar")
    assert [title for title, _ in lines(*(make_item(1, slot) for slot in slots))] == [
        "Low slots",
        "Mid slots",
        "High slots",
        "Rigs",
        "Subsystems",
        "Service slots",
        "Drone bay",
        "Cargo hold",
        "Fleet hangar",
    ]


def test_equal_items_are_added_up_whatever_became_of_them() -> None:
    lost, left = make_item(1, "high", 27), make_item(1, "high", 28, quantityDropped=2, quantityDestroyed=0)
    assert lines(lost, left, lost) == [("High slots", [("Thing 1", 2, 2, 0)])]


def test_items_of_another_price_or_a_copy_stay_apart() -> None:
    cheap, dear = make_item(1), make_item(1, unitPrice="20.00")
    copy = make_item(1, singleton=2)
    assert lines(cheap, dear, copy) == [
        ("Cargo hold", [("Thing 1", 1, 0, 0), ("Thing 1", 1, 0, 0), ("Thing 1 (copy)", 1, 0, 0)])
    ]


def test_a_container_with_contents_is_never_added_up() -> None:
    box = make_item(9, items=[])
    full = make_item(9)
    inside = make_item(3)
    holding = type(full)(**{name: getattr(full, name) for name in full.__struct_fields__} | {"items": [inside, inside]})
    assert lines(box, holding, box) == [
        ("Cargo hold", [("Thing 9", 2, 0, 0), ("Thing 9", 1, 0, 0), ("Thing 3", 2, 0, 1)])
    ]


def test_in_a_slot_the_module_comes_before_what_was_loaded() -> None:
    charge = {"id": 2, "name": "Charge", "group": {"id": 1, "name": "", "category": {"id": 8, "name": "Charge"}}}
    loaded, module = make_item(2, "high", 27, type=charge), make_item(1, "high", 27)
    assert lines(loaded, module) == [("High slots", [("Thing 1", 1, 0, 0), ("Charge", 1, 0, 0)])]


def test_a_bay_of_a_newer_release_is_shown_elsewhere() -> None:
    assert lines(make_item(1, "bay_of_tomorrow")) == [("Elsewhere", [("Thing 1", 1, 0, 0)])]


def test_values_are_exact_and_say_how_they_came_about() -> None:
    (slot,) = slot_groups([make_item(1, unitPrice="0.10", quantityDropped=2)], OFF)
    assert slot.total == Decimal("0.30")
    assert slot.lines[0].value_title == "3 × 0.10 ISK = 0.30 ISK. Because."
    assert slot.lines[0].fate == "mixed"


def test_what_has_no_price_says_so_and_its_group_is_worth_at_least_the_rest() -> None:
    known, unknown = make_item(1, unitPrice="20.00"), make_item(2, unitPrice=None)
    (slot,) = slot_groups([known, unknown], OFF)
    assert [line.value_text for line in slot.lines] == ["20", "no price"]
    assert slot.lines[1].value_title == "Because."
    assert (slot.value_text, slot.value_title) == ("at least 20", "at least 20.00 ISK")
    (alone,) = slot_groups([unknown], OFF)
    assert (alone.value_text, alone.value_title) == ("no price", "no price")
