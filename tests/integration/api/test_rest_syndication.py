"""RSS and Atom over HTTP."""

from __future__ import annotations

import urllib.parse
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import JITA, KILLER, NOON, PILOT, arrival, name_everybody, store
from tests.integration.serving import GraphQL, serving

ATOM = "{http://www.w3.org/2005/Atom}"
DAMAGING = 'Al<ice> & "Bob"'


async def read(api: GraphQL, path: str) -> tuple[ET.Element, str]:
    """Return the document and its media type."""
    async with api.session.get(f"{api.address}{path}") as response:
        assert response.status == 200, await response.text()
        return ET.fromstring(await response.read()), response.content_type


def text(element: ET.Element, path: str) -> str:
    """Return the text of a descendant that must be there."""
    found = element.findtext(path)
    assert found is not None, path
    return found


async def test_an_atom_feed_has_what_the_standard_asks_for(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1), arrival(2, attackers=4))
    await name_everybody(database, DAMAGING)

    feed, media_type = await read(api, f"/feeds/killmails.atom?system={JITA}")

    entries = feed.findall(f"{ATOM}entry")
    assert media_type == "application/atom+xml"
    assert text(feed, f"{ATOM}author/{ATOM}name") == "KillReport"
    assert text(feed, f"{ATOM}updated") == max(text(entry, f"{ATOM}updated") for entry in entries)
    assert text(entries[0], f"{ATOM}title").startswith(f"{DAMAGING} lost Rifter in Jita, ")
    assert "and 3 more" in text(entries[0], f"{ATOM}summary")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == f"http://127.0.0.1:4000/feeds/killmails.atom?system={JITA}"
    for element in (feed, *entries):
        assert text(element, f"{ATOM}id").startswith("urn:uuid:")
    assert len({text(entry, f"{ATOM}id") for entry in entries}) == 2


async def test_an_rss_feed_names_the_same_killmails(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(1), arrival(2))
    await name_everybody(database, DAMAGING)

    atom, _ = await read(api, "/feeds/killmails.atom")
    rss, media_type = await read(api, "/feeds/killmails.rss")

    items = rss.findall("channel/item")
    assert media_type == "application/rss+xml"
    assert rss.get("version") == "2.0"
    for name in ("title", "link", "description", "lastBuildDate"):
        assert text(rss, f"channel/{name}")
    assert rss.find(f"channel/{ATOM}link[@rel='self']") is not None
    assert [text(item, "guid") for item in items] == [
        text(entry, f"{ATOM}id") for entry in atom.findall(f"{ATOM}entry")
    ]
    assert parsedate_to_datetime(text(items[0], "pubDate")).isoformat() == "2021-12-02T12:00:00+00:00"


CONDITIONS = [
    (f"victimCharacter={PILOT}", 2),
    (f"victimCharacter={PILOT},{PILOT + 5}", 3),
    (f"attackerCharacter={KILLER + 2}", 1),
    ("solo=true", 2),
    ("solo=false&attackersMin=2", 1),
    ("from=2021-12-02T12:00:00%2B00:00&to=2021-12-02T12:00:01Z", 3),
    ("hours=22-4", 0),
    ("valueMin=0.5", 3),
    ("space=highsec,lowsec", 3),
    ("filter=" + urllib.parse.quote('{"not": {"solo": true}}'), 1),
]


async def test_every_kind_of_condition_can_be_written_in_the_address(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1), arrival(2, attackers=3), arrival(3, character_id=PILOT + 5))

    for query, expected in CONDITIONS:
        feed, _ = await read(api, f"/feeds/killmails.atom?{query}")
        assert len(feed.findall(f"{ATOM}entry")) == expected, query


async def test_a_condition_that_cannot_be_is_refused_with_its_place(api: GraphQL) -> None:
    for query in ("solo=perhaps", "system=Jita", "hours=4", "filter=no", 'filter={"solo":1}', "labels="):
        async with api.session.get(f"{api.address}/feeds/killmails.rss?{query}") as response:
            assert response.status == 400
            assert " at " in (await response.json())["error"]


async def test_a_reader_that_has_the_newest_gets_nothing(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1))
    url = f"{api.address}/feeds/killmails.rss"
    async with api.session.get(url) as response:
        tag, modified = response.headers["ETag"], response.headers["Last-Modified"]

    statuses = []
    for headers in ({"If-None-Match": tag}, {"If-Modified-Since": modified}, {"If-None-Match": '"other"'}):
        async with api.session.get(url, headers=headers) as response:
            statuses.append(response.status)

    assert statuses == [304, 304, 200]


async def test_an_empty_feed_is_a_feed_and_does_not_change_by_itself(api: GraphQL) -> None:
    first, _ = await read(api, "/feeds/killmails.atom?npc=true")

    assert text(first, f"{ATOM}updated") == "1970-01-01T00:00:00Z"
    assert first.findall(f"{ATOM}entry") == []


async def test_links_begin_with_the_public_url_where_there_is_one(
    settings: Settings, database: Database, writer: KillmailWriter
) -> None:
    await store(writer, database, arrival(1))
    app = create_app(settings.replace(public_url="https://kills.example/"), database)
    async with serving(app) as address, aiohttp.ClientSession() as session:
        feed, _ = await read(GraphQL(session, address), "/feeds/killmails.atom")

    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    links = [link.get("href") for element in (feed, entry) for link in element.findall(f"{ATOM}link")]
    assert links == [
        *("https://kills.example/feeds/killmails.atom", "https://kills.example/", "https://kills.example/kill/1"),
    ]


@pytest.mark.parametrize(
    "since",
    [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Fri, 31 Dec 2026 23:59:59 +999999999999999999",
    ],
)
async def test_a_date_at_the_end_of_the_calendar_is_no_failure(api: GraphQL, since: str) -> None:
    headers = {"If-Modified-Since": since}
    async with api.session.get(f"{api.address}/feeds/killmails.atom", headers=headers) as response:
        assert response.status in (200, 304)


async def test_what_an_import_brought_of_long_ago_is_no_news(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    old = [replace(arrival(100 + number, NOON + timedelta(hours=1)), is_from_feed=False) for number in range(60)]
    await store(writer, database, arrival(1), *old, arrival(2))

    for suffix, path in (("atom", f"{ATOM}entry"), ("rss", "channel/item")):
        feed, _ = await read(api, f"/feeds/killmails.{suffix}?system={JITA}")
        assert len(feed.findall(path)) == 2
