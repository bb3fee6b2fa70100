"""How batches are counted, and which errors are the fault of what was to be stored."""

from __future__ import annotations

import pytest

from killreport.workers.storing import Tally, is_refusal


def test_tallies_add_up() -> None:
    tally = Tally(1, 2, 3)

    tally.add(Tally(10, 20, 30))

    assert tally == Tally(11, 22, 33)


@pytest.mark.parametrize(("state", "expected"), [("22001", True), ("23514", True), ("40P01", False), (None, False)])
def test_a_refusal_is_told_by_its_class_of_sqlstate(state: str | None, expected: bool) -> None:
    error = Exception()
    error.sqlstate = state  # type: ignore[attr-defined]

    assert is_refusal(error) is expected
