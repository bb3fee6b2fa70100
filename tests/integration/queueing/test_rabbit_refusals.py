"""What RabbitMQ holds or answers that cannot be worked with, and what is said about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiormq
import pytest
from yarl import URL

from killreport.config import Settings
from killreport.errors import Conflict, Refused
from killreport.queueing.broker import Broker, Priority
from killreport.queueing.rabbit import open_rabbit
from tests.integration.queueing.conftest import MakeBroker, Place
from tests.integration.queueing.consumers import OTHER_QUEUE, QUEUE, Recorder, characters, consuming, drain, until

pytestmark = pytest.mark.parametrize("transport", ["classic"], indirect=True)


async def _declare(place: Place, name: str, arguments: Mapping[str, Any]) -> None:
    assert place.broker_url is not None
    async with aiormq.connect(place.broker_url) as connection:
        channel = await connection.channel()
        await channel.queue_declare(f"{place.prefix}{name}", durable=True, arguments=dict(arguments))


async def test_a_queue_with_other_arguments_is_a_conflict_that_names_the_queue_and_the_cure(
    broker: Broker, place: Place
) -> None:
    await _declare(place, QUEUE, {})

    calls = [
        broker.publish_many(QUEUE, characters(1)),
        broker.consume(QUEUE, Recorder(), prefetch=1, stop=asyncio.Event()),
        broker.counts(QUEUE),
    ]
    for call in calls:
        with pytest.raises(Conflict) as told:
            async with asyncio.timeout(10):
                await call
        assert str(told.value).startswith(f"The queue {place.prefix}{QUEUE} exists in RabbitMQ with another x-max-")
        assert "rabbitmqctl delete_queue" in str(told.value)
    assert (await broker.counts(OTHER_QUEUE)).ready == 0


async def test_queues_of_the_other_type_name_the_setting(broker: Broker, place: Place, settings: Settings) -> None:
    await broker.publish_many(QUEUE, characters(1))
    other = settings.replace(broker_url=place.broker_url, broker_queue_type="quorum")

    async with open_rabbit(other, patience_seconds=10, prefix=place.prefix) as quorum:
        with pytest.raises(Conflict, match="set KILLREPORT_BROKER_QUEUE_TYPE to the type it was made with"):
            await quorum.publish_many(QUEUE, characters(2))

    assert (await broker.counts(QUEUE)).ready == 1


async def test_a_wrong_password_is_refused_at_once_and_not_told(
    settings: Settings, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = str(URL(str(place.broker_url)).with_password("hunter2"))

    with pytest.raises(Refused, match=r"the password of KILLREPORT_BROKER_URL\.$") as told:
        async with asyncio.timeout(10), open_rabbit(settings.replace(broker_url=wrong)):
            pass

    assert "hunter2" not in str(told.value)
    assert "hunter2" not in caplog.text
    assert told.value.__cause__ is None


async def test_a_virtual_host_that_is_not_there_is_refused_by_name(settings: Settings, place: Place) -> None:
    nowhere = str(URL(str(place.broker_url)).with_path("/nowhere"))

    with pytest.raises(Refused, match="nowhere"):
        async with asyncio.timeout(10), open_rabbit(settings.replace(broker_url=nowhere)):
            pass


FOREIGN_HEADERS: list[dict[str, Any]] = [
    {},
    {"attempt": "many", "losses": -5, "published_at": 2**62},
    {"attempt": 0, "losses": True, "published_at": "yesterday", "reason": [1, {"a": None}]},
    {"x-delivery-count": "x", "attempt": 2.5, "due_at": -1},
]


@pytest.mark.parametrize("headers", FOREIGN_HEADERS)
async def test_what_others_publish_is_handled_whatever_its_headers_say(
    broker: Broker, place: Place, headers: dict[str, Any]
) -> None:
    await broker.counts(QUEUE)
    assert place.broker_url is not None
    async with aiormq.connect(place.broker_url) as connection:
        channel = await connection.channel()
        properties = aiormq.spec.Basic.Properties(headers=headers, priority=200)
        await channel.basic_publish(
            b'{"character_id": 90000005}', routing_key=f"{place.prefix}{QUEUE}", properties=properties
        )

    assert len(await broker.peek(QUEUE, 5)) == 1
    recorder = Recorder()
    await drain(broker, recorder)

    [delivery] = recorder.deliveries
    assert (delivery.attempt, delivery.losses, delivery.published_at) == (1, 0, None)
    assert delivery.priority == Priority.PERSON


async def test_what_others_publish_is_never_taken_for_a_copy(broker: Broker, place: Place) -> None:
    await broker.counts(QUEUE)
    assert place.broker_url is not None
    async with aiormq.connect(place.broker_url) as connection:
        channel = await connection.channel()
        named = aiormq.spec.Basic.Properties(message_id="0123456789abcdef")
        for body, address, properties in (
            (b"alike", QUEUE, None),
            (b"alike", QUEUE, None),
            (b"one", f"{QUEUE}.dead", named),
            (b"other", f"{QUEUE}.dead", named),
            (b"bare", f"{QUEUE}.dead", None),
            (b"bare", f"{QUEUE}.dead", None),
        ):
            await channel.basic_publish(body, routing_key=f"{place.prefix}{address}", properties=properties)
    await drain(broker, Recorder())

    bodies = sorted(letter.body for letter in await broker.dead_list(QUEUE, 9))

    assert bodies == [b"alike", b"alike", b"bare", b"bare", b"one", b"other"]
    assert (await broker.counts(QUEUE)).dead == 6


async def test_a_consumer_that_leaves_in_good_order_does_not_look_like_one_that_crashed(
    broker: Broker, make_broker: MakeBroker, place: Place
) -> None:
    async with make_broker() as other, consuming(broker, Recorder()), consuming(other, Recorder()):
        await until(lambda: _are_consuming(broker, 2))

    assert place.broker_url is not None
    async with aiormq.connect(place.broker_url) as connection:
        channel = await connection.channel()
        for name in ("hands", "crashed"):
            found = await channel.queue_declare(f"{place.prefix}{QUEUE}.{name}", passive=True)
            assert found.message_count == 0


async def _are_consuming(broker: Broker, count: int) -> bool:
    return (await broker.counts(QUEUE)).consumers == count
