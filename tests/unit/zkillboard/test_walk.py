"""The rules of R2Z2, one by one: where to begin, how long to wait, when to stop."""

from __future__ import annotations

import pytest

from killreport.errors import KillreportError, Refused, Transient, Unavailable
from killreport.zkillboard.package import FeedDelivery, UnreadablePackage
from killreport.zkillboard.walk import Ask, FoundPackage, Goal, Wait, Walk
from tests.unit.zkillboard.hosts import Follower


def make_walk(next_sequence: int | None = 100, *, behind: int = 0) -> Walk:
    return Walk(next_sequence, wait_seconds=6.0, gap_seconds=60.0, behind=behind, jitter=lambda: 1.0)


def test_the_first_start_begins_at_the_head() -> None:
    follower = Follower(make_walk(None), there={100, 101})

    assert follower.until_delivery() == FeedDelivery(next_sequence=101)
    assert follower.until_delivery().next_sequence == 102
    assert [sequence for sequence, _ in follower.asked] == [None, 101]


def test_the_first_start_goes_back_as_far_as_it_is_told() -> None:
    follower = Follower(make_walk(None, behind=30), there={100})

    assert follower.until_delivery() == FeedDelivery(next_sequence=70)


def test_a_start_with_a_stored_cursor_never_asks_for_the_head() -> None:
    follower = Follower(make_walk(100), there={100, 101, 102})

    sequences = [follower.until_delivery().next_sequence for _ in range(3)]

    assert sequences == [101, 102, 103]
    assert [sequence for sequence, _ in follower.asked] == [100, 101, 102]


def test_a_number_that_is_not_there_yet_is_asked_for_again_after_the_wait() -> None:
    follower = Follower(make_walk(100), there=set())
    for _ in range(5):
        follower.step()

    assert follower.asked == [(100, 1000.0), (100, 1006.0), (100, 1012.0)]


def test_a_number_that_comes_late_is_delivered_without_a_gap() -> None:
    follower = Follower(make_walk(100), there=set())
    for _ in range(6):
        follower.step()
    follower.there.add(100)

    delivery = follower.until_delivery()

    assert (delivery.next_sequence, delivery.gaps) == (101, ())


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Transient("429", 3.0), 3.0),
        (Transient("429"), 10.0),
        (Refused("403"), 3600.0),
        (Unavailable("503"), 1.0),
    ],
)
def test_a_refusal_holds_every_request_for_its_time(answer: KillreportError, seconds: float) -> None:
    walk = make_walk(100)
    walk.take(Ask(100, Goal.NEXT), answer, 1000.0)

    assert walk.next_step(1000.0) == Wait(seconds)
    assert walk.next_step(1000.0 + seconds) == Ask(100, Goal.NEXT)


def test_failures_double_the_pause_up_to_a_minute_and_an_answer_ends_that() -> None:
    follower = Follower(make_walk(100), there={100})
    pauses = []
    for _ in range(8):
        follower.step(Unavailable("503"))
        pauses.append(follower.walk.next_step(follower.now))
        follower.step()

    assert pauses == [Wait(seconds) for seconds in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)]
    assert follower.until_delivery().next_sequence == 101
    follower.step(Unavailable("503"))
    assert follower.walk.next_step(follower.now) == Wait(1.0)


def test_the_pause_after_a_failure_is_spread_by_the_jitter() -> None:
    walk = Walk(100, wait_seconds=6.0, gap_seconds=60.0, jitter=lambda: 0.5)
    walk.take(Ask(100, Goal.NEXT), Unavailable("503"), 1000.0)

    assert walk.next_step(1000.0) == Wait(0.5)


def test_a_ban_lasts_until_an_answer_comes() -> None:
    follower = Follower(make_walk(100), there={100})
    follower.step(Refused("403"))
    banned = follower.walk.is_banned
    follower.step()
    follower.step()

    assert (banned, follower.walk.is_banned, follower.now) == (True, False, 4600.0)


def test_a_failure_does_not_count_as_missing() -> None:
    follower = Follower(make_walk(100), there={101})
    for _ in range(40):
        follower.step(Unavailable("503"))
        follower.step()

    assert {sequence for sequence, _ in follower.asked} == {100, 101}
    assert follower.walk.next_sequence == 100


def test_a_package_that_cannot_be_read_is_handed_on_and_passed() -> None:
    walk = make_walk(100)
    broken = UnreadablePackage("expected `int`", "$.killmail_id", b"{}", 100)

    delivery = walk.take(Ask(100, Goal.NEXT), FoundPackage(broken), 1000.0)

    assert delivery == FeedDelivery(broken, next_sequence=101)
    assert walk.next_step(1000.0) == Ask(101, Goal.NEXT)
