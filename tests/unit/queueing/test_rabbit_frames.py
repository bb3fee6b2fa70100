"""Many publications as one run of bytes, read back frame by frame."""

from __future__ import annotations

from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from killreport.queueing.rabbit_channel import encode_publications


def read_publications(data: bytes, channel_number: int) -> list[tuple[str, int, bytes]]:
    """Return address, priority and body of each publication."""
    found: list[tuple[str, int, bytes]] = []
    address, priority, body, left = "", 0, b"", 0
    while data:
        used, channel, read = frame.unmarshal(data)
        assert channel == channel_number
        data = data[used:]
        if isinstance(read, commands.Basic.Publish):
            assert read.mandatory
            address = str(read.routing_key)
        elif isinstance(read, ContentHeader):
            priority, left, body = read.properties.priority or 0, read.body_size, b""
        elif isinstance(read, ContentBody):
            body += read.value or b""
        if not isinstance(read, commands.Basic.Publish) and len(body) == left:
            found.append((address, priority, body))
    return found


def test_each_body_is_published_to_the_address_in_order_and_whole() -> None:
    bodies = [b"one", b"three", b"", b"two", b"x" * 1000]

    data = encode_publications(7, "queue", commands.Basic.Properties(priority=2), bodies, longest=300)

    assert read_publications(data, 7) == [("queue", 2, body) for body in bodies]


def test_a_body_as_long_as_a_frame_is_one_frame() -> None:
    data = encode_publications(1, "queue", commands.Basic.Properties(priority=0), [b"x" * 300], longest=300)

    assert read_publications(data, 1) == [("queue", 0, b"x" * 300)]
    assert data.count(b"x" * 300) == 1
