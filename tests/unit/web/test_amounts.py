"""Figures as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from killreport.web import amounts


@pytest.mark.parametrize(
    ("isk", "text"),
    [
        ("0.00", "0"),
        ("0.01", "0.01"),
        ("1.00", "1"),
        ("999.00", "999"),
        ("999.60", "1.00k"),
        ("1000.00", "1.00k"),
        ("12345.00", "12.3k"),
        ("123456.00", "123k"),
        ("999499.00", "999k"),
        ("999500.00", "1.00m"),
        ("9994999.00", "9.99m"),
        ("9995000.00", "10.0m"),
        ("99950000.00", "100m"),
        ("1230000000.00", "1.23b"),
        ("2500000000000.00", "2.50t"),
        ("1234000000000000.00", "1,234t"),
    ],
)
def test_isk_is_written_in_three_digits_and_a_unit(isk: str, text: str) -> None:
    assert amounts.isk_short(isk) == text


def test_isk_in_full_is_exact() -> None:
    assert amounts.isk_full("46116860184273879.04") == "46,116,860,184,273,879.04"


def test_a_share_of_nothing_is_0() -> None:
    assert [amounts.share(part, whole) for part, whole in ((0, 0), (1, 3), (2, 2), (1, 1000))] == [
        "0",
        "33.3",
        "100",
        "0.1",
    ]


def test_security_has_a_colour_of_its_own_for_each_tenth() -> None:
    assert [amounts.security_class(value) for value in (1.0, 0.5, 0.1, 0.0, -0.1, -1.0, None)] == [
        "sec-10",
        "sec-5",
        "sec-1",
        "sec-null",
        "sec-null",
        "sec-null",
        "sec-unknown",
    ]
    assert [amounts.security_text(value) for value in (1.0, -0.1, None)] == ["1.0", "-0.1", "?"]


def test_days_are_written_out() -> None:
    assert amounts.day_title(datetime(2026, 11, 3, 23, 59, tzinfo=UTC)) == "Tuesday, 3 November 2026"
