"""Further attempts and dead letters, the same on every transport."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from killreport.errors import NotFound, Transient, Unavailable
from killreport.fleet.table import QUEUES
from killreport.queueing import handling
from killreport.queueing.broker import Broker, Delivery, Priority
from killreport.queueing.messages import Message
from tests.integration.queueing.conftest import MakeBroker
from tests.integration.queueing.consumers import (
    PATIENCE_SECONDS,
    QUEUE,
    Recorder,
    characters,
    consuming,
    drain,
    number_of,
    until,
    until_gone,
)

ATTEMPTS = 12


async def test_what_failed_for_now_waits_and_comes_again_counted(broker: Broker) -> None:
    # 2 s: the pause the fleet table has for this queue, which is why this one runs at its own pace.
    recorder = Recorder(Transient("502"))
    loop = asyncio.get_running_loop()
    await broker.publish_many(QUEUE, characters(1), priority=Priority.SEEN)
    async with consuming(broker, recorder):
        await recorder.seen(1)
        failed_at = loop.time()
        await until(lambda: _is_delayed(broker))
        await recorder.seen(2)
        waited = loop.time() - failed_at
        await until_gone(broker)

    assert 1.9 < waited < 5.0
    assert [delivery.attempt for delivery in recorder.deliveries] == [1, 2]
    assert {delivery.priority for delivery in recorder.deliveries} == {Priority.SEEN}
    assert recorder.deliveries[0].published_at == recorder.deliveries[1].published_at
    assert recorder.finished == [1]


async def _is_delayed(broker: Broker) -> bool:
    counts = await broker.counts(QUEUE)
    return (counts.ready, counts.delayed, counts.dead) == (0, 1, 0)


async def test_what_waits_for_its_next_attempt_holds_nobody_up(broker: Broker, transport: str) -> None:
    recorder = Recorder(Transient("502", retry_after=600))
    await broker.publish_many(QUEUE, characters(*range(5)))

    await drain(broker, recorder, prefetch=1)

    assert recorder.numbers == [0, 1, 2, 3, 4]
    counts = await broker.counts(QUEUE)
    assert (counts.ready, counts.delayed) == (0, 1)
    # Nobody may look at what a quorum queue keeps for later.
    assert (counts.oldest is None) == (transport == "quorum")


@pytest.mark.usefixtures("short_delays")
async def test_a_message_that_fails_every_time_is_a_dead_letter_with_the_last_reason(broker: Broker) -> None:
    recorder = Recorder(*(Transient(f"failure {number}") for number in range(1, ATTEMPTS + 1)))
    await broker.publish_many(QUEUE, characters(1))

    async with consuming(broker, recorder):
        await until(lambda: _has_dead_letter(broker))

    assert [delivery.attempt for delivery in recorder.deliveries] == list(range(1, ATTEMPTS + 1))
    [letter] = await broker.dead_list(QUEUE, 10)
    assert letter.reason == "Transient: failure 12 (given up after 12 attempts)"
    assert (letter.queue, letter.attempts, letter.body) == (QUEUE, ATTEMPTS, b'{"character_id":90000001}')
    assert letter.died_at is not None


@pytest.mark.usefixtures("short_delays")
async def test_how_often_a_message_is_tried_is_the_consumers_to_say(broker: Broker) -> None:
    recorder = Recorder(*(Transient(f"failure {number}") for number in range(1, ATTEMPTS + 1)))
    await broker.publish_many(QUEUE, characters(1))

    async with consuming(broker, recorder, attempts=2):
        await until(lambda: _has_dead_letter(broker))

    [letter] = await broker.dead_list(QUEUE, 10)
    assert (letter.attempts, letter.reason) == (2, "Transient: failure 2 (given up after 2 attempts)")


async def _has_dead_letter(broker: Broker) -> bool:
    return (await broker.counts(QUEUE)).dead == 1


@pytest.mark.usefixtures("short_delays")
async def test_who_is_away_costs_no_attempt_however_often(broker: Broker) -> None:
    recorder = Recorder(*(Unavailable("ESI is down") for _ in range(ATTEMPTS + 3)))
    await broker.publish_many(QUEUE, characters(1))

    async with consuming(broker, recorder):
        await recorder.until(lambda: recorder.finished == [1])
        await until_gone(broker)

    assert [delivery.attempt for delivery in recorder.deliveries] == [1] * (ATTEMPTS + 4)
    assert (await broker.counts(QUEUE)).dead == 0


@pytest.mark.usefixtures("short_delays")
async def test_while_the_other_side_is_away_a_long_queue_is_not_handed_round(broker: Broker) -> None:
    calls = 0

    async def away(_message: Message, _delivery: Delivery) -> None:
        nonlocal calls
        calls += 1
        raise Unavailable("ESI is down")

    await broker.publish_many(QUEUE, characters(*range(1000)))
    async with consuming(broker, away, prefetch=2):
        await asyncio.sleep(0.55)  # the time itself is what is tested: two places, a pause of 0.1 s after each

    assert 2 <= calls <= 14


async def test_who_drains_leaves_what_waits_for_somebody_who_is_away(broker: Broker) -> None:
    recorder = Recorder(*(Unavailable("ESI is down") for _ in range(20)))
    await broker.publish_many(QUEUE, characters(*range(20)))

    async with asyncio.timeout(20):
        await drain(broker, recorder, prefetch=2)

    assert len(recorder.deliveries) == 20
    counts = await broker.counts(QUEUE)
    assert (counts.ready, counts.delayed, counts.dead) == (0, 20, 0)


async def test_what_no_further_try_can_change_is_a_dead_letter_at_once(broker: Broker) -> None:
    recorder = Recorder(NotFound("There is no character 90000001"))
    await broker.publish_many(QUEUE, characters(1, 2))

    await drain(broker, recorder, prefetch=1)

    assert recorder.finished == [2]
    [letter] = await broker.dead_list(QUEUE, 10)
    assert letter.reason == "NotFound: There is no character 90000001 (attempt 1 of 12)"


@pytest.mark.parametrize("queue", [str(row.queue) for row in QUEUES])
async def test_garbage_is_a_dead_letter_with_the_reason_and_the_consumer_lives_on(broker: Broker, queue: str) -> None:
    seen: list[Message] = []

    async def note(message: Message, _delivery: Delivery) -> None:
        seen.append(message)

    garbage = [b"\xff\xfe garbage \x00", b"{}", b"", b'{"character_id": [1]}']
    names = ("character_id", "corporation_id", "alliance_id", "type_id", "account_id")
    good = b"{" + b", ".join(b'"%s": 5' % name.encode() for name in names) + b"}"
    await broker.publish_bodies(queue, [*garbage, good])

    await drain(broker, note, queue=queue, prefetch=1)

    assert len(seen) == 1
    letters = await broker.dead_list(queue, 10)
    assert [letter.body for letter in letters] == garbage[::-1]
    assert all(letter.reason.startswith("Malformed: ") and letter.attempts == 1 for letter in letters)


@pytest.mark.usefixtures("short_delays")
async def test_a_higher_priority_overtakes_also_among_those_that_come_again(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than the drain takes on a busy machine, or they come again while it goes on.
    monkeypatch.setattr(handling, "retry_delay", lambda *_: timedelta(seconds=2))
    recorder = Recorder(Transient("502"), Transient("502"))
    await broker.publish_many(QUEUE, characters(1), priority=Priority.BATCH)
    await broker.publish_many(QUEUE, characters(2), priority=Priority.PERSON)
    await drain(broker, recorder, prefetch=1)
    assert recorder.numbers == [2, 1]

    async def both_are_due() -> bool:
        counts = await broker.counts(QUEUE)
        return counts.ready == 2

    await until(both_are_due)
    await drain(broker, recorder, prefetch=1)

    assert recorder.numbers == [2, 1, 2, 1]


@pytest.mark.usefixtures("short_delays")
async def test_consumers_side_by_side_finish_everything_once_though_every_third_try_fails(
    broker: Broker, make_broker: MakeBroker
) -> None:
    finished: list[int] = []
    all_are = asyncio.Event()
    tries = 0

    async def sometimes(message: Message, _delivery: Delivery) -> None:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        if tries % 3 == 0:
            raise Transient("502")
        finished.append(number_of(message))
        if len(finished) == 600:
            all_are.set()

    await broker.publish_many(QUEUE, characters(*range(600)))
    async with (
        make_broker() as second,
        make_broker() as third,
        consuming(broker, sometimes),
        consuming(second, sometimes, prefetch=1),
        consuming(third, sometimes),
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        await all_are.wait()

    assert sorted(finished) == list(range(600))
    counts = await broker.counts(QUEUE)
    assert (counts.ready, counts.delayed, counts.dead) == (0, 0, 0)
