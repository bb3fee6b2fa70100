"""A log of hours says what was added to it, however it was joined and shortened."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killreport.entity.kind import EntityKind
from killreport.killmail.postings.codes import code_of
from killreport.killmail.stored.activity import (
    CELLS,
    LONGEST,
    SLOTS,
    ActivityChanges,
    change,
    changes_in,
    hours_in,
    shortened,
    slot_of,
)

CHANGES = st.lists(st.tuples(st.integers(0, CELLS - 1), st.integers(-(2**40), 2**40).filter(bool)))


@given(CHANGES)
def test_every_change_is_read_back_and_a_shortened_log_has_the_same_sums(changes: list[tuple[int, int]]) -> None:
    log = b"".join(change(*one) for one in changes)
    assert list(changes_in(log)) == changes
    sums = Counter[int]()
    for cell, count in changes:
        sums[cell] += count
    whole = [sums[cell] for cell in range(CELLS)]
    for same in (log, shortened(log)):
        kills, losses = hours_in(same)
        assert [*kills, *losses] == whole
    assert len(list(changes_in(shortened(log)))) == CELLS - whole.count(0)


@pytest.mark.parametrize(
    ("count", "size"), [(0, 0), (1, 1), (2, 2), (-1, 2), (24, 2), (26, 3), (3000, 3), (300_000, 4)]
)
def test_a_few_killmails_take_a_byte_or_two(count: int, size: int) -> None:
    assert len(change(0, count)) == size


def test_the_busiest_of_all_is_shorter_than_a_long_log() -> None:
    """Seventeen million kills and half a million losses, of a hundred million killmails in all of EVE."""
    sums = b"".join(change(cell, 100_000 if cell < SLOTS else 3_000) for cell in range(CELLS))
    assert len(sums) < LONGEST * 3 / 4


def test_a_batch_is_summed_by_who_and_when_and_ships_are_left_out() -> None:
    pilot, hull = code_of(EntityKind.CHARACTER, 95), code_of(EntityKind.SHIP_TYPE, 587)
    activity = ActivityChanges()
    activity.add([pilot, hull], 3, 1)
    activity.add([pilot], 3, 1)
    activity.add([pilot], 4, 1)
    activity.add([pilot], 4, -1)
    activity.add([pilot], 5, 1, is_loss=True)
    logs = activity.logs()
    assert set(logs) == {pilot}
    kills, losses = hours_in(logs[pilot])
    assert (kills[3], sum(kills), losses[5], sum(losses)) == (2, 2, 1, 1)


def test_the_week_begins_on_monday() -> None:
    assert slot_of(datetime(2021, 11, 29, 0, 59, tzinfo=UTC)) == 0
    assert slot_of(datetime(2021, 12, 5, 23, 0, tzinfo=UTC)) == 167
