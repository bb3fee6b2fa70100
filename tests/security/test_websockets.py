"""WebSockets that inflate, flood or never read."""

from __future__ import annotations

import asyncio
import base64
import logging
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.integration.serving import serving
from tests.security.raw import resident_mb, said, small_app, status

KEY = base64.b64encode(bytes(16))
UPGRADE = (
    b"GET /listen HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
TEXT, CONTINUATION, PING = 1, 0, 9


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Yield where a small application is served."""
    async with serving(small_app()) as found:
        yield found


def frame(opcode: int, payload: bytes, *, final: bool = True, compressed: bool = False) -> bytes:
    """Return a frame of a client, masked with zeros."""
    first = opcode | (0x80 if final else 0) | (0x40 if compressed else 0)
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 127]) + size.to_bytes(8, "big")
    if 126 <= size < 65_536:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    return bytes([first]) + length + bytes(4) + payload


async def talk(address: str, *frames: bytes, offer: bytes = b"") -> bytes:
    """Return everything the server says to a client that sends these frames after the handshake."""
    return await said(address, UPGRADE + offer + b"\r\n", *frames, after_first=True)


def close_code(answer: bytes) -> int:
    """Return the code of the close frame with which an answer ends."""
    _, _, frames = answer.partition(b"\r\n\r\n")
    place = frames.rindex(b"\x88")
    return int.from_bytes(frames[place + 2 : place + 4], "big")


async def test_compression_is_not_taken_up_and_a_bomb_is_no_message(address: str) -> None:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -12)
    bomb = squeezer.compress(bytes(50_000_000)) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    before = resident_mb()
    answer = await talk(address, frame(TEXT, bomb[:-4], compressed=True), offer=DEFLATE)
    assert b"permessage-deflate" not in answer
    assert status(answer) == 101
    assert close_code(answer) == 1002
    assert resident_mb() - before < 40


async def test_a_message_beyond_its_bound_ends_the_connection(address: str) -> None:
    assert close_code(await talk(address, frame(TEXT, b"x" * 200_000))) == 1009
    parts = [frame(TEXT, b"x", final=False), *[frame(CONTINUATION, b"x" * 10_000, final=False)] * 20]
    assert close_code(await talk(address, *parts)) == 1009


async def test_a_message_of_endlessly_many_empty_parts_ends_the_connection(address: str) -> None:
    parts = [frame(TEXT, b"", final=False), *[frame(CONTINUATION, b"", final=False) * 1_000] * 20]
    assert close_code(await talk(address, *parts)) == 1009


async def test_messages_that_do_not_wait_are_bounded(address: str) -> None:
    assert close_code(await talk(address, frame(TEXT, b"x") * 9_000)) == 1008


async def test_pongs_do_not_pile_up_for_who_does_not_read_them(address: str) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    before = resident_mb()
    _, writer = await asyncio.open_connection(host, int(port), limit=1)
    writer.write(UPGRADE + b"\r\n")
    pings = frame(PING, b"p" * 125) * 500
    try:
        async with asyncio.timeout(30):
            while True:
                writer.write(pings)
                await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert resident_mb() - before < 60


@pytest.mark.parametrize(
    "head",
    [
        UPGRADE + b"X-Long: " + b"v" * 12_000 + b"\r\n\r\n",
        UPGRADE.replace(b"/listen", b"/listen?" + b"q" * 12_000) + b"\r\n",
        UPGRADE.replace(b"GET", b"POST") + b"\r\n",
        UPGRADE + b"X-Bytes: \xff\x01\r\n\r\n",
        UPGRADE.replace(b"Sec-WebSocket-Key: " + KEY, b"Sec-WebSocket-Key: short") + b"\r\n",
        UPGRADE.replace(b"/listen", b"/nowhere") + b"\r\n",
    ],
    ids=["a long line", "a long address", "a post", "odd bytes", "a bad key", "an unknown path"],
)
async def test_a_handshake_that_cannot_be_is_refused(address: str, head: bytes) -> None:
    assert status(await said(address, head)) in (400, 403, 405, 431)


async def test_what_clients_send_is_served_also_where_they_offer_compression(address: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}/listen", compress=15) as ws:
        for size in (1, 1_000, 100_000):
            await ws.send_str("x" * size)
            assert (await ws.receive(timeout=10)).data == str(size)


async def test_other_protocols_are_not_switched_to(address: str) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n"
    assert status(await said(address, head)) == 200


@pytest.mark.parametrize(
    "frames",
    [
        (frame(TEXT, b"\xff"),),
        (frame(TEXT, b"\xf0\x9f", final=False), frame(CONTINUATION, b"\xff")),
        (frame(TEXT, b"x") * 1_000,),
        (frame(TEXT, b"x") * 20 + frame(3, b"x"),),
    ],
    ids=["no UTF-8", "no UTF-8 in parts", "many that do not wait", "a frame of no kind while answers are made"],
)
async def test_what_a_stranger_sends_is_no_error_of_ours(
    address: str, frames: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
) -> None:
    assert close_code(await talk(address, *frames)) in (1002, 1007, 1008)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "head",
    [
        UPGRADE.replace(b"GET", b"POST") + b"Content-Length: 3\r\n\r\nabc",
        UPGRADE + b"Content-Length: 3\r\n\r\nabc",
        UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        UPGRADE.replace(b"GET", b"HEAD") + b"\r\n",
        UPGRADE + b"Sec-WebSocket-Key: " + KEY + b"\r\n\r\n",
        UPGRADE + b"Sec-WebSocket-Version: 13\r\n\r\n",
    ],
    ids=["a post with a body", "a body", "chunks", "a head", "two keys", "two versions"],
)
async def test_a_handshake_with_more_than_a_handshake_is_answered_by_us(address: str, head: bytes) -> None:
    answer = await said(address, head)
    assert status(answer) == 400
    assert b"content-security-policy" in answer
