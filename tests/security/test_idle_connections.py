"""Connections that wait for their next request: kept for long, announced, and in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from killreport.api.app import create_app as create_api
from killreport.cli.processes.serve import serve
from killreport.config import Settings
from killreport.db.database import Database
from killreport.door.bounds import BOUNDS, Bounds
from killreport.door.client import Clients
from killreport.door.connection_limit import Admission, ConnectionLimit
from killreport.web.app import create_app as create_site
from tests.integration.serving import free_listener, serving
from tests.security.raw import said, small_app, status

GET = b"GET /read HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = GET.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n")
QUICK = Bounds(head_seconds=0.3, body_seconds=0.3, idle_seconds=1)
# The longest of what usually stands before a service: Google's balancer. Its keep-alive time cannot be set.
MAX_OF_PROXIES = 600

_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[_Pair]:
    """Lend a connection."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def ask(pair: _Pair, request: bytes = GET) -> bytes:
    """Return the head of the answer to one request on a connection that may go on; b"" where it was closed."""
    reader, writer = pair
    async with asyncio.timeout(30):
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
    return head


async def rest(pair: _Pair) -> float:
    """Return after how many seconds the server closed a connection on which nothing is asked."""
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(30):
        assert await pair[0].read() == b""
    return asyncio.get_running_loop().time() - began


@pytest.mark.parametrize("service", ["api", "site"])
async def test_both_services_announce_a_time_that_is_longer_than_any_proxy_s(
    settings: Settings, database: Database, service: str
) -> None:
    app = create_api(settings, database) if service == "api" else create_site(settings)
    async with serving(app) as address, connected(address) as pair:
        request = GET.replace(b"/read", b"/healthz")
        for _ in range(2):
            head = await ask(pair, request)
            assert b"\r\nconnection: keep-alive\r\n" in head
            assert b"\r\nkeep-alive: timeout=%d\r\n" % BOUNDS.idle_seconds in head
        head = await ask(pair, request.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n"))
        assert b"keep-alive" not in head
        assert b"\r\nconnection: close\r\n" in head
    assert BOUNDS.idle_seconds > MAX_OF_PROXIES


async def test_an_answer_that_ends_its_connection_promises_no_time(settings: Settings, database: Database) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    async with serving(create_api(settings, database)) as address, connected(address) as pair:
        answer = await ask(pair, head % 200_000 + bytes(200_000))
        assert status(answer) == 413
        assert b"keep-alive" not in answer
        assert answer.count(b"\r\nconnection: ") == 1


async def test_an_idle_connection_is_kept_as_long_as_announced() -> None:
    async with serving(small_app(), bounds=QUICK) as address, connected(address) as pair:
        assert b"keep-alive: timeout=1\r\n" in await ask(pair)
        await asyncio.sleep(0.7)
        assert status(await ask(pair)) == 200
        assert 0.9 < await rest(pair) < 5


async def test_a_service_that_stops_promises_nothing() -> None:
    stop = asyncio.Event()
    with free_listener() as listener:
        task = asyncio.create_task(serve(small_app(), listener, stop))
        async with connected(f"http://127.0.0.1:{listener.getsockname()[1]}") as pair:
            assert b"\r\nkeep-alive: " in await ask(pair)
            stop.set()
            # Until it has heard, answers go on as before.
            async with asyncio.timeout(10):
                head = await ask(pair)
                while b"keep-alive" in head:
                    head = await ask(pair)
            assert head.count(b"\r\nconnection: ") == 1
            assert b"\r\nconnection: close\r\n" in head
        await task


async def test_a_body_that_comes_after_its_answer_leaves_no_connection_without_an_end() -> None:
    early = b"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
    async with serving(small_app(), bounds=QUICK) as address, connected(address) as pair:
        assert status(await ask(pair, early)) == 200
        pair[1].write(b"late")
        assert await rest(pair) < 5


async def test_what_is_on_its_way_is_not_idle(tmp_path: Path) -> None:
    connection_limit = ConnectionLimit(16, Clients(Settings(home=tmp_path, api_unlimited_networks="")))
    async with serving(small_app(), connection_limit=connection_limit) as address, AsyncExitStack() as stack:
        share = (16 - 2) // 2
        pairs = [await stack.enter_async_context(connected(address)) for _ in range(share)]
        for pair in pairs:
            assert status(await ask(pair)) == 200
            pair[1].write(GET[:10])
            await pair[1].drain()
        # Each has a head that it has begun to say.
        await asyncio.sleep(0.1)
        assert status(await said(address, LAST)) == 503
        for pair in pairs:
            assert status(await ask(pair, GET[10:])) == 200
        assert status(await said(address, LAST)) == 200


async def test_where_there_is_no_room_the_longest_idle_go_first(tmp_path: Path) -> None:
    connection_limit = ConnectionLimit(64, Clients(Settings(home=tmp_path, api_unlimited_networks="")))
    share = (64 - 8) // 2
    async with serving(small_app(), connection_limit=connection_limit) as address, AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(connected(address)) for _ in range(share)]
        for pair in pairs:
            assert status(await ask(pair)) == 200
        # The first is used again, so that the second has waited longest.
        assert status(await ask(pairs[0])) == 200
        newer = [await stack.enter_async_context(connected(address)) for _ in range(3)]
        for pair in newer:
            assert status(await ask(pair)) == 200
            assert connection_limit.count <= share
        for pair in pairs[1:4]:
            assert await rest(pair) < 5
        for pair in (pairs[0], *pairs[4:]):
            assert status(await ask(pair)) == 200


class Waiting:
    """A connection that was answered, from an address."""

    def __init__(self, connection_limit: ConnectionLimit, host: str) -> None:
        self.connection_limit, self.host, self.is_open = connection_limit, host, True
        connection_limit.enter(host)
        connection_limit.rest(self, host)

    def give_way(self) -> None:
        """Close."""
        self.is_open = False
        self.connection_limit.wake(self)
        self.connection_limit.leave(self.host)


def test_strangers_close_neither_each_other_s_for_a_greedy_one_nor_those_of_exempt_addresses() -> None:
    connection_limit = ConnectionLimit(64, Clients(Settings(api_unlimited_networks="10.0.0.0/8")))
    exempt = Waiting(connection_limit, "10.0.0.1")
    quiet = Waiting(connection_limit, "192.0.2.1")
    greedy = [Waiting(connection_limit, "198.51.100.1") for _ in range(28)]
    assert connection_limit.enter("198.51.100.1") is Admission.FREE
    assert [one.is_open for one in greedy] == [False] + [True] * 27
    assert [quiet.is_open, exempt.is_open] == [True, True]
    # All places of strangers are taken: the longest idle of a stranger goes, whoever's it is.
    while connection_limit.count < 56:
        connection_limit.enter(f"203.0.113.{connection_limit.count}")
    assert connection_limit.enter("203.0.113.200") is Admission.FREE
    assert [quiet.is_open, exempt.is_open] == [False, True]
    for one in greedy[1:]:
        assert connection_limit.enter(f"192.0.2.{greedy.index(one)}") is Admission.FREE
        assert not one.is_open
    assert connection_limit.enter("203.0.113.201") is Admission.KEPT
    assert [quiet.is_open, exempt.is_open] == [False, True]
    assert [connection_limit.enter("10.0.0.2") for _ in range(4)] == [Admission.FREE] * 4
    assert [quiet.is_open, exempt.is_open] == [False, False]
