"""What an operator does with queues and dead letters, the same on every transport."""

from __future__ import annotations

import aiormq
import pytest

from killreport.errors import NotFound, Transient
from killreport.queueing.broker import Broker, Priority
from tests.integration.queueing.conftest import Place
from tests.integration.queueing.consumers import (
    OTHER_QUEUE,
    QUEUE,
    Recorder,
    characters,
    consuming,
    drain,
    until_gone,
)


async def make_letters(broker: Broker, *numbers: int) -> None:
    """Publish a message each and let it die."""
    await broker.publish_many(QUEUE, characters(*numbers))
    await drain(broker, Recorder(*(NotFound(f"no {number}") for number in numbers)), prefetch=1)


async def test_peek_shows_what_comes_next_and_takes_nothing(broker: Broker) -> None:
    await broker.publish_many(QUEUE, characters(1, 2, 3))
    await broker.publish_many(QUEUE, characters(9), priority=Priority.PERSON)

    found = await broker.peek(QUEUE, 3)

    assert [(waiting.body, waiting.priority, waiting.attempt) for waiting in found] == [
        (b'{"character_id":90000009}', Priority.PERSON, 1),
        (b'{"character_id":90000001}', Priority.BATCH, 1),
        (b'{"character_id":90000002}', Priority.BATCH, 1),
    ]
    assert all(waiting.published_at is not None for waiting in found)
    recorder = Recorder()
    await drain(broker, recorder, prefetch=1)
    assert recorder.numbers == [9, 1, 2, 3]
    assert {delivery.losses for delivery in recorder.deliveries} == {0}


async def test_peek_shows_also_what_waits_for_its_next_attempt(broker: Broker, place: Place, transport: str) -> None:
    await broker.publish_many(QUEUE, characters(1))
    await drain(broker, Recorder(Transient("502", retry_after=600)))
    await broker.publish_many(QUEUE, characters(2))

    found = await broker.peek(QUEUE, 10)

    shown = [(waiting.body[-3:-1], waiting.attempt) for waiting in found]
    if transport != "quorum":
        assert shown == [(b"02", 1), (b"01", 2)]
        return
    assert shown == [(b"02", 1)]
    assert (await broker.counts(QUEUE)).delayed == 1
    # Once put back, a message of a quorum queue that comes due may be sent on minutes late: nothing may have taken it.
    assert place.broker_url is not None
    async with aiormq.connect(place.broker_url) as connection:
        channel = await connection.channel()
        message = await channel.basic_get(f"{place.prefix}{QUEUE}.retry.512s", no_ack=True)
    assert message.body == b'{"character_id":90000001}'
    assert (message.header.properties.headers or {}).get("x-delivery-count", 0) == 0


async def test_purge_throws_away_what_waits_and_only_that(broker: Broker) -> None:
    await make_letters(broker, 1)
    await broker.publish_many(QUEUE, characters(2))
    await drain(broker, Recorder(Transient("502", retry_after=600)))
    await broker.publish_many(QUEUE, characters(*range(3, 10)))
    recorder = Recorder(holds=True)
    async with consuming(broker, recorder, prefetch=1):
        await recorder.seen(1)

        assert await broker.purge(QUEUE) == 7  # six that are ready, one that waits for its next attempt

        counts = await broker.counts(QUEUE)
        assert (counts.ready, counts.delayed, counts.dead) == (0, 0, 1)
        recorder.released.set()
        await until_gone(broker)

    assert recorder.finished == [3]
    assert await broker.purge(QUEUE) == 0


async def test_dead_letters_are_listed_newest_first(broker: Broker) -> None:
    await make_letters(broker, 1, 2, 3)

    found = await broker.dead_list(QUEUE, 2)

    assert [letter.body for letter in found] == [b'{"character_id":90000003}', b'{"character_id":90000002}']
    assert [letter.reason[:14] for letter in found] == ["NotFound: no 3", "NotFound: no 2"]
    assert len({letter.letter_id for letter in found}) == 2
    assert len(await broker.dead_list(QUEUE, 100)) == 3
    assert await broker.dead_list(OTHER_QUEUE, 100) == []


async def test_one_dead_letter_is_retried_as_a_new_message_and_the_others_stay(broker: Broker) -> None:
    await make_letters(broker, 1, 2, 3)
    second = (await broker.dead_list(QUEUE, 3))[1]

    assert await broker.dead_retry(QUEUE, [second.letter_id]) == 1

    recorder = Recorder()
    await drain(broker, recorder)
    assert recorder.numbers == [2]
    assert recorder.deliveries[0].attempt == 1
    assert [letter.body[-2:-1] for letter in await broker.dead_list(QUEUE, 9)] == [b"3", b"1"]


async def test_all_dead_letters_are_retried(broker: Broker) -> None:
    await make_letters(broker, 1, 2, 3)

    assert await broker.dead_retry(QUEUE) == 3

    recorder = Recorder()
    await drain(broker, recorder)
    assert sorted(recorder.numbers) == [1, 2, 3]
    assert (await broker.counts(QUEUE)).dead == 0
    assert await broker.dead_retry(QUEUE) == 0


async def test_dead_letters_are_dropped_one_by_one_and_all(broker: Broker) -> None:
    await make_letters(broker, 1, 2, 3)
    newest = (await broker.dead_list(QUEUE, 1))[0]

    assert await broker.dead_drop(QUEUE, [newest.letter_id]) == 1
    assert [letter.body[-2:-1] for letter in await broker.dead_list(QUEUE, 9)] == [b"2", b"1"]
    assert await broker.dead_drop(QUEUE, [newest.letter_id]) == 0
    assert await broker.dead_drop(QUEUE) == 2
    assert await broker.dead_list(QUEUE, 9) == []


@pytest.mark.usefixtures("short_delays")
async def test_a_retried_letter_can_die_again(broker: Broker) -> None:
    await make_letters(broker, 1)
    await broker.dead_retry(QUEUE)

    await drain(broker, Recorder(NotFound("still none")))

    [letter] = await broker.dead_list(QUEUE, 9)
    assert letter.reason == "NotFound: still none (attempt 1 of 12)"


async def test_an_id_that_cannot_be_a_letters_changes_nothing(broker: Broker) -> None:
    await make_letters(broker, 1)
    for letter_id in ("", "x", "-1", "9" * 30, "1; drop table dead_letter"):
        for call in (broker.dead_retry, broker.dead_drop):
            with pytest.raises(NotFound, match=f"There is no dead letter {letter_id}"):
                await call(QUEUE, [letter_id])

    assert (await broker.counts(QUEUE)).dead == 1
