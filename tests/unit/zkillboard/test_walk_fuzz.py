"""Whatever the feed does, a number that comes to be there is handed on or noted as a gap, and the head is reached."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from killreport.errors import KillreportError, NotFound, Transient, Unavailable
from killreport.zkillboard.package import Package
from killreport.zkillboard.walk import Ask, FoundPackage, Head, Wait
from tests.unit.zkillboard.hosts import package
from tests.unit.zkillboard.test_walk import make_walk

FIRST = 100
TROUBLES: tuple[KillreportError | None, ...] = (None, None, None, Unavailable("502"), Transient("429", 2.0))


@settings(max_examples=int(os.environ.get("KILLREPORT_TEST_WALKS", "60")))
@given(
    delays=st.lists(st.sampled_from([0, 0, 0, 0, 30, 90, 200, 5000, None]), min_size=1, max_size=60),
    troubles=st.lists(st.sampled_from(TROUBLES), max_size=80),
    lag=st.integers(0, 60),
)
def test_no_number_is_passed_over_unnoticed(
    delays: list[int | None], troubles: list[KillreportError | None], lag: int
) -> None:
    walk = make_walk(FIRST)
    # The last number is there at once: else nobody could know that there is anything to wait for.
    there_at = {FIRST + n: delay for n, delay in enumerate([*delays, 0])}
    head = max(there_at)
    now, handed_on, noted = 0.0, set[int](), set[int]()
    while now < 20_000:
        step = walk.next_step(now)
        if isinstance(step, Wait):
            now += step.seconds
            continue
        now += 0.1
        trouble = troubles.pop() if troubles else None
        delivery = walk.take(step, trouble or _answer(step, there_at, now, head - lag), now)
        if delivery is not None:
            assert delivery.jumped_from is None
            noted = (noted | set(delivery.gaps)) - set(delivery.filled_gaps)
            if isinstance(delivery.package, Package):
                handed_on.add(delivery.package.sequence_id or 0)

    comes = {number for number, delay in there_at.items() if delay is not None}
    reached = {number for number in comes if number < (walk.next_sequence or 0)}
    assert handed_on == reached
    assert noted == {number for number in there_at if number < (walk.next_sequence or 0)} - handed_on
    if lag == 0:
        assert walk.next_sequence == head + 1


def _answer(ask: Ask, there_at: dict[int, int | None], now: float, head: int) -> Head | FoundPackage | NotFound:
    if ask.sequence is None:
        return Head(head)
    at = there_at.get(ask.sequence)
    return NotFound("404") if at is None or now < at else FoundPackage(package(ask.sequence))
