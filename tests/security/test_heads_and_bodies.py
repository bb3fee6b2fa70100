"""Heads and bodies of requests that are endless, slow or many."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from killreport.door.bounds import Bounds
from tests.integration.serving import serving
from tests.security.raw import resident_mb, said, small_app, status

HOST = b"Host: x\r\n"
QUICK = Bounds(head_seconds=0.3, body_seconds=0.3, write_seconds=0.3)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Yield where a small application is served with the bounds of the product."""
    async with serving(small_app()) as found:
        yield found


@pytest.fixture
async def quick() -> AsyncIterator[str]:
    """Yield where it is served with less patience."""
    async with serving(small_app(), bounds=QUICK) as found:
        yield found


def get(path: bytes, *lines: bytes) -> bytes:
    """Return a request that ends its connection."""
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"".join(lines) + b"Connection: close\r\n\r\n"


async def test_what_browsers_and_proxies_send_is_served(address: str) -> None:
    cookies = b"Cookie: " + b"c" * 16_000 + b"\r\n"
    assert status(await said(address, get(b"/read?q=" + b"q" * 12_000, cookies, *[b"X-Forwarded: a\r\n"] * 60))) == 200


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (get(b"/read?" + b"q" * 16_400), 414),
        (get(b"/read", *(b"X-%d: 1\r\n" % number for number in range(101))), 431),
        (get(b"/read", *(b"X-%d: %s\r\n" % (number, b"v" * 7_000) for number in range(10))), 431),
        (get(b"/read", b"X-Long: " + b"v" * 70_000 + b"\r\n"), 431),
        (get(b"/read", b"X" * 70_000 + b": 1\r\n"), 431),
        (b"GET /" + b"q" * 400_000, 414),
        (b"NONSENSE\r\n\r\n", 400),
    ],
    ids=["address", "lines", "bytes", "a long line", "a long name", "an endless address", "no HTTP"],
)
async def test_a_head_beyond_its_bounds_is_answered_and_cut_off(address: str, head: bytes, expected: int) -> None:
    answer = await said(address, head)
    assert status(answer) == expected
    assert b"connection: close" in answer
    assert b"x-content-type-options: nosniff" in answer


async def test_endless_heads_do_not_grow_the_process(address: str) -> None:
    before = resident_mb()
    endless = [b"GET /read HTTP/1.1\r\n", HOST, *[b"X-Long: " + b"v" * 65_000 + b"\r\n"] * 400]
    answers = await asyncio.gather(*(said(address, *endless) for _ in range(10)))
    assert {status(answer) for answer in answers} == {431}
    # 260 MB were there to be read.
    assert resident_mb() - before < 100


@pytest.mark.parametrize(
    "body",
    [
        [b"Content-Length: 99999999\r\n\r\n", *[bytes(65_536)] * 100],
        [b"Content-Length: " + b"9" * 300 + b"\r\n\r\n"],
        [b"Transfer-Encoding: chunked\r\n\r\n", *[b"10000\r\n" + bytes(65_536) + b"\r\n"] * 100],
        [b"Transfer-Encoding: chunked\r\n\r\n1;x=", *[b"e" * 65_536] * 100],
    ],
    ids=["announced", "absurd", "chunks", "an endless extension of a chunk"],
)
async def test_a_body_beyond_its_bound_is_not_read(address: str, body: list[bytes]) -> None:
    for path in (b"/read", b"/ignore"):
        answer = await said(address, b"POST " + path + b" HTTP/1.1\r\n" + HOST, *body)
        # What answers without reading has answered by then, and is cut off.
        assert status(answer) in ((413, 400) if path == b"/read" else (413, 400, 200))


async def test_endless_trailers_are_a_head_too(address: str) -> None:
    head = b"POST /read HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    assert status(await said(address, head, *[b"X-Late: 1\r\n"] * 200)) in (431, 400)
    assert status(await said(address, head + b"X-Late: ", *[b"v" * 65_536] * 100)) in (413, 431, 400)


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        (b"", 0),
        (b"GE", 408),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nX-Sl", 408),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{", 408),
        (b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 408),
        (b"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{", 200),
        (b"GET /read HTTP/1.1\r\nHost: x\r\n\r\nG", 200),
        (b"\r\n", 408),
    ],
    ids=[
        "nothing",
        "a method",
        "a line",
        "a body",
        "a chunk",
        "a body nobody reads",
        "a second request",
        "a blank line",
    ],
)
async def test_what_does_not_go_on_is_cut_off(quick: str, begun: bytes, expected: int) -> None:
    assert status(await said(quick, begun)) == expected


async def test_a_head_that_trickles_is_cut_off_however_often_it_says_something(quick: str) -> None:
    host, _, port = quick.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /read HTTP/1.1\r\n")

    async def trickle() -> None:
        while True:
            writer.write(b"X: 1\r\n")
            await asyncio.wait({ended}, timeout=0.05)

    ended = asyncio.create_task(reader.read())
    trickling = asyncio.create_task(trickle())
    try:
        assert status(await asyncio.wait_for(ended, 30)) == 408
    finally:
        trickling.cancel()
        writer.close()


async def test_who_does_not_read_the_answer_is_cut_off() -> None:
    app = small_app()
    async with serving(app, bounds=QUICK) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n")
            async with asyncio.timeout(30):
                await app.state.ended.wait()


async def test_a_stream_ends_with_its_client_although_more_was_asked_for() -> None:
    app = small_app()
    async with serving(app) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n" + b"GET /read HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await reader.read(10)).startswith(b"HTTP/1.1")
        writer.close()
        async with asyncio.timeout(30):
            await app.state.ended.wait()


async def test_requests_that_do_not_wait_for_answers_are_bounded(address: str) -> None:
    one = b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = await said(address, one * 1_000)
    assert answer.count(b"HTTP/1.1 ") <= 1


async def test_many_requests_on_one_connection_are_served_however_they_are_cut(address: str) -> None:
    post = b"POST /read HTTP/1.1\r\n" + HOST + b"Content-Length: 90000\r\n\r\n" + bytes(90_000)
    last = get(b"/read")
    for size in (len(post) // 3, len(post), 4_000):
        whole = post * 5 + last
        parts = [whole[start : start + size] for start in range(0, len(whole), size)]
        answer = await said(address, *parts)
        assert answer.count(b"HTTP/1.1 200") == 6
        assert answer.count(b"\r\n\r\n90000") == 5
