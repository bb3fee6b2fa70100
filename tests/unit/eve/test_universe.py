"""Questions to the static data, asked of what the package brings."""

from __future__ import annotations

import dataclasses

import pytest

from killreport.eve.universe import MarketGroup, Type, Universe

RIFTER = Type(587, "Rifter", 25, 6, True, 64, 1, 400000.0, 1, 0, False, None, 3, 3, 4, 3, None, None)


def universe_of(types: list[Type], market_groups: list[MarketGroup]) -> Universe:
    """Return a universe of nothing but these."""
    return Universe(
        types={row.type_id: row for row in types},
        market_groups={row.market_group_id: row for row in market_groups},
        groups={},
        categories={},
        meta_groups={},
        regions={},
        constellations={},
        systems={},
        factions={},
        corporations={},
    )


def hull_of(type_id: int, market_group_id: int | None) -> Type:
    """Return a hull sold in that market group."""
    return dataclasses.replace(RIFTER, type_id=type_id, market_group_id=market_group_id)


def test_a_hull_is_capital_when_its_market_group_hangs_below_capital_ships() -> None:
    groups = [
        MarketGroup(4, "Ships", None),
        MarketGroup(1381, "Capital Ships", 4),
        MarketGroup(812, "Titans", 1381),
        MarketGroup(813, "Caldari", 812),
        MarketGroup(64, "Minmatar", 4),
    ]
    hulls = [hull_of(1, 813), hull_of(2, 1381), hull_of(3, 64), hull_of(4, None), hull_of(5, 999_999)]
    universe = universe_of(hulls, groups)

    assert [type_id for type_id in range(7) if universe.is_capital(type_id)] == [1, 2]


def test_market_groups_in_a_circle_are_not_capital_and_do_not_hang() -> None:
    universe = universe_of([hull_of(1, 10)], [MarketGroup(10, "a", 11), MarketGroup(11, "b", 10)])

    assert universe.is_capital(1) is False


def test_an_unknown_id_has_no_answer_and_is_no_error() -> None:
    universe = universe_of([], [])

    assert universe.type_name(1) is None
    assert universe.group_id_of(1) is None
    assert universe.category_of(1) is None
    assert universe.category_id_of(1) is None
    assert universe.is_capital(1) is False


def test_a_row_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RIFTER.name = "Punisher"  # type: ignore[misc]
