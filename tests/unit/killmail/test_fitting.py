"""Fittings: slots, charges in their modules, containers, subtotals, and the text other tools read."""

from __future__ import annotations

from killreport.eve.flags import Bay
from killreport.eve.load import keep_packaged_universe
from killreport.killmail.shown.dna import dna_text
from killreport.killmail.shown.eft import eft_text
from killreport.killmail.shown.fitting import FittingSlot, Worth, lay_out
from killreport.killmail.stored.queries import ItemRow
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


def module_and_charges(slot: FittingSlot) -> tuple[str | None, list[tuple[str | None, int]]]:
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


LOKIS_SUBSYSTEMS = [
    row(90, "Loki Core - Augmented Nuclear Reactor", 125),  # 1 mid, 3 low
    row(91, "Loki Defensive - Covert Reconfiguration", 126),  # 1 high, 2 mid, 1 low
    row(92, "Loki Offensive - Projectile Scoping Array", 127),  # 7 high
    row(93, "Loki Propulsion - Wake Limiter", 128),  # 2 mid
]


def test_a_strategic_cruiser_has_the_slots_of_its_subsystems() -> None:
    fitting = lay_out(LOKI, [row(0, GUN, 28), *LOKIS_SUBSYSTEMS], UNIVERSE)
    numbers = {section.bay: len(section.slots) for section in fitting.sections}
    assert numbers == {Bay.HIGH: 8, Bay.MID: 5, Bay.LOW: 4, Bay.RIG: 3, Bay.SUBSYSTEM: 4}
    text = eft_text(fitting, UNIVERSE, "x")
    assert text.count("[Empty High slot]") == 7
    assert f"[Empty High slot]\n{GUN}\n[Empty High slot]\n" in text


def test_a_strategic_cruiser_whose_subsystems_are_not_known_has_the_slots_that_are_used() -> None:
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
    assert [(slot.number, *module_and_charges(slot)) for slot in high.slots] == [
        (1, GUN, []),
        (1, LAUNCHER, []),
        (2, None, []),
        (3, None, []),
    ]


def test_a_second_module_at_a_flag_is_in_the_rack_and_is_nobodys_ammunition() -> None:
    # As killmail 107220741: three low slots, of which two modules name the third and none the second.
    sotiyo, plating, relay = IDS["Sotiyo"], "Standup Layered Armor Plating II", "Standup Capacitor Power Relay II"
    items = [row(0, relay, 13, dropped=1, destroyed=0), row(1, plating, 11), row(2, relay, 13)]
    text = eft_text(lay_out(sotiyo, items, UNIVERSE), UNIVERSE, "x")
    assert text.startswith(f"[Sotiyo, x]\n{plating}\n{relay}\n{relay}\n\n")
    assert " x1" not in text


def test_a_module_without_a_slot_is_cargo() -> None:
    items = [row(at, GUN, 27) for at in range(4)] + [row(4, "Damage Control II", 28)]
    text = eft_text(lay_out(RIFTER, items, UNIVERSE), UNIVERSE, "x")
    assert f"\n\n{GUN}\n{GUN}\n{GUN}\n\n[Empty Rig slot]" in text
    assert text.endswith(f"\n\nDamage Control II x1\n{GUN} x1\n")


def test_a_module_takes_one_kind_of_charge() -> None:
    items = [row(0, GUN, 27), row(1, SHELLS, 27, destroyed=40), row(2, "EMP S", 27, destroyed=9)]
    text = eft_text(lay_out(RIFTER, items, UNIVERSE), UNIVERSE, "x")
    assert f"\n{GUN}, {SHELLS}\n" in text
    assert text.endswith("\n\nEMP S x9\n")


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
        "Limited Memory Augmentation\n"
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
        "[Loki, Loki]\n"
        "[Empty Low slot]\n[Empty Low slot]\n[Empty Low slot]\n\n"
        "[Empty Med slot]\n\n"
        "[Empty Rig slot]\n[Empty Rig slot]\n[Empty Rig slot]\n\n"
        "Loki Core - Augmented Nuclear Reactor\n\n"
        "Type 99999999 x1\n"
    )


