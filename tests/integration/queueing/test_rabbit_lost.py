"""RabbitMQ or the way to it goes away in the middle of something, and comes back."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import aiormq
import pytest
from pamqp.commands import Basic
from pamqp.frame import FrameTypes
from structlog.testing import capture_logs

from killreport.config import Settings
from killreport.errors import NotFound, Transient, Unavailable
from killreport.queueing import rabbit_consume, rabbit_session
from killreport.queueing.broker import Broker, Delivery
from killreport.queueing.messages import Message
from killreport.queueing.rabbit import open_rabbit
from killreport.queueing.rabbit_channel import Channel
from tests.cable import Cable, cable_to
from tests.integration.queueing.conftest import Place
from tests.integration.queueing.consumers import QUEUE, Recorder, characters, consuming, drain, until, until_gone

pytestmark = pytest.mark.parametrize("transport", ["classic"], indirect=True)


@pytest.fixture
async def cable(place: Place) -> AsyncIterator[Cable]:
    """Yield a cable to the test's RabbitMQ."""
    assert place.broker_url is not None
    async with cable_to(place.broker_url) as cable:
        yield cable


def open_through(
    cable: Cable, settings: Settings, place: Place, *, query: str = "", patience_seconds: float = 10
) -> AbstractAsyncContextManager[Broker]:
    """Open the test's queues by way of the cable."""
    through = settings.replace(broker_url=cable.url + query)
    return open_rabbit(through, patience_seconds=patience_seconds, prefix=place.prefix)


async def _cut(cable: Cable) -> None:
    """Cut the cable and return when the consumer knows."""
    with capture_logs() as lines:
        cable.cut()

        async def is_known() -> bool:
            return any(line["event"] == "queue_connection_lost" for line in lines)

        await until(is_known)


async def test_when_rabbitmq_closes_the_connections_the_consumer_comes_back_and_nothing_is_missed(
    broker: Broker, place: Place
) -> None:
    handled = 0
    numbers: list[int] = []
    half = asyncio.Event()

    async def work(message: Message, _delivery: Delivery) -> None:
        nonlocal handled
        await asyncio.sleep(0)
        numbers.append(message.character_id)  # type: ignore[union-attr]
        handled += 1
        if handled == 1000:
            half.set()
        if handled == 1500:
            await half.wait()

    await broker.publish_many(QUEUE, characters(*range(3000)))
    async with consuming(broker, work):
        await half.wait()
        assert place.broker_url is not None
        virtual_host = place.broker_url.rpartition("/")[2] or "/"
        await asyncio.to_thread(
            subprocess.run,
            ["rabbitmqctl", "--quiet", "close_all_connections", "--vhost", virtual_host, "a test"],
            check=True,
            capture_output=True,
        )
        await until_gone(broker)

    assert set(numbers) == {90_000_000 + number for number in range(3000)}


async def test_what_was_handled_while_the_connection_was_lost_is_not_handled_again(
    cable: Cable, settings: Settings, place: Place
) -> None:
    recorder = Recorder(holds=True)
    async with open_through(cable, settings, place) as broker:
        await broker.publish_many(QUEUE, characters(1, 2, 3))
        async with consuming(broker, recorder, prefetch=3):
            await recorder.seen(3)
            await _cut(cable)
            recorder.released.set()
            await recorder.until(lambda: len(recorder.finished) == 3)
            await broker.publish_many(QUEUE, characters(4))
            await recorder.seen(4)
            await until_gone(broker)

    assert recorder.numbers == [1, 2, 3, 4]


