"""The live stream of the site, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp

from killreport.api.app import create_app as create_api
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from killreport.web.app import create_app
from tests.integration.kills import NOON, arrival, store, store_many
from tests.integration.serving import free_listener, serving
from tests.integration.web.conftest import SiteClient

LIVE_ADDRESS = re.compile(r'data-live="([^"]+)"')


class Stream:
    """Reads events of one response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.last_id = ""

    async def event(self, name: str) -> str:
        """Return the data of the next event, which has this name."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            while True:
                line = (await self._response.content.readline()).decode()
                assert line, "the stream ended"
                if line == "\n" and "event" in fields:
                    assert fields["event"] == name
                    self.last_id = fields.get("id", self.last_id)
                    return fields["data"]
                key, _, value = line.rstrip("\n").partition(": ")
                fields[key] = value

    async def state(self, wanted: str) -> None:
        """Wait for this state of the feed."""
        while await self.event("state") != wanted:
            pass

    async def kill(self) -> int:
        """Return the id of the next kill, which comes with its row and heading."""
        data = json.loads(await self.event("kill"))
        found = re.search(r'<tr class="kill" data-id="(\d+)" data-key="([^"]+)"', data["row"])
        assert found is not None
        assert found[2] == data["key"]
        assert f'datetime="{data["day"]}"' in data["heading"]
        return int(found[1])


@asynccontextmanager
async def stream(
    session: aiohttp.ClientSession, address: str, path: str, last_id: str | None = None
) -> AsyncIterator[Stream]:
    """Lend the stream at this path; `last_id` is what a browser sends when it comes back."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with session.get(address + path, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        yield Stream(response)


async def live_path(session: aiohttp.ClientSession, address: str) -> str:
    """Return where the first page says its stream is."""
    async with session.get(address) as response:
        found = LIVE_ADDRESS.search(await response.text())
    assert found is not None
    return found[1]


async def ready(session: aiohttp.ClientSession, address: str, kill: int | None = None) -> None:
    """Wait until the site follows the API, and has this kill."""
    async with stream(session, address, "/live") as first:
        await first.state("live")
        while kill is not None and await first.kill() != kill:
            pass


async def test_a_stored_kill_arrives_as_a_rendered_row(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await ready(site.session, site.address)
    path = await live_path(site.session, site.address)
    async with stream(site.session, site.address, path) as events:
        await events.state("live")
        await store(writer, database, arrival(5))
        assert await events.kill() == 5


async def test_what_is_stored_between_page_and_stream_is_not_missed(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await ready(site.session, site.address)
    path = await live_path(site.session, site.address)
    async with stream(site.session, site.address, path) as earlier:
        await earlier.state("live")
        await store(writer, database, arrival(5))
        assert await earlier.kill() == 5
    async with stream(site.session, site.address, path) as late:
        await late.state("live")
        assert await late.kill() == 5


async def test_a_browser_that_comes_back_gets_what_it_missed_and_nothing_twice(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await ready(site.session, site.address)
    async with stream(site.session, site.address, "/live") as one, stream(site.session, site.address, "/live") as two:
        await store(writer, database, arrival(5))
        await one.state("live")
        assert await one.kill() == 5
        await store(writer, database, arrival(6))
        await store(writer, database, arrival(7))
        await two.state("live")
        assert [await two.kill() for _ in range(3)] == [5, 6, 7]
    async with stream(site.session, site.address, "/live", one.last_id) as back:
        await back.state("live")
        assert [await back.kill() for _ in range(2)] == [6, 7]


async def test_a_browser_of_an_earlier_site_gets_the_whole_newest_page(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 60)
    await ready(site.session, site.address, 1059)
    async with stream(site.session, site.address, "/live", "0000abcd-17") as back:
        await back.state("live")
        assert [await back.kill() for _ in range(50)] == list(range(1010, 1060))


async def test_kills_older_than_the_first_page_are_not_sent(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 50)
    await ready(site.session, site.address, 1049)
    path = await live_path(site.session, site.address)
    async with stream(site.session, site.address, path) as events:
        await events.state("live")
        await store(writer, database, arrival(1, NOON - timedelta(days=1)))
        await store(writer, database, arrival(2, NOON + timedelta(days=1)))
        assert await events.kill() == 2


async def test_kills_stored_while_the_api_was_away_arrive_when_it_is_back(
    settings: Settings, writer: KillmailWriter, database: Database
) -> None:
    with free_listener() as held:
        port = held.getsockname()[1]
    here = settings.replace(api_url=f"http://127.0.0.1:{port}")
    async with serving(create_app(here)) as address, aiohttp.ClientSession() as session:
        async with serving(create_api(settings, database), free_listener(port)):
            await ready(session, address)
            path = await live_path(session, address)
        async with stream(session, address, path) as events:
            await events.state("waiting")
            await store(writer, database, arrival(5), arrival(6))
            async with serving(create_api(settings, database), free_listener(port)):
                assert [await events.kill() for _ in range(2)] == [5, 6]
                await events.state("live")


async def test_an_open_stream_ends_when_the_site_is_told_to_stop(site: SiteClient, settings: Settings) -> None:
    async with aiohttp.ClientSession() as session:
        async with serving(create_app(settings.replace(api_url="http://127.0.0.1:1"))) as address:
            response = await session.get(f"{address}/live")
        async with asyncio.timeout(20):
            text = await response.text()
    assert text.endswith("event: state\ndata: waiting\n\n")
