"""Publishing and consuming, the same on every transport."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import pytest

from killreport.clock import utc_now
from killreport.errors import NotFound
from killreport.fleet.table import QUEUES
from killreport.queueing.broker import Broker, Priority
from killreport.queueing.messages import CharacterMessage, TypeMessage
from tests.integration.queueing.conftest import MakeBroker
from tests.integration.queueing.consumers import (
    OTHER_QUEUE,
    QUEUE,
    Recorder,
    character,
    characters,
    consuming,
    drain,
    until,
    until_gone,
)


async def test_messages_are_handed_out_once_and_in_order_and_are_gone_when_handled(broker: Broker) -> None:
    recorder = Recorder()
    await broker.publish_many(QUEUE, characters(*range(100)))

    await drain(broker, recorder, prefetch=1)

    assert recorder.numbers == list(range(100))
    counts = await broker.counts(QUEUE)
    assert (counts.ready, counts.delayed, counts.unacked or 0, counts.dead, counts.oldest) == (0, 0, 0, 0, None)


async def test_a_delivery_says_how_the_message_came(broker: Broker) -> None:
    recorder = Recorder()
    before = utc_now()
    await broker.publish_many(QUEUE, characters(1), priority=Priority.SEEN)

    await drain(broker, recorder)

    [found] = recorder.deliveries
    assert (found.queue, found.attempt, found.priority, found.losses) == (QUEUE, 1, Priority.SEEN, 0)
    # To the second on RabbitMQ; the database's clock may be another than ours.
    assert found.published_at is not None
    assert abs(found.published_at - before) < timedelta(seconds=30)
    assert found.published_at.tzinfo is not None


async def test_a_message_published_to_an_idle_consumer_arrives_at_once(broker: Broker, make_broker: MakeBroker) -> None:
    recorder = Recorder()
    async with consuming(broker, recorder), make_broker() as other:
        await until(lambda: _has_consumers(broker, 1))
        began = asyncio.get_running_loop().time()
        await other.publish_many(QUEUE, characters(1))
        await recorder.seen(1)
        assert asyncio.get_running_loop().time() - began < 1.0


async def _has_consumers(broker: Broker, count: int) -> bool:
    return (await broker.counts(QUEUE)).consumers == count


async def test_a_persons_request_overtakes_a_batch_that_waits(broker: Broker) -> None:
    recorder = Recorder()
    await broker.publish_many(QUEUE, characters(*range(50)), priority=Priority.BATCH)
    await broker.publish_many(QUEUE, characters(100, 101), priority=Priority.SEEN)
    await broker.publish_many(QUEUE, characters(200, 201), priority=Priority.PERSON)

    await drain(broker, recorder, prefetch=1)

    assert recorder.numbers == [200, 201, 100, 101, *range(50)]


@pytest.mark.parametrize("prefetch", [1, 3, 10])
async def test_no_more_are_in_hand_at_once_than_the_prefetch(broker: Broker, prefetch: int) -> None:
    recorder = Recorder(holds=True)
    await broker.publish_many(QUEUE, characters(*range(30)))

    async with consuming(broker, recorder, prefetch=prefetch):
        await recorder.seen(prefetch)
        counts = await broker.counts(QUEUE)
        assert counts.ready == 30 - prefetch
        assert counts.unacked in (prefetch, None)
        recorder.released.set()
        await recorder.until(lambda: len(recorder.finished) == 30)

    assert recorder.most_in_hand == prefetch
    assert sorted(recorder.numbers) == list(range(30))


async def test_two_consumers_share_a_queue_and_none_gets_what_the_other_has(
    broker: Broker, make_broker: MakeBroker
) -> None:
    first, second = Recorder(holds=True), Recorder(holds=True)
    await broker.publish_many(QUEUE, characters(*range(10)))

    async with make_broker() as other, consuming(broker, first, prefetch=3), consuming(other, second, prefetch=3):
        await first.seen(3)
        await second.seen(3)
        await until(lambda: _has_consumers(broker, 2))
        first.released.set()
        second.released.set()
        await until_gone(broker)

    assert sorted(first.numbers + second.numbers) == list(range(10))


async def test_queues_do_not_mix(broker: Broker) -> None:
    recorder = Recorder()
    await broker.publish_many(OTHER_QUEUE, [TypeMessage(587)])
    await broker.publish_many(QUEUE, characters(1))

    await drain(broker, recorder)

    assert recorder.numbers == [1]
    assert (await broker.counts(OTHER_QUEUE)).ready == 1


async def test_told_to_stop_a_consumer_finishes_what_is_in_hand_and_takes_no_more(broker: Broker) -> None:
    recorder = Recorder(holds=True)
    await broker.publish_many(QUEUE, characters(*range(5)))
    stop = asyncio.Event()
    task = asyncio.create_task(broker.consume(QUEUE, recorder, prefetch=2, stop=stop))

    await recorder.seen(2)
    stop.set()
    done, _ = await asyncio.wait([task], timeout=0.3)
    assert not done
    recorder.released.set()
    async with asyncio.timeout(10):
        await task

    assert recorder.finished == recorder.numbers == [0, 1]

    async def is_left_as_it_was() -> bool:
        counts = await broker.counts(QUEUE)
        return (counts.ready, counts.unacked or 0, counts.consumers) == (3, 0, 0)

    await until(is_left_as_it_was)


async def test_a_cancelled_consumer_returns_what_is_in_hand_uncounted(broker: Broker) -> None:
    recorder, again = Recorder(holds=True), Recorder()
    await broker.publish_many(QUEUE, characters(1))
    task = asyncio.create_task(broker.consume(QUEUE, recorder, prefetch=2, stop=asyncio.Event()))
    await recorder.seen(1)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with consuming(broker, again):
        await again.seen(1)
    assert again.deliveries[0].attempt == 1


async def test_draining_an_empty_queue_ends_at_once(broker: Broker) -> None:
    await drain(broker, Recorder())


async def test_draining_handles_what_a_handler_publishes_meanwhile(broker: Broker) -> None:
    seen: list[int] = []

    async def publish_next(message: object, _delivery: object) -> None:
        assert isinstance(message, CharacterMessage)
        number = message.character_id
        seen.append(number)
        if number < 5:
            await broker.publish_many(QUEUE, [CharacterMessage(number + 1)])

    await broker.publish_many(QUEUE, [CharacterMessage(1)])
    await drain(broker, publish_next, prefetch=1)

    assert seen == [1, 2, 3, 4, 5]


async def test_thousands_are_published_at_once_and_all_are_there_when_it_returns(broker: Broker) -> None:
    await broker.publish_many(QUEUE, characters(*range(5000)))

    assert (await broker.counts(QUEUE)).ready == 5000


async def test_publishing_nothing_is_nothing(broker: Broker) -> None:
    await broker.publish_many(QUEUE, [])

    assert (await broker.counts(QUEUE)).ready == 0


async def test_a_large_body_comes_as_it_went(broker: Broker) -> None:
    body = b'{"character_id": 90000007, "note": "' + os.urandom(1_000_000).hex().encode() + b'"}'
    recorder = Recorder()
    await broker.publish_bodies(QUEUE, [body])

    assert [waiting.body for waiting in await broker.peek(QUEUE, 1)] == [body]
    await drain(broker, recorder)
    assert recorder.numbers == [7]


async def test_publishers_side_by_side_lose_nothing(broker: Broker, make_broker: MakeBroker) -> None:
    async with make_broker() as other:
        await asyncio.gather(
            *(
                (broker, other)[number % 2].publish_many(QUEUE, characters(*range(number * 100, number * 100 + 100)))
                for number in range(20)
            )
        )
    recorder = Recorder()

    await drain(broker, recorder, prefetch=50)

    assert sorted(recorder.numbers) == list(range(2000))


async def test_every_queue_of_the_fleet_is_there(broker: Broker) -> None:
    assert [(await broker.counts(str(row.queue))).ready for row in QUEUES] == [0] * 7


async def test_an_unknown_queue_is_refused_with_what_may_have_been_meant(broker: Broker) -> None:
    unknown = "esi_charakter_info_queue"
    calls = [
        broker.publish_many(unknown, [character(1)]),
        broker.publish_bodies(unknown, [b"{}"]),
        broker.consume(unknown, Recorder(), prefetch=1, stop=asyncio.Event()),
        broker.counts(unknown),
        broker.peek(unknown, 1),
        broker.purge(unknown),
        broker.dead_list(unknown, 1),
        broker.dead_retry(unknown),
        broker.dead_drop(unknown),
    ]
    for call in calls:
        with pytest.raises(NotFound, match="did you mean esi_character_info_queue"):
            await call
