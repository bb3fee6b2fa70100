"""Fittings: slots, charges in their modules, containers, subtotals, and the text other tools read."""

from __future__ import annotations

from killreport.eve.flags import Bay
from killreport.eve.load import keep_packaged_universe
from killreport.killmail.eft import eft_text
from killreport.killmail.fitting import Slot, Worth, lay_out
from killreport.killmail.queries import ItemRow
from tests.unit.killmail.rows import item_row

UNIVERSE = keep_packaged_universe()
IDS = {kind.name: kind.type_id for kind in UNIVERSE.types.values() if kind.is_published}
RIFTER, LOKI = IDS["Rifter"], IDS["Loki"]
GUN, SHELLS, LAUNCHER, ROCKETS = "200mm AutoCannon II", "Republic Fleet EMP S", "Rocket Launcher II", "Inferno Rocket"


def row(ordinal: int, name: str, flag: int, dropped: int = 0, destroyed: int = 1, **values: int) -> ItemRow:
    """Return an item by its name."""
    return item_row(ordinal, IDS[name], flag, quantity_dropped=dropped, quantity_destroyed=destroyed, **values)


RIFTERS_ITEMS = [
    row(0, SHELLS, 27, dropped=100, destroyed=0),  # the charge before its module
    row(1, GUN, 27, unit_price_cents=50_000),
    row(2, GUN, 29, dropped=1, destroyed=0, unit_price_cents=50_000),
    row(3, SHELLS, 29, destroyed=40),
    row(4, SHELLS, 29, dropped=60, destroyed=0),
    row(5, "1MN Afterburner II", 19),
    row(6, "Damage Control II", 12),
    row(7, "Small Core Defense Field Extender I", 92),
    row(8, "Warrior II", 87, dropped=1, destroyed=2),
    row(9, "Small Standard Container", 5),
    row(10, "Tritanium", 5, dropped=7, destroyed=0, parent_ordinal=9),
    row(11, SHELLS, 5, dropped=500, destroyed=0),
    row(12, "Limited Memory Augmentation", 89),
]


def module_and_charges(slot: Slot) -> tuple[str | None, list[tuple[str | None, int]]]:
    """Return the names in a slot."""
    module = None if slot.module is None else UNIVERSE.type_name(slot.module.row.type_id)
    return module, [(UNIVERSE.type_name(charge.row.type_id), charge.quantity) for charge in slot.charges]


def test_slots_are_those_of_the_hull_and_charges_are_in_their_modules() -> None:
    fitting = lay_out(RIFTER, RIFTERS_ITEMS, UNIVERSE)
    high = fitting.section(Bay.HIGH)
    assert high is not None
    assert [(slot.number, slot.flag) for slot in high.slots] == [(1, 27), (2, 28), (3, 29)]
    assert [module_and_charges(slot) for slot in high.slots] == [
        (GUN, [(SHELLS, 100)]),
        (None, []),
        (GUN, [(SHELLS, 40), (SHELLS, 60)]),
    ]
    low = fitting.section(Bay.LOW)
    assert low is not None
    assert [slot.module is None for slot in low.slots] == [True, False, True, True]


def test_every_section_has_its_subtotals_and_they_add_up() -> None:
    fitting = lay_out(RIFTER, RIFTERS_ITEMS, UNIVERSE)
    worth = {section.bay: section.worth for section in fitting.sections}
    assert worth[Bay.HIGH] == Worth(dropped=100 * 100 + 50_000 + 60 * 100, destroyed=50_000 + 40 * 100)
    assert worth[Bay.DRONE_BAY] == Worth(dropped=100, destroyed=200)
    assert worth[Bay.CARGO] == Worth(dropped=7 * 100 + 500 * 100, destroyed=100)
    assert fitting.items.total == sum(
        item.unit_price_cents * (item.quantity_dropped + item.quantity_destroyed) for item in RIFTERS_ITEMS
    )


def test_a_container_holds_its_contents() -> None:
    cargo = lay_out(RIFTER, RIFTERS_ITEMS, UNIVERSE).section(Bay.CARGO)
    assert cargo is not None
    container, shells = cargo.contents
    assert [content.row.ordinal for content in container.contents] == [10]
    assert shells.contents == ()


def test_a_strategic_cruiser_has_the_slots_that_are_used() -> None:
    items = [row(0, GUN, 27), row(1, GUN, 30), row(2, "Damage Control II", 11)]
    fitting = lay_out(LOKI, items, UNIVERSE)
    high = fitting.section(Bay.HIGH)
    assert high is not None
    assert [slot.number for slot in high.slots] == [1, 4]
    assert fitting.section(Bay.MID) is None


def test_a_hull_the_static_data_lacks_shows_what_was_used() -> None:
    fitting = lay_out(99_999_999, [row(0, GUN, 28)], UNIVERSE)
    assert [(section.bay, [slot.number for slot in section.slots]) for section in fitting.sections] == [(Bay.HIGH, [2])]


def test_two_modules_at_one_flag_are_both_kept() -> None:
    high = lay_out(RIFTER, [row(0, GUN, 27), row(1, LAUNCHER, 27)], UNIVERSE).section(Bay.HIGH)
    assert high is not None
    assert module_and_charges(high.slots[0]) == (GUN, [(LAUNCHER, 1)])


def test_a_fitting_is_written_as_eft_text() -> None:
    assert eft_text(lay_out(RIFTER, RIFTERS_ITEMS, UNIVERSE), UNIVERSE, "Alice's [best]\n") == (
        "[Rifter, Alice's best]\n"
        "[Empty Low slot]\n"
        "Damage Control II\n"
        "[Empty Low slot]\n"
        "[Empty Low slot]\n"
        "\n"
        "1MN Afterburner II\n"
        "[Empty Med slot]\n"
        "[Empty Med slot]\n"
        "\n"
        "200mm AutoCannon II, Republic Fleet EMP S\n"
        "[Empty High slot]\n"
        "200mm AutoCannon II, Republic Fleet EMP S\n"
        "\n"
        "Small Core Defense Field Extender I\n"
        "[Empty Rig slot]\n"
        "[Empty Rig slot]\n"
        "\n"
        "Warrior II x3\n"
        "\n"
        "Limited Memory Augmentation x1\n"
        "\n"
        "Small Standard Container x1\n"
        "Tritanium x7\n"
        "Republic Fleet EMP S x500\n"
    )


def test_a_charge_whose_module_is_not_told_goes_to_the_cargo() -> None:
    text = eft_text(lay_out(RIFTER, [row(0, ROCKETS, 27, destroyed=8)], UNIVERSE), UNIVERSE, "x")
    assert "[Empty High slot]\n[Empty High slot]\n[Empty High slot]\n" in text
    assert text.endswith("\n\nInferno Rocket x8\n")


def test_subsystems_and_unknown_types_are_written_too() -> None:
    items = [row(0, "Loki Core - Augmented Nuclear Reactor", 125), item_row(1, 99_999_999, 5)]
    assert eft_text(lay_out(LOKI, items, UNIVERSE), UNIVERSE, "Loki") == (
        "[Loki, Loki]\n\n"
        "[Empty Rig slot]\n[Empty Rig slot]\n[Empty Rig slot]\n\n"
        "Loki Core - Augmented Nuclear Reactor\n\n"
        "Type 99999999 x1\n"
    )
