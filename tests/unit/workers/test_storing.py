"""How batches are counted."""

from __future__ import annotations

from killreport.workers.storing import StoreTally


def test_tallies_add_up() -> None:
    tally = StoreTally(1, 2, 3)

    tally.add(StoreTally(10, 20, 30))

    assert tally == StoreTally(11, 22, 33)
