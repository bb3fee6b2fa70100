"""The HTTP client against a server: what we send, and what each kind of answer becomes."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from killreport import __version__, http
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import CutShort, HostAway, KillreportError, Malformed, NotFound, Refused, Transient, Unavailable
from killreport.http import HttpClient, Pacer, open_session
from killreport.zkillboard.clients import open_clients
from tests.integration.zkillboard.site import Answer, Site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[HttpClient]:
    async with open_session(Settings(contact="ops@example.org")) as session:
        yield HttpClient(session, Pacer(10_000), max_bytes=1000)


async def test_a_request_names_us_and_asks_for_gzip(site: Site, client: HttpClient) -> None:
    site.answers["/a"] = Answer(b'{"a": 1}')

    body = await client.get(f"{site.url}/a", {"queueID": "x y"})

    assert body == b'{"a": 1}'
    request = site.asked[0]
    assert request.headers["User-Agent"] == f"killreport/{__version__} (+ops@example.org)"
    assert request.headers["Accept-Encoding"] == "gzip"
    assert request.query["queueID"] == "x y"


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after"),
    [
        (Answer(status=404), NotFound, None),
        (Answer(status=429, headers={"Retry-After": "4"}), Transient, 4.0),
        (Answer(status=429), Transient, None),
        (Answer(status=420, headers={"X-ESI-Error-Limit-Reset": "30"}), Transient, 30.0),
        (Answer(status=403), Refused, None),
        (Answer(status=422), Refused, None),
        (Answer(status=500), HostAway, None),
        (Answer(status=503), HostAway, None),
        (Answer(b"x" * 500, cut_after=100), CutShort, None),
        (Answer(b"x" * 1001), Malformed, None),
    ],
)
async def test_each_kind_of_answer_has_its_error(
    site: Site, client: HttpClient, answer: Answer, kind: type[KillreportError], retry_after: float | None
) -> None:
    site.answers["/a"] = answer

    with pytest.raises(kind) as caught:
        await client.get(f"{site.url}/a")

    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", None) == retry_after


async def test_a_redirect_is_followed(site: Site, client: HttpClient) -> None:
    site.answers |= {"/a": Answer(status=302, headers={"Location": "/b"}), "/b": Answer(b"there")}

    assert await client.get(f"{site.url}/a") == b"there"


async def test_a_host_that_is_not_there_is_unavailable_and_named(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(Unavailable, match=f"127.0.0.1:{port} does not answer"):
        await client.get(f"http://127.0.0.1:{port}/a")


async def test_a_body_that_does_not_arrive_in_time_is_unavailable(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_TIMEOUT_SECONDS", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(Unavailable, match="did not send its answer"),
    ):
        await client.get(f"http://127.0.0.1:{silent.getsockname()[1]}/a")


async def test_a_stream_has_no_bound_but_notices_its_early_end(site: Site, client: HttpClient) -> None:
    site.answers |= {"/whole": Answer(b"x" * 100_000), "/cut": Answer(b"x" * 100_000, cut_after=50_000)}

    whole = [piece async for piece in client.stream(f"{site.url}/whole")]
    assert b"".join(whole) == b"x" * 100_000
    with pytest.raises(Unavailable):
        [piece async for piece in client.stream(f"{site.url}/cut")]


async def test_the_redisq_host_is_never_asked_more_than_once_a_second(database: Database) -> None:
    async with open_clients(Settings(feed_requests_per_second=500.0), database) as clients:
        assert clients.redisq._pacer._interval == 1.0


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/a",
        "//evil.example/a",
        "http://127.0.0.1:1/a",
        "",
        "http://[",
        "file:///etc/passwd",
        "http://127.0.0.1:99999/",
    ],
)
async def test_a_redirect_to_another_place_is_not_followed(site: Site, client: HttpClient, location: str) -> None:
    site.answers["/a"] = Answer(status=302, headers={"Location": location})

    with pytest.raises(Unavailable, match="another host"):
        await client.get(f"{site.url}/a")
    with pytest.raises(Unavailable, match="another host"):
        [piece async for piece in client.stream(f"{site.url}/a")]

    assert [request.path for request in site.asked] == ["/a", "/a"]


async def test_redirects_in_a_circle_end(site: Site, client: HttpClient) -> None:
    site.answers["/a"] = Answer(status=307, headers={"Location": "/a"})

    with pytest.raises(Unavailable, match="redirects more than"):
        await client.get(f"{site.url}/a")

    assert len(site.asked) == 1 + http.MAX_REDIRECTS


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_what_unpacks_to_more_than_the_limit_is_refused_before_it_is_in_memory(
    site: Site, client: HttpClient, encoding: str
) -> None:
    plain = b"\0" * (64 * 2**20)
    packed = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)
    site.answers["/bomb"] = Answer(packed, headers={"Content-Encoding": encoding})

    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="larger than 1000 bytes"):
            await client.get(f"{site.url}/bomb")
        with pytest.raises(Malformed, match="larger than 5000 bytes"):
            [piece async for piece in client.stream(f"{site.url}/bomb", max_bytes=5000)]
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "packed",
    [
        b"\x1f\x8b" + b"\xff" * 100,
        b"no gzip at all",
        gzip.compress(b"x")[:-8] + b"\0" * 8,
    ],
    ids=["broken", "plain", "another sum"],
)
async def test_what_cannot_be_unpacked_is_cut_short(site: Site, client: HttpClient, packed: bytes) -> None:
    site.answers["/a"] = Answer(packed, headers={"Content-Encoding": "gzip"})

    with pytest.raises(CutShort):
        await client.get(f"{site.url}/a")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"\0\1\2 no answer\r\n\r\n",
    ],
    ids=["a coding", "a length", "a long line", "no HTTP"],
)
async def test_an_answer_that_cannot_be_read_is_not_a_host_that_is_away(client: HttpClient, answer: bytes) -> None:
    """A number of the feed that always is answered so would else be asked for until the end of days."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CutShort, match="sent an answer that cannot be read"):
            await client.get(f"http://127.0.0.1:{port}/a")
