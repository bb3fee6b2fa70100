"""The follower of R2Z2 against a host of answers: what it asks, what it hands on, what it says."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from killreport.errors import CutShort, KillreportError, Malformed, NotFound, Refused, Transient, Unavailable
from killreport.zkillboard.package import FeedDelivery, Package, UnreadablePackage
from killreport.zkillboard.r2z2 import MAX_AHEAD_SECONDS, MAX_CUT_ANSWERS, R2z2Feed
from tests.unit.zkillboard.hosts import Clock, Host, package_body
from tests.unit.zkillboard.test_walk import make_walk

URL = "https://feed"


def make_feed(
    answers: dict[str, list[bytes | KillreportError]], next_sequence: int | None = 100
) -> tuple[R2z2Feed, Host, Clock, list[str]]:
    clock, answered = Clock(), list[str]()
    host = Host({f"{URL}/ephemeral/{name}.json": given for name, given in answers.items()})
    feed = R2z2Feed(
        host,
        URL,
        make_walk(next_sequence),
        on_answer=lambda: answered.append(host.asked[-1]),
        clock=clock,
        sleep=clock.sleep,
    )
    return feed, host, clock, answered


async def test_the_feed_starts_at_the_head_and_reads_on() -> None:
    feed, host, clock, _ = make_feed({"sequence": [b'{"sequence": 100}'], "100": [package_body(7)]}, None)

    assert await feed.next() == FeedDelivery(next_sequence=100)
    delivery = await feed.next()

    assert isinstance(delivery.package, Package)
    assert (delivery.package.killmail_id, delivery.next_sequence) == (7, 101)
    assert host.asked == [f"{URL}/ephemeral/sequence.json", f"{URL}/ephemeral/100.json"]
    assert clock.slept == []


async def test_the_same_number_is_asked_again_after_each_kind_of_trouble() -> None:
    body = package_body(7)
    troubles: list[bytes | KillreportError] = [
        NotFound("404"),
        Transient("429", 3.0),
        Unavailable("502"),
        body[:50],
        body,
    ]
    feed, host, clock, _ = make_feed({"100": troubles})

    delivery = await feed.next()

    assert delivery.next_sequence == 101
    assert host.asked == [f"{URL}/ephemeral/100.json"] * 5
    assert clock.slept == [6.0, 3.0, 1.0, 2.0]


async def test_a_body_that_never_ends_well_is_handed_on_whole_as_unreadable() -> None:
    feed, host, _, _ = make_feed({"100": [b'{"killmail_id": 7'], "101": [package_body(8)]})

    first, second = await feed.next(), await feed.next()

    assert isinstance(first.package, UnreadablePackage)
    assert first.gaps == (100,)
    assert (first.package.body, first.package.path, first.next_sequence) == (b'{"killmail_id": 7', "$", 101)
    assert second.next_sequence == 102
    assert host.asked.count(f"{URL}/ephemeral/100.json") == MAX_CUT_ANSWERS


async def test_a_package_of_another_shape_is_handed_on_at_once_with_its_path() -> None:
    body = package_body(7, esi="none")
    feed, host, _, _ = make_feed({"100": [body]})

    delivery = await feed.next()

    assert delivery == FeedDelivery(UnreadablePackage("expected an object", "$.esi", body, 100), next_sequence=101)
    assert len(host.asked) == 1


async def test_a_body_above_the_limit_is_passed_with_a_note() -> None:
    feed, _, _, _ = make_feed({"100": [Malformed("the body is larger than 5 bytes")]})

    delivery = await feed.next()

    assert delivery.package == UnreadablePackage("the body is larger than 5 bytes", "$", b"", 100)


@pytest.mark.parametrize("body", [b"{}", b'{"sequence": "x"}', b'{"sequ', b"<html>"])
async def test_a_head_that_cannot_be_read_is_asked_for_again(body: bytes) -> None:
    feed, host, clock, _ = make_feed({"sequence": [body, b'{"sequence": 5}']}, None)

    assert await feed.next() == FeedDelivery(next_sequence=5)
    assert (len(host.asked), clock.slept) == (2, [1.0])


async def test_only_files_and_not_there_yet_count_as_answers() -> None:
    feed, _, _, answered = make_feed({"100": [Unavailable("502"), Refused("403"), Transient("429"), package_body(7)]})
    await feed.next()

    assert len(answered) == 1


async def test_a_ban_is_said_once_and_sat_out() -> None:
    feed, _, clock, _ = make_feed({"100": [Refused("403"), Refused("403"), package_body(7)]})

    with capture_logs() as logs:
        await feed.next()

    assert [(line["event"], line["log_level"]) for line in logs] == [("feed_refused", "error")]
    assert clock.slept == [3600.0, 3600.0]


async def test_a_rewritten_number_is_read_before_the_feed_goes_on() -> None:
    feed, host, _, _ = make_feed(
        {"100": [package_body(7, sequence_updated=60)], "60": [package_body(5)], "101": [package_body(8)]}
    )
    deliveries = [await feed.next() for _ in range(3)]

    assert [(d.next_sequence, d.gaps, d.filled_gaps) for d in deliveries] == [
        (101, (60,), ()),
        (101, (), (60,)),
        (102, (), ()),
    ]
    assert [url.rsplit("/")[-1] for url in host.asked] == ["100.json", "60.json", "101.json"]


async def test_a_body_that_cannot_be_unpacked_is_passed_and_read_when_it_comes_whole() -> None:
    cut: list[bytes | KillreportError] = [CutShort("half a gzip")] * MAX_CUT_ANSWERS
    feed, _, _, _ = make_feed({"100": [*cut, CutShort("still"), package_body(7)], "101": [package_body(8)]})

    first, second, third, fourth = [await feed.next() for _ in range(4)]

    assert first.package == UnreadablePackage("half a gzip", "$", b"", 100, may_heal=True)
    assert (first.next_sequence, first.gaps) == (101, (100,))
    assert isinstance(second.package, Package)
    assert (second.package.killmail_id, second.next_sequence) == (8, 102)
    assert (third.package, third.gaps) == (None, (100,))
    assert isinstance(fourth.package, Package)
    assert (fourth.package.killmail_id, fourth.filled_gaps, fourth.gaps) == (7, (100,), ())


@pytest.mark.parametrize("trouble", [Unavailable("500"), Refused("403")])
async def test_a_number_that_fails_for_long_is_passed_when_the_next_one_is_there(trouble: KillreportError) -> None:
    feed, host, _, _ = make_feed({"100": [trouble], "101": [package_body(8)]})

    delivery = await feed.next()

    assert isinstance(delivery.package, Package)
    assert (delivery.package.killmail_id, delivery.next_sequence, delivery.gaps) == (8, 102, (100,))
    assert len(host.asked) <= 10


async def test_a_gap_that_fails_has_its_own_pauses_and_slows_nobody_down() -> None:
    answers: dict[str, list[bytes | KillreportError]] = {
        str(number): [package_body(number)] for number in range(101, 161)
    }
    answers["100"] = [NotFound("404"), Unavailable("500")]
    feed, host, _, _ = make_feed(answers)

    for _ in range(60):
        await feed.next()

    assert host.asked.count(f"{URL}/ephemeral/100.json") < 12


async def test_what_is_left_of_a_killmail_that_was_taken_out_is_passed() -> None:
    left = b'{"killmail_id": 7, "removed": true, "uploaded_at": 1, "sequence_id": 100}'
    feed, _, _, _ = make_feed({"100": [left], "101": [package_body(8)]})

    assert await feed.next() == FeedDelivery(None, next_sequence=101)
    assert isinstance((await feed.next()).package, Package)


async def test_what_was_read_ahead_is_handed_on_without_asking_again() -> None:
    feed, host, _, answered = make_feed({"100": [package_body(7)], "101": [package_body(8)]})
    first = await feed.next()
    await feed.read_ahead()
    asked = list(host.asked)

    second = await feed.next()

    assert [one.next_sequence for one in (first, second)] == [101, 102]
    assert asked == host.asked == [f"{URL}/ephemeral/{name}.json" for name in (100, 101)]
    assert len(answered) == 2


async def test_a_number_that_was_not_there_ahead_of_its_time_is_waited_for_as_ever() -> None:
    feed, host, clock, _ = make_feed({"100": [package_body(7)], "101": [NotFound("404"), package_body(8)]})
    await feed.next()
    await feed.read_ahead()

    assert (await feed.next()).next_sequence == 102
    assert clock.slept == [6.0]
    assert host.asked.count(f"{URL}/ephemeral/101.json") == 2


async def test_what_was_read_too_long_ahead_is_read_again() -> None:
    feed, host, clock, _ = make_feed({"100": [package_body(7)], "101": [NotFound("404"), package_body(8)]})
    await feed.next()
    await feed.read_ahead()
    clock.now += MAX_AHEAD_SECONDS + 0.1

    assert (await feed.next()).next_sequence == 102
    assert clock.slept == []
    assert host.asked.count(f"{URL}/ephemeral/101.json") == 2


async def test_nothing_is_read_ahead_of_a_gap_that_is_due_or_during_a_pause() -> None:
    feed, host, _, _ = make_feed({"100": [Transient("429", 3.0), package_body(7)]}, next_sequence=100)
    feed._walk.load_gaps({50: 0.0}, 0.0)
    await feed.read_ahead()
    assert host.asked == []


async def test_a_reading_ahead_that_is_broken_off_loses_nothing() -> None:
    feed, host, _, _ = make_feed({"100": [package_body(7)], "101": [package_body(8)]})
    await feed.next()
    reading = asyncio.ensure_future(feed.read_ahead())
    reading.cancel()
    await asyncio.wait([reading])

    assert (await feed.next()).next_sequence == 102
    assert host.asked.count(f"{URL}/ephemeral/101.json") == 1
