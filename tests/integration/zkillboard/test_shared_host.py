"""What zKillboard's hosts say to one process, all processes keep."""

from __future__ import annotations

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database, open_pool
from killreport.errors import Refused, Transient
from killreport.ingest.repair import open_repair
from killreport.zkillboard.character_list import ENDPOINT
from killreport.zkillboard.clients import open_clients
from killreport.zkillboard.pacing import pause_left
from killreport.zkillboard.walk import BAN_SECONDS, DEFAULT_RETRY_AFTER_SECONDS
from tests.integration.serving import GraphQL, serving
from tests.integration.zkillboard.site import Answer, Site

POST = "mutation($link: String) { postKillmail(link: $link) { isNew } }"


@pytest.fixture
def at_site(settings: Settings, site: Site) -> Settings:
    return settings.replace(r2z2_url=site.url, zkillboard_url=site.url, esi_url=site.url, zkillboard_seconds=0.001)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(status=403), BAN_SECONDS),
        (Answer(status=429, headers={"Retry-After": "40"}), 40.0),
        (Answer(status=429), DEFAULT_RETRY_AFTER_SECONDS),
    ],
)
async def test_a_feed_that_is_told_to_go_away_keeps_the_repair_of_another_process_away(
    at_site: Settings, site: Site, database: Database, answer: Answer, seconds: float
) -> None:
    site.answers = {"/ephemeral/1.json": answer, "/history/totals.json": Answer(b"{}")}
    async with open_clients(at_site, database) as clients:
        with pytest.raises((Refused, Transient)):
            await clients.r2z2.get(f"{site.url}/ephemeral/1.json")
    site.asked.clear()

    async with open_repair(at_site, database) as repairing:
        with pytest.raises(Transient) as caught:
            [day async for day in repairing.repair([], trust_counts=True)]

    assert caught.value.retry_after == pytest.approx(seconds, abs=5)
    assert site.asked == []


async def test_a_repair_that_is_banned_in_the_middle_of_a_file_keeps_the_feed_away(
    at_site: Settings, site: Site, database: Database
) -> None:
    site.answers = {"/history/raw/20211202.json": Answer(status=403)}
    async with open_clients(at_site, database) as one, open_clients(at_site, database) as other:
        with pytest.raises(Refused):
            [piece async for piece in one.r2z2.stream(f"{site.url}/history/raw/20211202.json")]
        with pytest.raises(Transient):
            await other.r2z2.get(f"{site.url}/ephemeral/1.json")
    assert len(site.asked) == 1


async def test_without_the_database_the_feed_is_asked_all_the_same(
    at_site: Settings, site: Site, database_url: str
) -> None:
    site.answers = {"/a": Answer(b"there")}
    async with open_pool(database_url, 1, "test") as away:
        pass
    async with open_clients(at_site, away) as clients:
        assert await clients.r2z2.get(f"{site.url}/a") == b"there"


async def test_a_posted_link_keeps_the_pauses_of_the_histories_and_they_keep_its(
    at_site: Settings, site: Site, database: Database
) -> None:
    async with serving(create_app(at_site, database)) as address, aiohttp.ClientSession() as session:
        api = GraphQL(session, address)
        site.answers = {"/api/killID/10/": Answer(status=403)}
        await api.error(POST, {"link": "https://zkillboard.com/kill/10/"})
        async with database.connection() as connection:
            left = await pause_left(connection, ENDPOINT)
        await api.error(POST, {"link": "https://zkillboard.com/kill/11/"})

    assert left == pytest.approx(BAN_SECONDS, abs=5)
    assert [request.path for request in site.asked] == ["/api/killID/10/"]
