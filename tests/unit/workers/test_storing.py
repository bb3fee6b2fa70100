"""How batches are counted."""

from __future__ import annotations

from killreport.workers.storing import Tally


def test_tallies_add_up() -> None:
    tally = Tally(1, 2, 3)

    tally.add(Tally(10, 20, 30))

    assert tally == Tally(11, 22, 33)
