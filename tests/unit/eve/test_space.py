"""Security and kinds of space, at every threshold."""

from __future__ import annotations

import math

import pytest

from killreport.eve.space import SpaceClass, location_label, shown_security, space_class, space_class_of
from killreport.eve.universe import SolarSystem

THE_FORGE, POCHVEN, ZARZAKH = 10_000_002, 10_000_070, 10_001_000


@pytest.mark.parametrize(
    ("raw", "shown", "kind"),
    [
        (1.0, 1.0, SpaceClass.HIGHSEC),
        (0.945913116665, 0.9, SpaceClass.HIGHSEC),
        (0.45, 0.5, SpaceClass.HIGHSEC),
        (0.4499999, 0.4, SpaceClass.LOWSEC),
        (0.449, 0.4, SpaceClass.LOWSEC),
        (0.05, 0.1, SpaceClass.LOWSEC),
        (0.04, 0.1, SpaceClass.LOWSEC),
        (0.0000001, 0.1, SpaceClass.LOWSEC),
        (0.0, 0.0, SpaceClass.LOWSEC),
        (-0.0000001, 0.0, SpaceClass.NULLSEC),
        (-0.04, 0.0, SpaceClass.NULLSEC),
        (-0.06, -0.1, SpaceClass.NULLSEC),
        (-0.99, -1.0, SpaceClass.NULLSEC),
        (-1.0, -1.0, SpaceClass.NULLSEC),
    ],
)
def test_known_space_is_told_by_its_true_security(raw: float, shown: float, kind: SpaceClass) -> None:
    assert shown_security(raw) == shown
    assert space_class_of(THE_FORGE, raw) is kind


def test_a_security_of_zero_is_never_shown_with_a_minus() -> None:
    assert math.copysign(1.0, shown_security(-0.04)) == 1.0


@pytest.mark.parametrize("raw", [1.01, -1.01, math.inf, math.nan])
def test_a_security_outside_the_scale_is_an_error(raw: float) -> None:
    with pytest.raises(ValueError, match="is not a security status"):
        shown_security(raw)


@pytest.mark.parametrize(
    ("region_id", "kind", "label"),
    [
        (POCHVEN, "pochven", None),
        (ZARZAKH, "zarzakh", None),
        (10_000_069, "nullsec", "loc:nullsec"),
        (11_000_001, "w-space", "loc:w-space"),
        (11_000_031, "w-space", "loc:w-space"),
        (11_000_033, "drifter", "loc:drifter"),
        (11_999_999, "w-space", "loc:w-space"),
        (12_000_000, "abyssal", "loc:abyssal"),
        (12_999_999, "abyssal", "loc:abyssal"),
        (14_000_001, "other", None),
        (0, "other", None),
    ],
)
def test_the_region_decides_where_security_says_nothing(region_id: int, kind: str, label: str | None) -> None:
    assert space_class_of(region_id, -0.99) == kind
    assert location_label(region_id, -0.99) == label


def test_a_system_that_moved_to_pochven_counts_as_what_it_was_before() -> None:
    niarja = SolarSystem(30003504, "Niarja", 20000787, POCHVEN, -1.0, None, 25)

    assert space_class(niarja) is SpaceClass.POCHVEN
    assert location_label(10_000_043, 0.5) == "loc:highsec"