def test_implants_and_boosters_have_no_number_but_those_in_the_cargo_do() -> None:
    items = [row(0, "Limited Memory Augmentation", 89), row(1, "Standard Drop Booster", 88)]
    items += [row(2, "Limited Memory Augmentation", 5)]
    text = eft_text(lay_out(RIFTER, items, UNIVERSE), UNIVERSE, "x")
    assert text.endswith("\n\nLimited Memory Augmentation\nStandard Drop Booster\n\nLimited Memory Augmentation x1\n")


def test_fighters_have_a_line_a_squadron() -> None:
    archon = IDS["Archon"]
    items = [
        row(0, "Templar II", 159, dropped=2, destroyed=4),
        row(1, "Templar II", 160, destroyed=3),
        row(2, "Siren I", 161, dropped=1, destroyed=0),
        row(3, "Siren I", 161, destroyed=2),
        row(4, "Templar II", 158, destroyed=13),
    ]
    text = eft_text(lay_out(archon, items, UNIVERSE), UNIVERSE, "x")
    assert text.endswith("\n\nTemplar II x6\nTemplar II x3\nSiren I x3\nTemplar II x6\nTemplar II x6\nTemplar II x1\n")


def test_drones_and_fighters_of_one_bay_are_told_apart() -> None:
    items = [row(0, "Warrior II", 87, destroyed=5), row(1, "Firbolg I", 87, destroyed=7)]
    text = eft_text(lay_out(IDS["Archon"], items, UNIVERSE), UNIVERSE, "x")
    assert text.endswith("\n\nWarrior II x5\n\nFirbolg I x6\nFirbolg I x1\n")


def test_a_mail_that_claims_millions_makes_no_millions_of_lines() -> None:
    most = 2**63 - 1
    items = [row(0, "Firbolg I", 158, destroyed=most), row(1, "Limited Memory Augmentation", 89, destroyed=most)]
    items += [row(2, GUN, 27, destroyed=most)]
    text = eft_text(lay_out(RIFTER, items, UNIVERSE), UNIVERSE, "x")
    assert text.count("\n") < 150
    assert f"{GUN} x{most - 3}\n" in text


def test_what_not_every_tool_knows_is_a_block_of_its_own() -> None:
    items = [
        item_row(0, 99_999_999, 5),
        row(1, "Warrior II", 5),
        row(2, "Tritanium", 5),
        row(3, "Exotic Dancers, Male", 5),
    ]
    text = eft_text(lay_out(RIFTER, items, UNIVERSE), UNIVERSE, "x")
    assert text.endswith("\n\nWarrior II x1\nTritanium x1\n\nType 99999999 x1\nExotic Dancers, Male x1\n")


def test_a_fitting_is_written_as_dna() -> None:
    ids = [
        IDS[name] for name in (GUN, "1MN Afterburner II", "Damage Control II", "Small Core Defense Field Extender I")
    ]
    gun, burner, control, extender = ids
    # The shells in both guns and in the cargo; no implant, no container and no Tritanium.
    assert dna_text(lay_out(RIFTER, RIFTERS_ITEMS, UNIVERSE), UNIVERSE) == (
        f"587:{gun};2:{burner};1:{control};1:{extender};1:{IDS['Warrior II']};3:{IDS[SHELLS]};700::"
    )


def test_subsystems_lead_the_dna() -> None:
    subsystems = ":".join(f"{item.type_id};1" for item in LOKIS_SUBSYSTEMS)
    assert dna_text(lay_out(LOKI, [row(0, GUN, 28), *LOKIS_SUBSYSTEMS], UNIVERSE), UNIVERSE) == (
        f"{LOKI}:{subsystems}:{IDS[GUN]};1::"
    )
    assert dna_text(lay_out(670, [], UNIVERSE), UNIVERSE) == "670::"


def test_an_unknown_price_adds_nothing_and_the_sum_says_that_it_misses_something() -> None:
    known = row(0, GUN, 27, unit_price_cents=50_000)
    unknown = row(1, "1MN Afterburner II", 19, unit_price_cents=1, price_rule=99)
    none_of_it = row(2, "Damage Control II", 12, destroyed=0, unit_price_cents=0, price_rule=99)
    fitting = lay_out(RIFTER, [known, unknown, none_of_it], UNIVERSE)
    assert fitting.items == Worth(0, 50_000, is_complete=False)
    worths = {section.bay: section.worth for section in fitting.sections}
    assert (worths[Bay.HIGH], worths[Bay.LOW]) == (Worth(0, 50_000), Worth())
    assert worths[Bay.MID] == Worth(is_complete=False)
