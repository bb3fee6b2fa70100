"""Items by slot."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.web.fitting import slot_groups
from killreport.web.images import Images
from killreport.web.model import ApiItem, ApiSlot
from tests.unit.web.examples import make_item, make_section

OFF = Images("off")


def lines(*items: ApiItem, slots: Sequence[ApiSlot] = ()) -> list[tuple[str, int, int, int]]:
    """Return the lines of a section as name, destroyed, dropped, depth."""
    (group,) = slot_groups([make_section(*items, slots=slots)], OFF)
    assert group.title == "Cargo hold"
    return [(line.name, line.destroyed, line.dropped, line.depth) for line in group.lines]


def test_a_section_of_nothing_but_empty_slots_is_not_shown() -> None:
    assert slot_groups([make_section(slots=[ApiSlot(None, [])])], OFF) == []


def test_equal_items_are_added_up_whatever_became_of_them() -> None:
    lost, left = make_item(1), make_item(1, quantityDropped=2, quantityDestroyed=0)
    assert lines(lost, left, lost) == [("Thing 1", 2, 2, 0)]


def test_items_of_another_price_or_a_copy_stay_apart() -> None:
    cheap, dear = make_item(1), make_item(1, unitPrice="20.00")
    copy = make_item(1, singleton=2)
    assert lines(cheap, dear, copy) == [("Thing 1", 1, 0, 0), ("Thing 1", 1, 0, 0), ("Thing 1 (copy)", 1, 0, 0)]


def test_a_container_with_contents_is_never_added_up() -> None:
    box = make_item(9, items=[])
    full = make_item(9)
    inside = make_item(3)
    holding = type(full)(**{name: getattr(full, name) for name in full.__struct_fields__} | {"items": [inside, inside]})
    assert lines(box, holding, box) == [("Thing 9", 2, 0, 0), ("Thing 9", 1, 0, 0), ("Thing 3", 2, 0, 1)]


def test_in_a_slot_the_module_comes_before_what_was_loaded() -> None:
    slots = [ApiSlot(make_item(1), [make_item(2)]), ApiSlot(None, [make_item(3)])]
    assert lines(slots=slots) == [("Thing 1", 1, 0, 0), ("Thing 2", 1, 0, 0), ("Thing 3", 1, 0, 0)]


def test_values_are_exact_and_say_how_they_came_about() -> None:
    (slot,) = slot_groups([make_section(make_item(1, unitPrice="0.10", quantityDropped=2), total="0.30")], OFF)
    assert slot.value_title == "0.30 ISK"
    assert slot.lines[0].value_title == "3 × 0.10 ISK = 0.30 ISK. Because."
    assert slot.lines[0].fate == "mixed"


def test_what_has_no_price_says_so_and_its_group_is_worth_at_least_the_rest() -> None:
    known, unknown = make_item(1, unitPrice="20.00"), make_item(2, unitPrice=None)
    (slot,) = slot_groups([make_section(known, unknown, total="20.00", is_complete=False)], OFF)
    assert [line.value_text for line in slot.lines] == ["20", "no price"]
    assert slot.lines[1].value_title == "Because."
    assert (slot.value_text, slot.value_title) == ("at least 20", "at least 20.00 ISK")
    (alone,) = slot_groups([make_section(unknown, total="0.00", is_complete=False)], OFF)
    assert (alone.value_text, alone.value_title) == ("no price", "no price")
