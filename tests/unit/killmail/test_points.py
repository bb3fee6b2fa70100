"""Points: danger, crowd, size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from killreport.killmail.mail.model import Attacker, Item, Killmail
from killreport.killmail.rules.classify import classify
from killreport.killmail.rules.points import MAX_POINTS, danger, points
from tests.factories import (
    AFTERBURNER,
    ALICES_CORPORATION,
    ASTRAHUS,
    BOBS_CORPORATION,
    CAPSULE,
    CARGO_CONTAINER,
    CARGO_RIG,
    CONCORD,
    DAMAGE_AMPLIFIER_II,
    DOMINIX,
    IBIS,
    LOKI,
    MINER_II,
    NOT_IN_THE_UNIVERSE,
    NYX,
    RIFTER,
    TRITANIUM,
    VEXOR,
    WARP_DISRUPTOR_II,
    make_attacker,
    make_killmail,
    make_npc,
    make_universe,
)

UNIVERSE = make_universe()
HIGH, MID, LOW, RIG, SUBSYSTEM, CARGO = 27, 19, 11, 92, 125, 5
FOUR_MODULES = tuple(Item(AFTERBURNER, MID + slot, quantity_destroyed=1) for slot in range(4))


def score(*hulls: int | None, victim: int = RIFTER, items: tuple[Item, ...] = FOUR_MODULES) -> int:
    """Return the points of a kill by players in these hulls; the first has the final blow."""
    attackers = [
        make_attacker(90_000_100 + place, ship_type_id=hull, final_blow=place == 0) for place, hull in enumerate(hulls)
    ]
    return points(make_killmail(*attackers, ship_type_id=victim, items=items), UNIVERSE, is_npc=False)


@pytest.mark.parametrize(
    ("hulls", "expected"),
    [
        pytest.param((RIFTER,), 9, id="one frigate: (5 + 4) x 1"),
        pytest.param((RIFTER, RIFTER), 4, id="two frigates: 9 / 2"),
        pytest.param((DOMINIX,), 4, id="one battleship: 9 x 0.5"),
    ],
)
def test_the_worked_example_holds(hulls: tuple[int, ...], expected: int) -> None:
    assert score(*hulls) == expected


@pytest.mark.parametrize(
    ("victim", "killer", "expected"),
    [
        pytest.param(VEXOR, RIFTER, 34, id="a frigate kills a cruiser: 29 x 1.2"),
        pytest.param(VEXOR, VEXOR, 29, id="a cruiser kills a cruiser"),
        pytest.param(NYX, NYX, 629, id="capital against capital"),
        pytest.param(LOKI, VEXOR, 29, id="a strategic cruiser is a cruiser"),
        pytest.param(VEXOR, LOKI, 29, id="and so it is as a killer"),
        pytest.param(RIFTER, CAPSULE, 4, id="a capsule counts as one class above the victim: 9 x 0.5"),
        pytest.param(VEXOR, None, 34, id="no hull is the smallest"),
        pytest.param(VEXOR, NOT_IN_THE_UNIVERSE, 34, id="an unknown hull is the smallest"),
        pytest.param(NOT_IN_THE_UNIVERSE, RIFTER, 9, id="an unknown victim too"),
    ],
)
def test_the_size_of_the_hulls_counts(victim: int, killer: int | None, expected: int) -> None:
    assert score(killer, victim=victim) == expected


def test_a_crowd_divides_by_half_its_square() -> None:
    fit = tuple(Item(AFTERBURNER, MID, quantity_destroyed=25) for _ in range(3))
    assert [score(*(RIFTER,) * count, items=fit) for count in (1, 2, 3, 4, 10)] == [80, 40, 17, 10, 1]


@pytest.mark.parametrize(("modules", "expected"), [(0, 1), (1, 1), (2, 3), (3, 6), (4, 9), (5, 10)])
def test_the_full_rate_needs_a_danger_of_four(modules: int, expected: int) -> None:
    assert score(RIFTER, items=(Item(AFTERBURNER, MID, quantity_destroyed=modules),)) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (Item(AFTERBURNER, MID, quantity_destroyed=1), 1),
        (Item(AFTERBURNER, LOW, quantity_dropped=2, quantity_destroyed=3), 5),
        (Item(AFTERBURNER, HIGH), 0),
        (Item(AFTERBURNER, SUBSYSTEM, quantity_dropped=1), 1),
        (Item(WARP_DISRUPTOR_II, MID, quantity_dropped=1), 3),
        (Item(DAMAGE_AMPLIFIER_II, LOW, quantity_dropped=2), 6),
        (Item(MINER_II, HIGH, quantity_dropped=2), -6),
        (Item(CARGO_RIG, RIG, quantity_destroyed=1), 0),
        (Item(AFTERBURNER, CARGO, quantity_destroyed=1), 0),
        (Item(AFTERBURNER, 0, quantity_destroyed=1), 0),
        (Item(TRITANIUM, MID, quantity_destroyed=1), 0),
        (Item(NOT_IN_THE_UNIVERSE, MID, quantity_destroyed=1), 0),
        (Item(CARGO_CONTAINER, CARGO, items=(Item(AFTERBURNER, MID, quantity_destroyed=1),)), 0),
    ],
)
def test_danger_is_what_fights_and_was_fitted(item: Item, expected: int) -> None:
    assert danger(make_killmail(items=(item,)), UNIVERSE) == expected


@pytest.mark.parametrize(("killmail_id", "expected"), [(23_970_576, 1), (23_970_577, 0)])
def test_old_mails_did_not_tell_the_slot(killmail_id: int, expected: int) -> None:
    item = Item(AFTERBURNER, 0, quantity_destroyed=1)
    assert danger(make_killmail(killmail_id=killmail_id, items=(item,)), UNIVERSE) == expected


def test_mining_lasers_never_take_the_points_below_one() -> None:
    assert score(RIFTER, items=(Item(MINER_II, HIGH, quantity_destroyed=100),)) == 1


def test_an_npc_on_the_mail_lowers_the_points_by_its_size_alone() -> None:
    killer = make_attacker(ship_type_id=VEXOR, final_blow=True)
    alone = make_killmail(killer, ship_type_id=VEXOR, items=FOUR_MODULES)
    helped = make_killmail(killer, make_npc(ship_type_id=DOMINIX), ship_type_id=VEXOR, items=FOUR_MODULES)
    assert points(alone, UNIVERSE, is_npc=False) == 29
    assert points(helped, UNIVERSE, is_npc=False) == 14


@pytest.mark.parametrize(
    ("attackers", "is_npc"),
    [
        ((make_attacker(final_blow=True),), True),
        ((make_attacker(None, BOBS_CORPORATION, ship_type_id=IBIS, final_blow=True),), False),
        ((make_attacker(final_blow=True), make_attacker(None, BOBS_CORPORATION, ship_type_id=ASTRAHUS)), False),
    ],
    ids=["a kill by npcs", "nobody has a character", "a structure helped"],
)
def test_some_kills_are_worth_one_point(attackers: tuple[Attacker, ...], is_npc: bool) -> None:
    mail = make_killmail(*attackers, ship_type_id=VEXOR, items=FOUR_MODULES)
    assert points(mail, UNIVERSE, is_npc) == 1


def test_a_forged_quantity_gains_no_more_than_the_most() -> None:
    assert score(RIFTER, items=(Item(AFTERBURNER, MID, quantity_destroyed=2**63 - 1),)) == MAX_POINTS


PLAYER_HULLS = st.sampled_from([RIFTER, VEXOR, DOMINIX, NYX, LOKI, CAPSULE, IBIS, ASTRAHUS, None])
PLAYERS = PLAYER_HULLS.map(lambda hull: make_attacker(90_000_500, BOBS_CORPORATION, ship_type_id=hull))
NPCS = st.sampled_from([VEXOR, DOMINIX, NYX, None]).map(lambda hull: make_npc(ship_type_id=hull))


@st.composite
def killmails(draw: st.DrawFn) -> Killmail:
    first = draw(PLAYER_HULLS.map(lambda hull: make_attacker(ship_type_id=hull, final_blow=True)))
    others = draw(st.lists(PLAYERS | NPCS, max_size=6))
    fit = Item(AFTERBURNER, MID, quantity_destroyed=draw(st.integers(0, 200)))
    hull = draw(st.sampled_from([RIFTER, VEXOR, DOMINIX, NYX, LOKI, CAPSULE, ASTRAHUS]))
    corporation_id = draw(st.sampled_from([ALICES_CORPORATION, CONCORD]))
    return make_killmail(first, *others, ship_type_id=hull, corporation_id=corporation_id, items=(fit,))


@settings(max_examples=500)
@given(killmails(), PLAYERS)
def test_another_player_never_raises_the_points_of_a_players_kill(mail: Killmail, newcomer: Attacker) -> None:
    joined = make_killmail(
        *mail.attackers,
        newcomer,
        ship_type_id=mail.victim.ship_type_id,
        corporation_id=mail.victim.corporation_id,
        items=mail.victim.items or (),
    )
    before = points(mail, UNIVERSE, classify(mail, UNIVERSE, 0).is_npc)
    after = points(joined, UNIVERSE, classify(joined, UNIVERSE, 0).is_npc)
    assert 1 <= after <= before


def test_the_first_player_on_a_kill_of_npcs_does_raise_them() -> None:
    rats = make_killmail(make_npc(final_blow=True), items=FOUR_MODULES)
    joined = make_killmail(make_npc(final_blow=True), make_attacker(), items=FOUR_MODULES)
    assert points(rats, UNIVERSE, is_npc=True) == 1
    assert points(joined, UNIVERSE, is_npc=False) == 4
