"""The URL of RabbitMQ, and what becomes of aiormq's errors."""

from __future__ import annotations

import asyncio

import pytest
from aiormq import exceptions

from killreport.errors import BadSetting, Conflict, Refused
from killreport.queueing.rabbit_link import Lost, read_url, telling_loss


@pytest.mark.parametrize(
    ("text", "port"), [("amqp://u:p@host/", 5672), ("amqps://u:p@host/v", 5671), ("amqp://u:p@host:7/v", 7)]
)
def test_a_url_without_a_port_has_the_usual_one(text: str, port: int) -> None:
    assert read_url(text).port == port


@pytest.mark.parametrize("text", ["amqp://", "amqp://guest:hunter2@:5672/", "amqp://guest:hunter2@host:port/"])
def test_a_url_that_makes_no_sense_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(BadSetting, match=r"^KILLREPORT_BROKER_URL cannot be used: ") as told:
        read_url(text)

    assert "hunter2" not in str(told.value)
    assert told.value.__suppress_context__


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (exceptions.ConnectionClosed(320, "CONNECTION_FORCED"), Lost),
        (exceptions.ChannelInvalidStateError("closed"), Lost),
        (ConnectionResetError(104, "Connection reset by peer"), Lost),
        (TimeoutError(), Lost),
        (exceptions.ProbableAuthenticationError("ACCESS_REFUSED"), Refused),
        (exceptions.ConnectionNotAllowed("vhost nowhere not found"), Refused),
        (exceptions.ChannelAccessRefused("access to queue refused"), Refused),
        (exceptions.ChannelLockedResource("exclusive"), Conflict),
    ],
)
def test_errors_are_told_by_what_they_mean(error: Exception, told: type[Exception]) -> None:
    with pytest.raises(told), telling_loss():
        raise error


async def test_a_cancellation_that_nobody_asked_for_is_a_loss() -> None:
    with pytest.raises(Lost), telling_loss():
        raise asyncio.CancelledError


async def test_the_cancellation_of_the_task_gets_through() -> None:
    async def wait() -> None:
        with telling_loss():
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
