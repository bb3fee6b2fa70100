"""More connections than there is room for."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from killreport.config import Settings
from killreport.door.client import Clients
from killreport.door.connection_limit import Admission, ConnectionLimit
from killreport.door.visitor_signature import FLEET, VisitorSigner
from tests.integration.serving import serving
from tests.security.raw import said, small_app, status

MAX_PAGE_SIZE = 64
KEPT = 8
GET = b"GET /read HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def strict(home: Path) -> Settings:
    """Return settings with which this machine is a stranger."""
    return Settings(home=home, api_unlimited_networks="")


@asynccontextmanager
async def crowd(address: str, count: int) -> AsyncIterator[None]:
    """Hold so many connections that say nothing."""
    host, _, port = address.removeprefix("http://").partition(":")
    async with AsyncExitStack() as stack:
        for _ in range(count):
            _, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
        yield


async def test_beyond_its_share_a_stranger_is_told_to_come_again_and_the_fleet_gets_in(tmp_path: Path) -> None:
    settings = strict(tmp_path)
    connection_limit = ConnectionLimit(MAX_PAGE_SIZE, Clients(settings))
    signer = VisitorSigner(settings)
    async with (
        serving(small_app(), connection_limit=connection_limit) as address,
        crowd(address, (MAX_PAGE_SIZE - KEPT) // 2),
    ):
        answer = await said(address, GET)
        assert status(answer) == 503
        assert b"retry-after: 10" in answer
        assert b"x-content-type-options: nosniff" in answer
        probe = GET.replace(b"/read", b"/healthz")
        assert status(await said(address, probe)) == 200
        for wearer, expected in ((signer, 200), (VisitorSigner(strict(tmp_path / "other")), 503)):
            lines = "".join(f"{name}: {value}\r\n" for name, value in wearer.headers(FLEET).items()).encode()
            assert status(await said(address, GET.replace(b"Host: x\r\n", lines))) == expected


async def test_room_comes_back_with_those_who_leave(tmp_path: Path) -> None:
    connection_limit = ConnectionLimit(MAX_PAGE_SIZE, Clients(strict(tmp_path)))
    async with serving(small_app(), connection_limit=connection_limit) as address:
        for _ in range(3):
            async with crowd(address, (MAX_PAGE_SIZE - KEPT) // 2):
                assert status(await said(address, GET)) == 503
            async with asyncio.timeout(30):
                while connection_limit.count:
                    await asyncio.wait([asyncio.create_task(said(address, GET.replace(b"/read", b"/healthz")))])
            assert status(await said(address, GET)) == 200
    assert connection_limit.count == 0


def test_the_last_places_are_kept_whoever_comes() -> None:
    connection_limit = ConnectionLimit(MAX_PAGE_SIZE, Clients(Settings(api_unlimited_networks="10.0.0.0/8")))
    entries = [connection_limit.enter(f"192.0.2.{number}") for number in range(MAX_PAGE_SIZE - KEPT)]
    assert set(entries) == {Admission.FREE}
    assert connection_limit.enter("198.51.100.1") is Admission.KEPT
    assert [connection_limit.enter("10.0.0.1") for _ in range(KEPT)] == [Admission.FREE] * 3 + [Admission.KEPT] * 4 + [
        Admission.FULL
    ]
    for _ in range(KEPT):
        connection_limit.leave("10.0.0.1")
    connection_limit.leave("198.51.100.1")
    connection_limit.leave("192.0.2.1")
    assert connection_limit.enter("198.51.100.1") is Admission.FREE


def test_one_subscriber_of_ipv6_is_one_stranger() -> None:
    connection_limit = ConnectionLimit(MAX_PAGE_SIZE, Clients(Settings()))
    entries = [connection_limit.enter(f"2001:db8::{number:x}") for number in range(MAX_PAGE_SIZE - KEPT - 4)]
    assert entries.count(Admission.FREE) == (MAX_PAGE_SIZE - KEPT) // 2
    assert entries.count(Admission.KEPT) == KEPT
    assert connection_limit.enter("2001:db8:0:1::1") is Admission.FREE


async def test_beyond_all_places_a_connection_is_answered_and_closed_at_once(tmp_path: Path) -> None:
    connection_limit = ConnectionLimit(16, Clients(Settings(home=tmp_path)))
    async with serving(small_app(), connection_limit=connection_limit) as address, crowd(address, 16):
        answer = await said(address)
        assert status(answer) == 503
        assert connection_limit.count == 16


LIMITED = """
import resource, sys
soft, hard = (int(number) for number in sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from killreport.config import Settings
from killreport.door.descriptors import raise_limit
from killreport.door.connection_limit import Admission, ConnectionLimit
limit = ConnectionLimit.of(Settings(api_unlimited_networks=""))
refused = [limit.enter(str(n)) is Admission.FULL for n in range(9_000)]
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], refused.count(False))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "descriptors", "connections"),
    [(256, 1_024, 1_024, 448), (1_024, 8_192, 8_192, 4_000)],
    ids=["few", "enough"],
)
def test_the_soft_limit_is_raised_and_what_cannot_be_is_kept_within(
    soft: int, hard: int, descriptors: int, connections: int
) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip(f"this machine allows fewer than {hard} descriptors")
    done = subprocess.run([sys.executable, "-c", LIMITED, str(soft), str(hard)], capture_output=True, check=True)
    assert done.stdout.split()[-2:] == [str(descriptors).encode(), str(connections).encode()]
