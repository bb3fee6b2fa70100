"""What a thing costs to build: the formula, what it needs to know, and blueprints that lead nowhere."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from killreport.eve.universe import Blueprint, Type
from killreport.market.build import ASSEMBLED, MAX_DEPTH, recipe_of
from killreport.market.price import UNKNOWN_PRICE, Price, PriceBook, PriceRule
from tests.unit.market.books import small_universe, type_of

DAY = date(2026, 11, 20)
TRITANIUM, PYERITE, MORPHITE, ISOGEN, COMPONENT, KEEPSTAR, TITAN, MODULE, LOOP, STRUCTURE_RIG = (
    *(34, 35, 11399, 37, 21017, 35834, 11567, 500, 501, 37160),
)
REFERENCES = {
    TRITANIUM: Price(4_00, PriceRule.REFERENCE_AVERAGE, DAY),
    PYERITE: Price(10_00, PriceRule.REFERENCE_AVERAGE, DAY),
}


def book(*blueprints: Blueprint, types: tuple[Type, ...] = (), references: dict[int, Price] | None = None) -> PriceBook:
    """Return a book without a market day, over a universe with these blueprints."""
    universe = small_universe()
    universe.blueprints = {blueprint.product_id: blueprint for blueprint in blueprints}
    universe.types.update({kind.type_id: kind for kind in types})
    return PriceBook(universe, REFERENCES | (references or {}))


def made_of(product_id: int, *materials: tuple[int, int], quantity: int = 1, is_reaction: bool = False) -> Blueprint:
    return Blueprint(product_id, quantity, materials, is_reaction)


@pytest.mark.parametrize(
    ("blueprint", "cents"),
    [
        # A tenth less of each material, rounded up: 90 x 4.00 + 10 x 10.00.
        (made_of(MODULE, (TRITANIUM, 100), (PYERITE, 11)), 460_00),
        # One at the least: ceil(0.9) is 1 and never 0; ceil(1.8) is 2, ceil(9.9) is 10.
        (made_of(MODULE, (TRITANIUM, 1)), 4_00),
        (made_of(MODULE, (TRITANIUM, 2)), 8_00),
        (made_of(MODULE, (TRITANIUM, 11)), 40_00),
        # A run may give many: 360.00 for 100, and half a cent is rounded up.
        (made_of(MODULE, (TRITANIUM, 100), quantity=100), 3_60),
        (made_of(MODULE, (TRITANIUM, 1), quantity=800), 1),
        # Nobody researches a reaction.
        (made_of(MODULE, (TRITANIUM, 100), quantity=100, is_reaction=True), 4_00),
    ],
)
def test_what_has_no_market_costs_its_materials(blueprint: Blueprint, cents: int) -> None:
    assert book(blueprint).price(MODULE, DAY) == Price(cents, PriceRule.BUILD_COST)


def test_a_material_without_a_market_is_built_itself() -> None:
    # Component: 45 x 4.00 = 180.00. Keepstar: 9 x 180.00 + 9 x 10.00.
    found = book(made_of(COMPONENT, (TRITANIUM, 50)), made_of(KEEPSTAR, (COMPONENT, 10), (PYERITE, 10)))
    assert found.price(KEEPSTAR, DAY) == Price(1_710_00, PriceRule.BUILD_COST)
    assert found.price(KEEPSTAR, DAY).day == DAY


def test_a_price_that_was_observed_wins_over_the_build_cost() -> None:
    seen = {MODULE: Price(7_00, PriceRule.REFERENCE_AVERAGE, DAY)}
    assert book(made_of(MODULE, (TRITANIUM, 100)), references=seen).price(MODULE, DAY).cents == 7_00


@pytest.mark.parametrize("material", [MORPHITE, ISOGEN])
def test_a_material_that_nobody_has_seen_sold_leaves_no_build_cost(material: int) -> None:
    # Of one material nothing is known, of the other only a base price.
    types = (type_of(ISOGEN, 18, 4, 20.0), type_of(KEEPSTAR, 1657, 65, 9e9), type_of(MODULE, 60, 7, 500.0))
    blueprints = made_of(KEEPSTAR, (TRITANIUM, 5), (material, 5)), made_of(MODULE, (TRITANIUM, 5), (material, 5))
    assert book(*blueprints, types=types).price(KEEPSTAR, DAY) == UNKNOWN_PRICE
    assert book(*blueprints, types=types).price(MODULE, DAY) == Price(500_00, PriceRule.BASE_PRICE)


def test_titans_and_structure_rigs_cost_their_materials_whatever_was_seen() -> None:
    rig = dataclasses.replace(type_of(STRUCTURE_RIG, 1, 66, None), slot="rig")
    seen = {TITAN: Price(1_00, PriceRule.REFERENCE_AVERAGE), STRUCTURE_RIG: Price(1_00, PriceRule.REFERENCE_AVERAGE)}
    blueprints = made_of(TITAN, (TRITANIUM, 1000)), made_of(STRUCTURE_RIG, (TRITANIUM, 10))
    found = book(*blueprints, types=(rig,), references=seen)
    assert found.price(TITAN, DAY) == Price(3_600_00, PriceRule.BUILD_COST)
    assert found.price(STRUCTURE_RIG, DAY) == Price(36_00, PriceRule.BUILD_COST)


def test_a_titan_of_which_a_material_is_unknown_costs_what_is_known_of_it_by_hand() -> None:
    assert book(made_of(TITAN, (MORPHITE, 5))).price(TITAN, DAY) == Price(14_777_762_462_000, PriceRule.FIXED)


def test_blueprints_in_a_circle_come_to_an_end_and_the_same_one_every_time() -> None:
    types = (type_of(MODULE, 60, 7, 500.0), type_of(LOOP, 60, 7, None))
    circle = made_of(MODULE, (LOOP, 1)), made_of(LOOP, (MODULE, 1))
    for order in (MODULE, LOOP), (LOOP, MODULE):
        found = book(*circle, types=types)
        prices = {type_id: found.price(type_id, DAY) for type_id in order}
        assert prices == {MODULE: Price(500_00, PriceRule.BASE_PRICE), LOOP: UNKNOWN_PRICE}
    assert book(made_of(MODULE, (MODULE, 1))).price(MODULE, DAY) == UNKNOWN_PRICE


def test_a_chain_of_blueprints_longer_than_any_is_given_up() -> None:
    chain = [made_of(number, (number + 1, 1)) for number in range(1000, 1000 + MAX_DEPTH + 1)]
    end = {1000 + len(chain): Price(5_00, PriceRule.REFERENCE_AVERAGE, DAY)}
    found = book(*chain, references=end)
    assert found.price(1000, DAY) == UNKNOWN_PRICE
    assert found.price(1001, DAY) == Price(5_00, PriceRule.BUILD_COST)


def test_a_wide_and_deep_tree_of_blueprints_is_priced_once_each() -> None:
    layers = [[100_000 + 1000 * depth + number for number in range(20)] for depth in range(MAX_DEPTH)]
    tree = [
        made_of(product, *((material, 1) for material in below))
        for above, below in zip(layers, [*layers[1:], [TRITANIUM]], strict=True)
        for product in above
    ]
    # Twenty to the tenth leaves, were each asked for anew: this would never end.
    assert book(*tree).price(layers[0][0], DAY).cents == 4_00 * 20 ** (MAX_DEPTH - 1)


def test_a_customs_office_is_its_gantry_and_eight_of_each_part() -> None:
    parts = {3962: 100, 2867: 1, 2871: 20, 2872: 300, 2876: 4000}
    references = {kind: Price(isk * 100, PriceRule.REFERENCE_AVERAGE, DAY) for kind, isk in parts.items()}
    assert book(references=references).price(2233, DAY) == Price(34_668_00, PriceRule.BUILD_COST)
    assert book().price(2233, DAY) == UNKNOWN_PRICE
    assert set(ASSEMBLED) == {2233}


def test_what_no_blueprint_makes_has_no_recipe() -> None:
    assert recipe_of(small_universe(), TRITANIUM) is None