async def test_a_message_whose_dead_letter_was_not_acknowledged_dies_again_and_is_one_letter(
    cable: Cable, settings: Settings, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [b"not JSON", b"not JSON either"]
    async with open_through(cable, settings, place) as broker:
        with monkeypatch.context() as patch:

            def lose(_delivered: object) -> None:
                # As when the consumer is killed here: the letter is safe, and RabbitMQ hands the message out once more.
                patch.undo()
                cable.cut()

            patch.setattr(rabbit_consume._Delivered, "acknowledge", lose)
            await broker.publish_bodies(QUEUE, bodies)
            async with consuming(broker, Recorder(), prefetch=1):
                await until(lambda: _has(broker, dead=3, ready=0))

        letters = await broker.dead_list(QUEUE, 9)

        assert [letter.body for letter in letters] == bodies[::-1]
        assert (await broker.counts(QUEUE)).dead == 2
        assert await broker.dead_retry(QUEUE, [letters[0].letter_id]) == 1
        assert [letter.body for letter in await broker.dead_list(QUEUE, 9)] == bodies[:1]


async def test_what_failed_while_the_connection_was_lost_fares_as_it_should(
    cable: Cable, settings: Settings, place: Place
) -> None:
    recorder = Recorder(NotFound("none"), Transient("502", retry_after=600), holds=True)
    async with open_through(cable, settings, place) as broker:
        await broker.publish_many(QUEUE, characters(1, 2))
        async with consuming(broker, recorder, prefetch=2):
            await recorder.seen(2)
            await _cut(cable)
            recorder.released.set()
            await until(lambda: _has(broker, dead=1, delayed=1))

    assert recorder.numbers == [1, 2]


async def _has(broker: Broker, *, ready: int = 0, delayed: int = 0, dead: int = 0) -> bool:
    counts = await broker.counts(QUEUE)
    return (counts.ready, counts.delayed, counts.dead) == (ready, delayed, dead)


async def test_a_connection_that_falls_silent_is_given_up(
    cable: Cable, settings: Settings, place: Place, broker: Broker
) -> None:
    recorder = Recorder()
    async with open_through(cable, settings, place, query="?heartbeat=1") as behind, consuming(behind, recorder):
        await broker.publish_many(QUEUE, characters(1))
        await recorder.seen(1)
        cable.freeze()
        await broker.publish_many(QUEUE, characters(2))
        await recorder.until(lambda: 2 in recorder.numbers)


async def test_a_publication_cut_in_the_middle_is_completed(
    cable: Cable, settings: Settings, place: Place, broker: Broker
) -> None:
    async with open_through(cable, settings, place) as behind:
        await behind.publish_many(QUEUE, [])
        cable.cut_after(700_000)
        await behind.publish_many(QUEUE, characters(*range(20_000)))

    recorder = Recorder()
    await drain(broker, recorder, prefetch=200)
    assert set(recorder.numbers) == set(range(20_000))
    assert len(recorder.numbers) < 25_000


async def test_a_rabbitmq_that_stays_away_is_unavailable_and_one_that_comes_back_is_used_again(
    cable: Cable, settings: Settings, place: Place
) -> None:
    async with open_through(cable, settings, place, patience_seconds=0.3) as broker:
        await broker.publish_many(QUEUE, characters(1))
        await cable.unplug()
        for call in (broker.publish_many(QUEUE, characters(2)), broker.counts(QUEUE)):
            with pytest.raises(Unavailable, match=r"^RabbitMQ at 127\.0\.0\.1:\d+ ") as told:
                await call
            assert "guest" not in str(told.value)
        await cable.plug()
        await broker.publish_many(QUEUE, characters(3))
        recorder = Recorder()
        await drain(broker, recorder, prefetch=1)
        assert recorder.numbers == [1, 3]


async def test_a_consumer_without_rabbitmq_stops_when_it_is_told_to(
    cable: Cable, settings: Settings, place: Place
) -> None:
    async with open_through(cable, settings, place) as broker:
        stop = asyncio.Event()
        task = asyncio.create_task(broker.consume(QUEUE, Recorder(), prefetch=1, stop=stop))
        await until(lambda: _is_consumed(broker))
        await cable.unplug()
        stop.set()
        async with asyncio.timeout(5):
            await task


async def _is_consumed(broker: Broker) -> bool:
    return (await broker.counts(QUEUE)).consumers == 1


async def _delete_queue(place: Place, *, again: bool = False) -> None:
    assert place.broker_url is not None
    async with aiormq.connect(place.broker_url) as connection:
        channel = await connection.channel()
        await channel.queue_delete(f"{place.prefix}{QUEUE}")
        if again:
            await channel.queue_declare(
                f"{place.prefix}{QUEUE}", durable=True, arguments={"x-queue-type": "classic", "x-max-priority": 2}
            )


async def test_a_queue_that_was_deleted_is_made_again_by_its_consumer(broker: Broker, place: Place) -> None:
    recorder = Recorder()
    async with consuming(broker, recorder):
        await until(lambda: _is_consumed(broker))
        await _delete_queue(place)
        await until(lambda: _is_consumed(broker))
        await broker.publish_many(QUEUE, characters(1))
        await recorder.seen(1)


async def test_a_queue_that_was_deleted_is_made_again_by_its_publisher(broker: Broker, place: Place) -> None:
    await broker.publish_many(QUEUE, characters(1))
    await _delete_queue(place)

    await broker.publish_many(QUEUE, characters(2, 3))

    recorder = Recorder()
    await drain(broker, recorder, prefetch=1)
    assert recorder.numbers == [2, 3]


async def test_a_consumer_that_is_gone_without_a_word_is_noticed(
    broker: Broker, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = Channel.receive

    def deaf(channel: Channel, found: FrameTypes) -> None:
        """Miss that RabbitMQ took the consumer away."""
        if not isinstance(found, Basic.Cancel):
            receive(channel, found)

    monkeypatch.setattr(Channel, "receive", deaf)
    monkeypatch.setattr(rabbit_session, "WATCH_SECONDS", 0.05)
    recorder = Recorder()
    async with consuming(broker, recorder):
        await until(lambda: _is_consumed(broker))
        await _delete_queue(place, again=True)
        await broker.publish_many(QUEUE, characters(1))
        await recorder.seen(1)


async def test_a_publisher_whose_connection_falls_silent_makes_another(
    cable: Cable, settings: Settings, place: Place, broker: Broker
) -> None:
    async with open_through(cable, settings, place, query="?heartbeat=1", patience_seconds=60) as behind:
        await behind.publish_many(QUEUE, characters(1))
        cable.freeze()
        await behind.publish_many(QUEUE, characters(2))
        cable.freeze()
        assert (await behind.counts(QUEUE)).ready >= 2

    recorder = Recorder()
    await drain(broker, recorder, prefetch=1)
    assert set(recorder.numbers) == {1, 2}
