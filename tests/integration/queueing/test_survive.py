"""A consumer that is killed with messages in its hands, the same on every transport."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from killreport.config import Settings
from killreport.environment import child_environment
from killreport.errors import Transient
from killreport.queueing.broker import Broker
from killreport.queueing.handling import MAX_LOSSES
from tests.integration.queueing.conftest import MakeBroker, Place
from tests.integration.queueing.consumers import QUEUE, Recorder, characters, consuming, drain, until, until_gone

PATIENCE_SECONDS = 30.0


@asynccontextmanager
async def victim(
    settings: Settings, place: Place, *, holding: int, prefetch: int = 10
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Lend a consumer's process once it has so many messages in hand; it is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.queueing.victim", QUEUE, str(prefetch), place.prefix),
        env=child_environment(settings),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(holding):
                assert await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_a_killed_consumer_had_in_hand_comes_again_once_and_soon(
    queue_settings: Settings, place: Place, broker: Broker
) -> None:
    recorder = Recorder()
    await broker.publish_many(QUEUE, characters(1, 2, 3))
    async with victim(queue_settings, place, holding=3) as process:
        process.kill()
        await process.wait()
        async with consuming(broker, recorder):
            async with asyncio.timeout(5):
                await recorder.seen(3)
            await until_gone(broker)

    assert sorted(recorder.numbers) == [1, 2, 3]
    # A crash is not a failure of the message: the attempt counts anew, the loss is told.
    assert {delivery.attempt for delivery in recorder.deliveries} == {1}
    assert {delivery.losses for delivery in recorder.deliveries} == {1}


async def test_a_consumer_that_works_already_takes_over_from_one_that_is_killed(
    queue_settings: Settings, place: Place, broker: Broker
) -> None:
    recorder = Recorder()
    await broker.publish_many(QUEUE, characters(1))
    async with victim(queue_settings, place, holding=1, prefetch=1) as process, consuming(broker, recorder):
        await broker.publish_many(QUEUE, characters(2))
        await recorder.seen(1)
        assert recorder.numbers == [2]
        process.kill()
        async with asyncio.timeout(10):
            await recorder.seen(2)

    assert recorder.numbers == [2, 1]


async def test_a_killed_consumer_is_no_longer_counted_and_what_it_had_is_ready(
    queue_settings: Settings, place: Place, broker: Broker
) -> None:
    await broker.publish_many(QUEUE, characters(1, 2))
    async with victim(queue_settings, place, holding=1, prefetch=1) as process:
        counts = await broker.counts(QUEUE)
        assert (counts.ready, counts.unacked or 1, counts.consumers) == (1, 1, 1)
        process.kill()
        await process.wait()

        async def is_back() -> bool:
            counts = await broker.counts(QUEUE)
            return (counts.ready, counts.unacked or 0, counts.consumers) == (2, 0, 0)

        await until(is_back)


@pytest.mark.usefixtures("short_delays")
async def test_a_retry_survives_the_consumer_that_ordered_it(make_broker: MakeBroker, broker: Broker) -> None:
    async with make_broker() as other:
        await other.publish_many(QUEUE, characters(1))
        await drain(other, Recorder(Transient("502")))

    recorder = Recorder()
    async with consuming(broker, recorder):
        await recorder.seen(1)
        await until_gone(broker)

    assert recorder.deliveries[0].attempt == 2


async def test_a_message_that_kills_every_consumer_ends_as_a_dead_letter(
    queue_settings: Settings, place: Place, broker: Broker
) -> None:
    await broker.publish_many(QUEUE, characters(1))
    for _ in range(MAX_LOSSES):
        async with victim(queue_settings, place, holding=1, prefetch=1) as process:
            process.kill()
            await process.wait()

    recorder = Recorder()
    async with consuming(broker, recorder):
        await until(lambda: _has_dead_letter(broker))

    assert recorder.numbers == []
    [letter] = await broker.dead_list(QUEUE, 1)
    assert letter.reason == f"its process died {MAX_LOSSES} times while it was in hand"


async def _has_dead_letter(broker: Broker) -> bool:
    return (await broker.counts(QUEUE)).dead == 1
