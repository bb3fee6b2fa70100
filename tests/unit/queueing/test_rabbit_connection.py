"""What comes over a connection, byte by byte, and what is made of bytes that are no AMQP."""

from __future__ import annotations

import asyncio
import struct
from datetime import UTC, datetime

import pytest
from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from killreport.queueing.rabbit_channel import Channel, Lost, Received
from killreport.queueing.rabbit_connection import BrokerConnection

DELIVER = frame.marshal(commands.Basic.Deliver(consumer_tag="q", delivery_tag=7, exchange="", routing_key="q"), 1)


async def listening() -> tuple[BrokerConnection, Channel, list[Received]]:
    """Return a connection that was never made, its first channel, and what is delivered there."""
    connection, found = BrokerConnection(), list[Received]()
    opening = asyncio.create_task(connection.channel())
    await asyncio.sleep(0)
    connection.data_received(frame.marshal(commands.Channel.OpenOk(), 1))
    channel = await opening
    channel.on_delivery = found.append
    return connection, channel, found


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
async def test_a_message_is_whole_however_its_bytes_are_cut(size: int) -> None:
    connection, _, found = await listening()
    header = ContentHeader(body_size=600, properties=commands.Basic.Properties(priority=2))
    parts = [frame.marshal(part, 1) for part in (header, ContentBody(b"x" * 500), ContentBody(b"y" * 100))]
    data = (DELIVER + b"".join(parts)) * 3

    for start in range(0, len(data), size):
        connection.data_received(data[start : start + size])

    assert [(message.tag, message.properties.priority, message.body) for message in found] == [
        (7, 2, b"x" * 500 + b"y" * 100)
    ] * 3


async def test_a_message_without_a_body_is_a_message() -> None:
    connection, _, found = await listening()

    connection.data_received(DELIVER + frame.marshal(ContentHeader(body_size=0), 1))

    assert [message.body for message in found] == [b""]


async def test_properties_that_cannot_be_read_are_as_if_they_were_not_there() -> None:
    connection, _, found = await listening()
    instant = datetime(2026, 11, 24, tzinfo=UTC)
    header = frame.marshal(ContentHeader(body_size=2, properties=commands.Basic.Properties(timestamp=instant)), 1)
    seconds = struct.pack(">Q", int(instant.timestamp()))
    assert header.count(seconds) == 1

    connection.data_received(DELIVER + header.replace(seconds, b"\xff" * 8) + frame.marshal(ContentBody(b"{}"), 1))

    assert [(message.body, message.properties.timestamp) for message in found] == [(b"{}", None)]
    assert connection.is_open


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"AMQP\x00\x00\x09\x01", b"\x01\x00\x00\x00\x00\x00\x04\xff\xff\xff\xff\xce"],
)
async def test_what_is_no_amqp_ends_the_connection(data: bytes) -> None:
    connection, channel, _ = await listening()

    connection.data_received(data)

    assert not connection.is_open
    with pytest.raises(Lost, match=r"^it sent what is no AMQP: "):
        channel.check()


async def test_a_channel_whose_opening_or_closing_was_cancelled_gives_its_number_back() -> None:
    connection, channel, _ = await listening()
    opened, closed = (frame.marshal(answer, 1) for answer in (commands.Channel.OpenOk(), commands.Channel.CloseOk()))
    for work, answers in ((channel.close(), closed), (connection.channel(), opened + closed)):
        task = asyncio.create_task(work)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        connection.data_received(answers)

    again = asyncio.create_task(connection.channel())
    await asyncio.sleep(0)
    connection.data_received(opened)
    assert (await again).is_open
