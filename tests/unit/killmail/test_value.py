"""What a killmail was worth."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from killreport.eve.flags import FLAGS
from killreport.killmail.mail.model import Item
from killreport.killmail.rules.value import value_killmail
from killreport.market.price import Price, PriceBook, PriceRule
from tests.factories import (
    AFTERBURNER,
    AURORAL,
    CAPSULE,
    CARGO_CONTAINER,
    CARGO_RIG,
    NOT_IN_THE_UNIVERSE,
    RIFTER,
    RIFTER_BLUEPRINT,
    SERVICE_MODULE,
    TRITANIUM,
    make_killmail,
    make_prices,
    make_universe,
)

UNIVERSE = make_universe()
PRICES = make_prices({RIFTER: 50_000_00, AFTERBURNER: 1_234_56, TRITANIUM: 5_25, AURORAL: 9_000_00,
                      RIFTER_BLUEPRINT: 7_000_00, CARGO_CONTAINER: 100_00, CARGO_RIG: 3_000_00,
                      SERVICE_MODULE: 80_00})  # fmt: skip
HULL = 50_000_00
MIN_CENTS = 1


def sums(*items: Item, killmail_id: int = 97_000_001, ship_type_id: int = RIFTER) -> tuple[int, int, int, int]:
    mail = make_killmail(items=items, killmail_id=killmail_id, ship_type_id=ship_type_id)
    value = value_killmail(mail, UNIVERSE, PRICES)
    return value.fitted, value.dropped, value.destroyed, value.total


def rules(*items: Item, killmail_id: int = 97_000_001) -> list[tuple[int, PriceRule]]:
    value = value_killmail(make_killmail(items=items, killmail_id=killmail_id), UNIVERSE, PRICES)
    return [(price.cents, price.rule) for price in value.item_prices]


def test_a_bare_hull_is_fitted_and_destroyed() -> None:
    assert sums() == (HULL, 0, HULL, HULL)


def test_every_sum_is_exact_to_the_cent() -> None:
    fitted = Item(AFTERBURNER, 19, quantity_destroyed=1)
    cargo = Item(TRITANIUM, 5, quantity_dropped=3, quantity_destroyed=7)
    assert sums(fitted, cargo) == (HULL + 1_234_56, 3 * 5_25, HULL + 1_234_56 + 7 * 5_25, HULL + 1_234_56 + 10 * 5_25)


@pytest.mark.parametrize("flag", [11, 18, 19, 26, 27, 34, 92, 99, 125, 132, 159, 163, 164, 171])
def test_slots_and_launch_tubes_are_fitted(flag: int) -> None:
    assert sums(Item(AFTERBURNER, flag, quantity_dropped=1)) == (HULL + 1_234_56, 1_234_56, HULL, HULL + 1_234_56)


@pytest.mark.parametrize("flag", [0, 5, 10, 35, 87, 89, 90, 91, 100, 124, 133, 155, 158, 172])
def test_what_is_carried_is_not_fitted(flag: int) -> None:
    assert sums(Item(AFTERBURNER, flag, quantity_dropped=1)) == (HULL, 1_234_56, HULL, HULL + 1_234_56)


def test_contents_count_by_their_own_quantities_beside_their_container() -> None:
    ore = Item(TRITANIUM, 0, quantity_destroyed=4)
    box = Item(CARGO_CONTAINER, 5, quantity_destroyed=1, items=(ore,))
    assert sums(box) == (HULL, 0, HULL + 100_00 + 4 * 5_25, HULL + 100_00 + 4 * 5_25)


def test_modules_of_a_ship_in_the_hangar_are_not_fitted_to_the_ship_that_died() -> None:
    packed = Item(RIFTER, 90, quantity_dropped=1, items=(Item(AFTERBURNER, 19, quantity_dropped=1),))
    assert sums(packed) == (HULL, HULL + 1_234_56, HULL, 2 * HULL + 1_234_56)


def test_prices_come_in_the_order_of_the_flattened_items() -> None:
    box = Item(CARGO_CONTAINER, 5, items=(Item(TRITANIUM, 0), Item(RIFTER_BLUEPRINT, 0, singleton=2)))
    assert [cents for cents, _ in rules(box, Item(AFTERBURNER, 19))] == [100_00, 5_25, MIN_CENTS, 1_234_56]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (Item(RIFTER_BLUEPRINT, 5, singleton=2), (MIN_CENTS, PriceRule.BLUEPRINT_COPY)),
        (Item(RIFTER_BLUEPRINT, 5, singleton=0), (7_000_00, PriceRule.REFERENCE_AVERAGE)),
        (Item(RIFTER_BLUEPRINT, 5, singleton=1), (7_000_00, PriceRule.REFERENCE_AVERAGE)),
        (Item(RIFTER, 179), (MIN_CENTS, PriceRule.ESCAPE_BAY)),
        (Item(AURORAL, 89), (MIN_CENTS, PriceRule.GOLDEN_IMPLANT)),
        (Item(AURORAL, 5), (9_000_00, PriceRule.REFERENCE_AVERAGE)),
        (Item(NOT_IN_THE_UNIVERSE, 5), (0, PriceRule.UNKNOWN)),
    ],
)
def test_the_place_or_kind_of_an_item_can_settle_its_price(item: Item, expected: tuple[int, PriceRule]) -> None:
    assert rules(item) == [expected]


@pytest.mark.parametrize(
    ("killmail_id", "flag", "rule"),
    [
        (21_112_471, 5, PriceRule.BLUEPRINT_COPY),
        (21_112_471, 155, PriceRule.BLUEPRINT_COPY),
        (21_112_472, 5, PriceRule.REFERENCE_AVERAGE),
    ],
)
def test_a_blueprint_on_an_old_mail_is_taken_as_a_copy(killmail_id: int, flag: int, rule: PriceRule) -> None:
    assert rules(Item(RIFTER_BLUEPRINT, flag), killmail_id=killmail_id)[0][1] is rule
    assert rules(Item(TRITANIUM, 5), killmail_id=killmail_id) == [(5_25, PriceRule.REFERENCE_AVERAGE)]


LAST_WITHOUT, FIRST_WITH = 21_112_471, 21_112_472


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("singleton", [0, 1, 2])
@pytest.mark.parametrize("killmail_id", [LAST_WITHOUT, FIRST_WITH])
def test_what_a_blueprint_and_a_mineral_count_wherever_they_lie(
    is_nested: bool, singleton: int, killmail_id: int
) -> None:
    def counted(type_id: int, flag: int) -> tuple[int, PriceRule]:
        item = Item(type_id, flag, singleton, quantity_dropped=1)
        box = Item(CARGO_CONTAINER, 5, quantity_dropped=1, items=(item,))
        return rules(box if is_nested else item, killmail_id=killmail_id)[-1]

    copy, market = (MIN_CENTS, PriceRule.BLUEPRINT_COPY), PriceRule.REFERENCE_AVERAGE
    is_copy = singleton == 2 or killmail_id == LAST_WITHOUT
    expected = dict.fromkeys(
        FLAGS, (copy if is_copy else (7_000_00, market), copy if singleton == 2 else (5_25, market))
    )
    in_the_bay = (MIN_CENTS, PriceRule.ESCAPE_BAY)
    expected[179] = (copy if is_copy else in_the_bay, copy if singleton == 2 else in_the_bay)
    assert {flag: (counted(RIFTER_BLUEPRINT, flag), counted(TRITANIUM, flag)) for flag in FLAGS} == expected


def test_what_is_inside_something_in_the_escape_bay_counts_no_more_than_that() -> None:
    inner = Item(CARGO_CONTAINER, 5, quantity_dropped=1, items=(Item(TRITANIUM, 0, quantity_dropped=9),))
    frigate = Item(RIFTER, 179, quantity_dropped=1, items=(Item(AFTERBURNER, 19, quantity_dropped=1), inner))
    outside = Item(AFTERBURNER, 19, quantity_dropped=1)
    assert rules(frigate, outside) == [(MIN_CENTS, PriceRule.ESCAPE_BAY)] * 4 + [
        (1_234_56, PriceRule.REFERENCE_AVERAGE)
    ]


@pytest.mark.parametrize(
    ("ship_type_id", "items", "total", "is_complete"),
    [
        (RIFTER, (), HULL, True),
        (RIFTER, (Item(AFTERBURNER, 19, quantity_dropped=1),), HULL + 1_234_56, True),
        (NOT_IN_THE_UNIVERSE, (Item(AFTERBURNER, 19, quantity_dropped=1),), 1_234_56, False),
        (RIFTER, (Item(NOT_IN_THE_UNIVERSE, 5, quantity_dropped=1),), HULL, False),
        (RIFTER, (Item(NOT_IN_THE_UNIVERSE, 5, quantity_destroyed=9),), HULL, False),
        (RIFTER, (Item(CARGO_CONTAINER, 5, items=(Item(NOT_IN_THE_UNIVERSE, 0, quantity_dropped=2),)),), HULL, False),
        # There was none of it, so nothing is missing from the sums.
        (RIFTER, (Item(NOT_IN_THE_UNIVERSE, 5, quantity_dropped=0),), HULL, True),
        (RIFTER, (Item(NOT_IN_THE_UNIVERSE, 5),), HULL, True),
        # These count 0.01 by a rule: that is a price.
        (RIFTER, (Item(NOT_IN_THE_UNIVERSE, 5, singleton=2, quantity_dropped=1),), HULL + MIN_CENTS, True),
        (RIFTER, (Item(NOT_IN_THE_UNIVERSE, 179, quantity_dropped=1),), HULL + MIN_CENTS, True),
    ],
)
def test_what_has_no_price_adds_nothing_and_the_value_says_so(
    ship_type_id: int, items: tuple[Item, ...], total: int, is_complete: bool
) -> None:
    value = value_killmail(make_killmail(ship_type_id=ship_type_id, items=items), UNIVERSE, PRICES)
    assert (value.total, value.is_complete) == (total, is_complete)


def test_a_capsule_costs_what_its_rule_says() -> None:
    value = value_killmail(make_killmail(ship_type_id=CAPSULE), UNIVERSE, PRICES)
    assert (value.ship, value.total) == (Price(10_000_00, PriceRule.CAPSULE), 10_000_00)


def test_the_prices_are_those_of_the_kills_utc_day() -> None:
    asked: set[date] = set()

    class Listening(PriceBook):
        def price(self, type_id: int, day: date) -> Price:
            asked.add(day)
            return super().price(type_id, day)

    mail = make_killmail(at=datetime(2021, 12, 2, 23, 59, 59, tzinfo=UTC), items=(Item(TRITANIUM, 5),))
    value_killmail(mail, UNIVERSE, Listening(UNIVERSE, {}))
    assert asked == {date(2021, 12, 2)}
