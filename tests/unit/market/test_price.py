"""The ladder of rules without market days, and the rule of the market days by itself."""

from __future__ import annotations

from datetime import date

import pytest

from killreport.eve.seed import read_reference_prices
from killreport.market.price import EXPLANATIONS, Price, PriceRule, market_price
from tests.unit.market.books import (
    AVATAR,
    CAPSULE,
    GOLDEN_CAPSULE,
    MORDUNIUM,
    REVENANT,
    RIFTER,
    SKIN,
    TRITANIUM,
    UNKNOWN,
    WORTHLESS,
    small_book,
)

DAY = date(2024, 5, 6)


@pytest.mark.parametrize("version", [0, 3])
@pytest.mark.parametrize(
    ("type_id", "cents", "rule"),
    [
        (SKIN, 1, PriceRule.SKIN),
        (AVATAR, 14_777_762_462_000, PriceRule.FIXED),
        (REVENANT, 25_000_000_000_000, PriceRule.FIXED),
        (MORDUNIUM, 20_000, PriceRule.FIXED),
        (CAPSULE, 1_000_000, PriceRule.CAPSULE),
        (GOLDEN_CAPSULE, 1_000_000, PriceRule.CAPSULE),
        (TRITANIUM, 412, PriceRule.REFERENCE_MARKET),
        (RIFTER, 40_000_000, PriceRule.BASE_PRICE),
        (WORTHLESS, 0, PriceRule.UNKNOWN),
        (UNKNOWN, 0, PriceRule.UNKNOWN),
    ],
)
def test_the_first_rule_that_answers_wins(type_id: int, cents: int, rule: PriceRule, version: int) -> None:
    book = small_book(version)

    assert book.price(type_id, DAY) == Price(cents, rule)
    assert book.price(type_id, DAY) == Price(cents, rule)


def test_a_fixed_price_with_dates_is_that_of_the_day() -> None:
    book = small_book()

    assert book.price(REVENANT, date(2023, 12, 1)).cents == 25_000_000_000_000
    assert book.price(REVENANT, date(2023, 11, 30)).cents == 10_000_000_000_000
    assert book.price(REVENANT, date(2023, 12, 1)).cents == 25_000_000_000_000


def test_a_repeated_question_has_the_same_answer_and_makes_no_new_object() -> None:
    book = small_book()

    assert book.price(RIFTER, DAY) is book.price(RIFTER, date(2009, 1, 1))


@pytest.mark.parametrize(
    ("averages", "average_of_day", "expected"),
    [
        ([], None, None),
        ([500], None, Price(500, PriceRule.MARKET_MEAN)),
        ([500, 700], 700, Price(600, PriceRule.MARKET_MEAN)),
        ([500, 700], 500, Price(500, PriceRule.MARKET_DAY)),
        ([500] * 7, 500, Price(500, PriceRule.MARKET_TRIMMED)),
        ([500] * 6 + [100], 100, Price(100, PriceRule.MARKET_DAY)),
        ([500] * 34, None, Price(500, PriceRule.MARKET_TRIMMED)),
        # One cent says that nobody trades it; zero on the day itself says nothing.
        ([1, 1], 1, None),
        ([0, 4], 0, Price(2, PriceRule.MARKET_MEAN)),
        ([1, 4], 1, Price(1, PriceRule.MARKET_DAY)),
    ],
)
def test_the_market_days_give_a_price_and_its_rule(
    averages: list[int], average_of_day: int | None, expected: Price | None
) -> None:
    assert market_price(averages, average_of_day) == expected


def test_every_rule_explains_itself_in_one_line() -> None:
    assert set(EXPLANATIONS) == set(PriceRule)
    assert all(rule.explanation.endswith(".") and "\n" not in rule.explanation for rule in PriceRule)
    assert len(set(EXPLANATIONS.values())) == len(PriceRule)


def test_the_numbers_of_the_rules_never_change() -> None:
    assert {rule.name: rule.value for rule in PriceRule} == {
        "SKIN": 1,
        "FIXED": 2,
        "CAPSULE": 3,
        "BLUEPRINT_COPY": 4,
        "ESCAPE_BAY": 5,
        "GOLDEN_IMPLANT": 6,
        "MARKET_TRIMMED": 10,
        "MARKET_MEAN": 11,
        "MARKET_DAY": 12,
        "REFERENCE_MARKET": 20,
        "REFERENCE_AVERAGE": 21,
        "BUILD_COST": 25,
        "BASE_PRICE": 30,
        "UNKNOWN": 99,
    }


def test_the_packaged_prices_are_of_the_two_rules_of_reference() -> None:
    rules = {PriceRule(price.rule) for price in read_reference_prices()}

    assert rules == {PriceRule.REFERENCE_MARKET, PriceRule.REFERENCE_AVERAGE}
