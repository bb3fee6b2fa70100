"""Visitors of the site: they have the limits of everybody, each its own, and cannot pass for another."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from killreport.api.app import create_app as create_api
from killreport.config import Settings
from killreport.db.database import Database
from killreport.door.visitor_signature import FLEET, VisitorSigner
from killreport.web.app import create_app
from tests.integration.serving import serving

STRANGER, OTHER = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "198.51.100.2, 127.0.0.1"}
PROXIED = {"trusted_proxies": "127.0.0.0/8"}


def alone(home: Path, **changes: Any) -> Settings:
    """Return settings of a site whose API does not answer."""
    return Settings(home=home).replace(api_url="http://127.0.0.1:9", **PROXIED, **changes)


async def statuses(address: str, headers: dict[str, str], count: int, path: str = "/kill/{}") -> list[int]:
    """Return the statuses of so many pages, asked for one after the other."""
    found: list[int] = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for number in range(count):
            async with session.get(address + path.format(number + 1)) as response:
                found.append(response.status)
                if response.status == 429:
                    assert int(response.headers["Retry-After"]) >= 1
    return found


async def test_a_visitor_has_so_many_pages_and_others_have_theirs(tmp_path: Path) -> None:
    settings = alone(tmp_path, api_rate_burst=20, api_rate_per_second=0.01)
    async with serving(create_app(settings)) as address:
        assert await statuses(address, STRANGER, 6) == [503] * 4 + [429] * 2
        assert await statuses(address, {"X-Forwarded-For": "6.6.6.6, 192.0.2.1"}, 1) == [429]
        assert await statuses(address, STRANGER, 3, "/healthz") == [503] * 3
        assert await statuses(address, OTHER, 1) == [503]


async def test_live_pages_are_bounded_for_one_visitor_and_for_all(tmp_path: Path) -> None:
    settings = alone(tmp_path, web_streams=5, web_streams_per_client=3)
    async with serving(create_app(settings)) as address, AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

        async def follow(headers: dict[str, str]) -> tuple[int, str | None]:
            response = await stack.enter_async_context(session.get(f"{address}/live", headers=headers))
            return response.status, response.headers.get("Retry-After")

        assert [await follow(STRANGER) for _ in range(4)] == [(200, None)] * 3 + [(429, "10")]
        assert [await follow(OTHER) for _ in range(3)] == [(200, None)] * 2 + [(503, "10")]


async def test_live_pages_that_go_make_room(tmp_path: Path) -> None:
    app = create_app(alone(tmp_path, web_streams=2))
    async with serving(app) as address, aiohttp.ClientSession() as session:
        for _ in range(5):
            async with session.get(f"{address}/live", headers=STRANGER) as response:
                assert response.status == 200
                await response.content.readany()
            async with asyncio.timeout(30):
                while app.state.streams.count:
                    await (await session.get(f"{address}/robots.txt")).read()


async def test_what_the_api_does_for_a_visitor_is_counted_as_that_visitors(
    settings: Settings, database: Database
) -> None:
    limited = settings.replace(api_rate_burst=1_500, api_rate_per_second=0.01, **PROXIED)
    async with (
        serving(create_api(limited, database)) as api,
        # What the site itself counts is out of the way: this is about what it passes on.
        serving(create_app(limited.replace(api_url=api, api_rate_burst=0))) as site,
        aiohttp.ClientSession() as session,
    ):
        found = await statuses(site, STRANGER, 40)
        assert found[0] == 404
        assert found[-1] == 429
        assert await statuses(site, OTHER, 1) == [404]
        # The site itself, and who asks the API on this machine, are not limited.
        assert await statuses(site, STRANGER, 3, "/healthz") == [200] * 3
        for number, (headers, expected) in enumerate(
            (
                ({}, 200),
                (STRANGER, 429),
                ({"X-KillReport-Visitor": FLEET, "X-KillReport-Signature": "0" * 64, **STRANGER}, 429),
                ({"X-KillReport-Visitor": "198.51.100.2", **STRANGER}, 429),
                (VisitorSigner(settings).headers("192.0.2.1"), 429),
                (VisitorSigner(settings).headers("198.51.100.9"), 200),
            )
        ):
            # Each its own, so that none is found in the memory.
            parties = "victim { character { id } corporation { id } alliance { id } shipType { id } }"
            query = {"query": f"{{ a{number}: killmails(first: 200) {{ nodes {{ id {parties} }} }} }}"}
            async with session.post(f"{api}/graphql", json=query, headers=headers) as response:
                assert response.status == expected, headers
