"""Many publications as one run of bytes: what pamqp does for one message, with the constant parts made once."""

from __future__ import annotations

from collections.abc import Sequence

from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader


def encode_publications(
    channel_number: int,
    address: str,
    properties: commands.Basic.Properties,
    bodies: Sequence[bytes],
    longest_frame: int,
) -> bytes:
    """Return the frames that publish each body, mandatory, to the queue named by `address`.

    longest_frame: bytes of a body in one frame; a longer one is cut into several.
    """
    method = frame.marshal(commands.Basic.Publish(routing_key=address, mandatory=True), channel_number)
    heads: dict[int, bytes] = {}
    pieces: list[bytes] = []
    for body in bodies:
        head = heads.get(len(body))
        if head is None:
            header = ContentHeader(body_size=len(body), properties=properties)
            head = heads[len(body)] = method + frame.marshal(header, channel_number)
        pieces.append(head)
        pieces.extend(
            frame.marshal(ContentBody(body[start : start + longest_frame]), channel_number)
            for start in range(0, len(body), longest_frame)
        )
    return b"".join(pieces)
