"""The REST API under load: who asks for much pays for it, and a few work while others wait."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response

from killreport.api.door.documents import Documents
from killreport.api.door.guard.guard import Guard
from killreport.api.rest.endpoint import Endpoint
from killreport.api.rest.rate_limit import AT_ONCE, MAX_WAITING_PER_CLIENT, RestLimiter, RestRequest
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.coordination.rate_limit import MemoryBuckets
from killreport.db.database import Database
from tests.integration.api.guarding import guarded
from tests.integration.serving import GraphQL, serving

STRICT: dict[str, Any] = {"api_unlimited_networks": "", "api_rate_per_second": 0.01, "trusted_proxies": "127.0.0.1"}
STRANGER, OTHER = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}


async def get(api: GraphQL, path: str, headers: dict[str, str] = STRANGER) -> tuple[int, str | None]:
    """Return the status of an address, and what is left of the bucket."""
    async with api.session.get(f"{api.address}{path}", headers=headers) as response:
        if response.status == 429:
            assert int(response.headers["Retry-After"]) >= 1
            assert "your bucket holds" in (await response.json(content_type=None))["error"]
        left = response.headers.get("RateLimit", "").partition("r=")[2].partition(";")[0]
        return response.status, left or None


async def test_a_page_is_paid_for_by_its_rows_and_what_there_was_not_is_given_back(
    settings: Settings, database: Database
) -> None:
    async with guarded(settings, database, **STRICT, api_rate_burst=20_000) as api:
        assert await get(api, "/feed?limit=1000") == (200, "19998")
        assert await get(api, "/api/kills/") == (200, "19986")
        assert await get(api, "/feeds/killmails.atom") == (200, "19984")
        assert (await get(api, "/history/totals.json"))[1] == "19982"
        assert (await get(api, "/history/20260101.json"))[1] == "19980"
        assert (await get(api, "/history/raw/20260101.json"))[1] == "19978"
        assert (await get(api, "/api/stats/characterID/1/"))[1] == "19907"
        assert (await get(api, "/ephemeral/sequence.json"))[1] == "19906"


@pytest.mark.parametrize(
    "path",
    [
        "/feed?limit=1000",
        "/api/kills/",
        "/api/kills/page/100/",
        "/feeds/killmails.rss",
        "/history/totals.json",
        "/history/20260101.json",
        "/history/raw/20260101.json",
        "/api/stats/characterID/1/",
        "/ephemeral/sequence.json",
        "/ephemeral/1.json",
        "/listen.php?queueID=mine&ttw=1",
        "/api/prices/34/",
        "/autocomplete/jita/",
        "/cache/1hour/autocomplete/?query=jita",
        "/feeds/killmails.csv",
        "/openapi.json",
        "/schema.graphql",
    ],
)
async def test_every_address_refuses_who_has_nothing_left(settings: Settings, database: Database, path: str) -> None:
    async with guarded(settings, database, **STRICT, api_rate_burst=1) as api:
        assert (await get(api, "/ephemeral/sequence.json"))[0] == 200
        assert (await get(api, path))[0] == 429
        async with api.session.get(f"{api.address}/healthz", headers=STRANGER) as response:
            assert response.status == 200


@pytest.mark.parametrize("path", ["/openapi.json", "/schema.graphql"])
async def test_what_is_the_same_for_everybody_is_compressed_once(
    settings: Settings, database: Database, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    begin = zlib.compressobj

    def counted(*arguments: Any) -> object:
        begun.append(arguments)
        return begin(*arguments)

    # What the middleware compresses an answer with.
    monkeypatch.setattr(zlib, "compressobj", counted)
    async with guarded(settings, database, **STRICT, api_rate_burst=1_000) as api:
        bodies = set()
        for _ in range(10):
            async with api.session.get(f"{api.address}{path}", headers=STRANGER) as response:
                assert response.headers["Content-Encoding"] == "gzip"
                bodies.add(gzip.decompress(await response.read()))
        plain = {**STRANGER, "Accept-Encoding": "identity"}
        async with api.session.get(f"{api.address}{path}", headers=plain) as response:
            assert "Content-Encoding" not in response.headers
            bodies.add(await response.read())
    assert len(bodies) == 1
    assert begun == []


async def test_waiting_for_the_next_killmail_takes_a_live_place(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, **STRICT, api_rate_burst=1_000, api_sockets_per_client=2) as api:
        paths = [f"/listen.php?queueID={number}&ttw=1" for number in range(4)]
        found = await asyncio.gather(*(api.session.get(api.address + path, headers=STRANGER) for path in paths))
        assert sorted(response.status for response in found) == [200, 200, 429, 429]


class Work:
    """A handler that works until it may end, and counts how many do at once."""

    def __init__(self) -> None:
        self.running = self.most = self.begun = 0
        self.may_end = asyncio.Event()

    async def answer(self, _request: RestRequest) -> Response:
        """Work."""
        self.running += 1
        self.begun += 1
        self.most = max(self.most, self.running)
        try:
            await self.may_end.wait()
        finally:
            self.running -= 1
        return PlainTextResponse("done")


@asynccontextmanager
async def endpoint(
    handler: Callable[[RestRequest], Awaitable[Response]], home: Path, **changes: Any
) -> AsyncIterator[str]:
    """Serve one address of the REST API."""
    settings = Settings(home=home).replace(**STRICT, **changes)
    schema = build_schema()
    guard = Guard.of(settings, schema, Documents(schema))
    guard.gate.buckets = MemoryBuckets(settings.api_rate_burst, settings.api_rate_per_second)
    async with serving(
        Starlette(routes=Endpoint("/work", "work", "", handler, {"text/plain": {}}).routes(RestLimiter(guard)))
    ) as address:
        yield address


async def test_a_few_work_at_once_and_one_client_has_so_many_waiting(tmp_path: Path) -> None:
    work = Work()
    async with endpoint(work.answer, tmp_path) as address, aiohttp.ClientSession() as session:

        async def ask(headers: dict[str, str]) -> tuple[int, str | None]:
            async with session.get(f"{address}/work", headers=headers) as response:
                return response.status, response.headers.get("Retry-After")

        asked = [asyncio.create_task(ask(STRANGER)) for _ in range(MAX_WAITING_PER_CLIENT + 5)]
        answered: set[asyncio.Task[tuple[int, str | None]]] = set()
        while len(answered) < 5:
            answered, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED, timeout=1)
        assert {await one for one in answered} == {(429, "10")}
        other = asyncio.create_task(ask(OTHER))
        assert work.running <= AT_ONCE
        work.may_end.set()
        assert await other == (200, None)
        found = [await one for one in asked]
        assert found.count((200, None)) == MAX_WAITING_PER_CLIENT
    assert work.most == AT_ONCE


async def test_what_takes_too_long_is_broken_off_and_who_waited_too_long_is_sent_away(tmp_path: Path) -> None:
    work = Work()
    async with endpoint(work.answer, tmp_path, api_timeout_seconds=0.2) as address, aiohttp.ClientSession() as session:
        response = await session.get(f"{address}/work", headers=STRANGER)
        assert response.status == 503
        assert (await response.json())["error"] == "This did not finish in 0.2 s. Request less at once."
    assert work.running == 0


async def test_a_bucket_never_holds_more_than_it_did(tmp_path: Path) -> None:
    async def generous(request: RestRequest) -> Response:
        for _ in range(10):
            await (await request.pay_for(1)).settle(0)
        return PlainTextResponse("done")

    async with endpoint(generous, tmp_path, api_rate_burst=100) as address, aiohttp.ClientSession() as session:
        for expected in ('"cost";r=89;t=1100', '"cost";r=78;t=2200'):
            async with session.get(f"{address}/work", headers=STRANGER) as response:
                assert response.headers["RateLimit"] == expected
