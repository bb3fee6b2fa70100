"""Reproducible randomness."""

from __future__ import annotations

import pytest

from killreport.sim.world.chance import Quantiles, Weighted, fraction, mix, pick_early, stream


def test_mixing_never_changes_between_releases() -> None:
    # Every generated mail of every home rests on these.
    assert mix(1, 2, 3) == 5_942_105_263_184_268_194
    assert stream(1, 2, 3).random() == pytest.approx(0.4554963865495838, abs=1e-15)


def test_mixing_depends_on_the_order_of_its_parts() -> None:
    assert mix(1, 2) != mix(2, 1)


def test_fractions_are_even() -> None:
    values = [fraction(7, n) for n in range(10_000)]

    assert sum(values) / len(values) == pytest.approx(0.5, abs=0.01)
    assert 0 <= min(values) < 0.001
    assert 0.999 < max(values) < 1


def test_weights_decide_how_often() -> None:
    coin: Weighted[str] = Weighted([("never", 0), ("rare", 1), ("often", 3)])

    assert [coin.draw(unit) for unit in (0.0, 0.2499, 0.25, 0.999999)] == ["rare", "rare", "often", "often"]


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to choose from"):
        Weighted([("never", 0)])


def test_quantiles_meet_their_points_and_lie_between_elsewhere() -> None:
    spread = Quantiles([(0, 1), (0.5, 10), (1, 100)])

    assert spread.draw(0.0) == pytest.approx(1)
    assert spread.draw(0.5) == pytest.approx(10)
    assert 1 < spread.draw(0.25) < 5.5


def test_early_choices_are_likelier_when_it_is_steep() -> None:
    drawn = [pick_early(range(8), n / 1000, 3.0) for n in range(1000)]

    assert drawn.count(0) == 500
    assert max(drawn) == 7
