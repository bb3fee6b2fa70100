"""Numbers that are missing, rewritten or expired: what R2Z2 may do, and how nothing is passed over unnoticed."""

from __future__ import annotations

from killreport.errors import HostAway, NotFound
from killreport.zkillboard.package import FeedDelivery
from killreport.zkillboard.walk import GAP_LIFE_SECONDS, Ask, FoundPackage, Goal, Head, Wait
from tests.unit.zkillboard.hosts import Follower, package
from tests.unit.zkillboard.test_walk import make_walk


def test_a_number_missing_for_a_minute_while_the_next_is_there_is_a_gap() -> None:
    follower = Follower(make_walk(100), there={101})

    delivery = follower.until_delivery()

    assert (delivery.next_sequence, delivery.gaps) == (102, (100,))
    assert follower.asked[-2:] == [(100, 1066.0), (101, 1066.0)]
    assert {sequence for sequence, _ in follower.asked[:-1]} == {100}


def test_a_gap_is_asked_for_again_and_filled_when_it_comes() -> None:
    follower = Follower(make_walk(100), there={101})
    follower.until_delivery()

    assert follower.until_delivery() == FeedDelivery(next_sequence=102, gaps=(100,))
    follower.there.add(100)
    filled = follower.until_delivery()

    assert (filled.package.sequence_id, filled.next_sequence, filled.filled_gaps) == (100, 102, (100,))
    assert [at for sequence, at in follower.asked if sequence == 100][-2:] == [1126.0, 1186.0]


def test_the_tries_for_a_gap_come_ever_later_but_once_an_hour_at_least() -> None:
    walk = make_walk(100)
    pauses = []
    now = 1000.0
    walk.load_gaps({50: 0.0}, now)
    for _ in range(9):
        assert walk.take(Ask(50, Goal.AGAIN), NotFound("404"), now) == FeedDelivery(next_sequence=100, gaps=(50,))
        walk.take(Ask(100, Goal.NEXT), NotFound("404"), now)
        earlier = now
        while (step := walk.next_step(now)) != Ask(50, Goal.AGAIN):
            now += step.seconds if isinstance(step, Wait) else 0.0
            if isinstance(step, Ask):
                walk.take(step, Head(99) if step.sequence is None else NotFound("404"), now)
        pauses.append(now - earlier)

    assert pauses == [60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0, 3600.0]


def test_a_gap_older_than_what_the_feed_keeps_is_given_up_and_said_to_be_lost() -> None:
    walk = make_walk(100)
    walk.load_gaps({50: GAP_LIFE_SECONDS - 10}, 1000.0)

    early = walk.take(Ask(50, Goal.AGAIN), NotFound("404"), 1009.0)
    late = walk.take(Ask(50, Goal.AGAIN), NotFound("404"), 1010.0)

    assert early == FeedDelivery(next_sequence=100, gaps=(50,))
    assert late == FeedDelivery(next_sequence=100, filled_gaps=(50,), lost_gaps=(50,))


def test_many_due_gaps_do_not_hold_up_the_newest_number() -> None:
    follower = Follower(make_walk(100), there=set(range(100, 110)))
    follower.walk.load_gaps(dict.fromkeys(range(1, 50), 0.0), 1000.0)
    for _ in range(8):
        follower.step()

    assert [sequence for sequence, _ in follower.asked] == [1, 100, 2, 101, 3, 102, 4, 103]


def test_a_rewritten_number_is_noted_with_the_package_that_names_it_and_read_at_once() -> None:
    walk = make_walk(100)

    named = walk.take(Ask(100, Goal.NEXT), FoundPackage(package(100, sequence_updated=70)), 1000.0)
    step = walk.next_step(1000.0)
    read = walk.take(Ask(70, Goal.AGAIN), FoundPackage(package(70)), 1001.0)

    assert named is not None
    assert (named.next_sequence, named.gaps) == (101, (70,))
    assert step == Ask(70, Goal.AGAIN)
    assert read is not None
    assert (read.next_sequence, read.filled_gaps, read.gaps) == (101, (70,), ())


def test_a_number_that_names_itself_or_a_later_one_as_rewritten_is_not_followed() -> None:
    walk = make_walk(100)
    for sequence, updated in ((100, 100), (101, 200), (102, 0)):
        delivery = walk.take(
            Ask(sequence, Goal.NEXT), FoundPackage(package(sequence, sequence_updated=updated)), 1000.0
        )
        assert delivery is not None
        assert delivery.gaps == ()


def test_a_gap_that_is_named_as_rewritten_at_the_same_time_is_noted_once() -> None:
    walk = make_walk(100)

    delivery = walk.take(Ask(101, Goal.PROBE), FoundPackage(package(101, sequence_updated=100)), 1000.0)

    assert delivery is not None
    assert (delivery.next_sequence, delivery.gaps) == (102, (100,))


def test_a_quiet_feed_is_no_gap() -> None:
    follower = Follower(make_walk(100), there=set(), head=99)
    while follower.now < 1000.0 + 600:
        assert follower.step() is None

    follower.there = {100}
    delivery = follower.until_delivery()
    assert (delivery.next_sequence, delivery.gaps) == (101, ())


def test_several_missing_numbers_in_a_row_become_gaps_each() -> None:
    follower = Follower(make_walk(100), there=set(range(104, 120)))

    assert follower.until_delivery() == FeedDelivery(next_sequence=104, gaps=(100, 101, 102, 103))
    # What was missing is tried soon: the search may have passed over a number that is there.
    assert follower.until_delivery() == FeedDelivery(next_sequence=104, gaps=(100,))
    assert follower.until_delivery().next_sequence == 105


def test_an_expired_cursor_jumps_to_the_oldest_number_that_is_still_there() -> None:
    follower = Follower(make_walk(100), there=set(range(30_000, 50_001)))

    assert follower.until_delivery() == FeedDelivery(next_sequence=30_000, jumped_from=100)
    assert len(follower.asked) < 40
    assert follower.until_delivery().next_sequence == 30_001


def test_a_head_that_is_not_there_itself_moves_nothing() -> None:
    follower = Follower(make_walk(100), there=set(), head=50_000)
    for _ in range(100):
        assert follower.step() is None

    assert follower.walk.next_sequence == 100


def test_a_cursor_far_beyond_the_head_goes_back_to_it() -> None:
    follower = Follower(make_walk(9_000_000), there={100, 101})

    assert follower.until_delivery() == FeedDelivery(next_sequence=101, jumped_from=9_000_000)


def test_a_head_that_lags_behind_the_cursor_moves_nothing() -> None:
    follower = Follower(make_walk(100), there=set(), head=48)
    for _ in range(60):
        assert follower.step() is None

    assert follower.walk.next_sequence == 100


def test_gaps_that_fail_for_ever_do_not_lengthen_the_pauses_of_the_feed() -> None:
    walk = make_walk(100)
    walk.jitter = lambda: 1.0
    walk.load_gaps({50: 0.0, 51: 0.0}, 1000.0)
    walk.take(Ask(100, Goal.NEXT), HostAway("500"), 1000.0)
    first = walk.next_step(1000.0)

    for _ in range(20):
        walk.take(Ask(50, Goal.AGAIN), HostAway("500"), 1000.0)
        walk.take(Ask(51, Goal.AGAIN), HostAway("500"), 1000.0)

    assert isinstance(first, Wait)
    assert walk.next_step(1000.0) == first
