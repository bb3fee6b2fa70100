"""The pages as a browser without JavaScript gets them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import aiohttp
from pydantic import SecretStr

from killreport.api.app import create_app as create_api
from killreport.config import Settings
from killreport.coordination.heartbeats import beat
from killreport.db.database import Database
from killreport.fleet.table import FLEET
from killreport.killmail.writing.store import KillmailWriter
from killreport.queueing.messages import TypeMessage
from killreport.queueing.open import open_broker
from killreport.web.app import create_app
from tests.integration.kills import (
    CONTAINER,
    DAMAGE_CONTROL,
    NOON,
    NOVA,
    TRITANIUM,
    arrival,
    name_everybody,
    store,
    store_many,
)
from tests.integration.serving import serving
from tests.integration.web.conftest import SiteClient

KILL_LINK = re.compile(r'href="/kill/(\d+)"')
OLDER = re.compile(r'id="older"[^>]* href="([^"]+)"')


def words(page: str) -> str:
    """Return the page's text with single spaces, without tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def test_older_links_lead_through_every_kill_once(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 120)
    path: str | None = "/"
    pages = []
    while path is not None:
        page = await site.page(path)
        pages.append([int(found) for found in KILL_LINK.findall(page)])
        link = OLDER.search(page)
        path = None if link is None else unescape(link[1])
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [found for page in pages for found in page] == list(range(1119, 999, -1))


async def test_kills_are_grouped_by_utc_day(site: SiteClient, writer: KillmailWriter, database: Database) -> None:
    midnight = NOON.replace(hour=0)
    await store(
        writer, database, arrival(1, midnight), arrival(2, midnight - timedelta(seconds=1)), arrival(3, midnight)
    )
    page = await site.page("/")
    assert re.findall(r'<tbody data-day="([^"]+)">|/kill/(\d)', page) == [
        ("2021-12-02", ""),
        ("", "3"),
        ("", "1"),
        ("2021-12-01", ""),
        ("", "2"),
    ]
    assert "Thursday, 2 December 2021" in page


async def test_a_row_tells_what_who_where_and_worth(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await name_everybody(database)
    await store(writer, database, arrival(9, attackers=3))
    async with database.transaction() as connection:
        await connection.execute("update killmail set total_value_cents = 123456700000, is_solo = true")
    text = words(await site.page("/"))
    assert (
        "12:00 RI Rifter Frigate solo 0.9 Jita The Forge Alice [ALCO] Alice Alliance "
        "by Character 2112000099 +2 Rifter · Corporation 98000099 3 1.23b" in text
    )


async def test_without_kills_the_list_says_so(site: SiteClient) -> None:
    text = words(await site.page("/"))
    assert "No kills yet" in text
    assert "Older kills" not in text


async def test_names_from_outside_cannot_become_markup(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
    await name_everybody(database, hostile)
    await store(writer, database, arrival(9))
    for path in ("/", "/kill/9"):
        page = await site.page(path)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert hostile in unescape(page)


async def test_a_kill_page_tells_everything(site: SiteClient, writer: KillmailWriter, database: Database) -> None:
    await name_everybody(database)
    inside = {"item_type_id": TRITANIUM, "flag": 5, "singleton": 0, "quantity_dropped": 7}
    await store(
        writer,
        database,
        arrival(
            9,
            attackers=2,
            items=[
                {"item_type_id": NOVA, "flag": 27, "singleton": 0, "quantity_dropped": 40},
                {"item_type_id": CONTAINER, "flag": 5, "singleton": 1, "quantity_destroyed": 1, "items": [inside]},
                {"item_type_id": DAMAGE_CONTROL, "flag": 11, "singleton": 0, "quantity_destroyed": 1},
            ],
        ),
    )
    async with database.transaction() as connection:
        await connection.execute(
            """update killmail set ship_value_cents = 100, fitted_value_cents = 200, dropped_value_cents = 300,
               destroyed_value_cents = 50000000, total_value_cents = 50000300, points = 17, war_id = 77"""
        )
    page = await site.page("/kill/9")
    text = words(page)
    assert "Rifter Frigate" in text
    assert "Victim Alice Corporation Alice Co [ALCO] Alliance Alice Alliance [ALLI]" in text
    assert "System 0.9 Jita Region The Forge Kimotoro Time Thursday, 2 December 2021, 12:00:00" in text
    assert (
        "Hull 1.00 Hull and fittings 2.00 Dropped 3.00 Destroyed 500,000.00 Total 500,003.00 Points 17 War 77" in text
    )
    assert "Attackers 2" in text
    assert "Character 2112000099 final blow top damage Corporation 98000099 Rifter 1,000 50%" in text
    order = [text.index(word) for word in ("Low slots", "High slots", "Cargo hold")]
    assert order == sorted(order)
    assert '<div class="pair depth-1">' in page
    assert re.search(r'title="7 × [\d.,]+ ISK = [\d.,]+ ISK\. [^"]+"', page)
    assert "https://zkillboard.com/kill/9/" in unescape(page)


async def test_all_of_four_thousand_attackers_are_in_the_page_fifty_of_them_open(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(9, attackers=4000))
    page = await site.page("/kill/9")
    opened, _, folded = page.partition("<details")
    assert opened.count("Character 2112") == 50 + 3  # the victim is in the title, the description and its card
    assert folded.count("Character 2112") == 3950
    assert "3,950 more attackers" in page


async def test_unknown_addresses_are_404_pages(site: SiteClient) -> None:
    for path in ("/nonsense", "/kill/12345", "/kill/99999999999999999999", "/kill/abc", "/static/site.css"):
        async with site.session.get(site.address + path) as response:
            assert response.status == 404
    assert "There is no kill 12345 here." in words(await site.page("/kill/12345", 404))


async def test_a_damaged_link_is_a_400_page(site: SiteClient) -> None:
    assert "This link is damaged or too old." in words(await site.page("/?after=%3Cscript%3E", 400))


async def test_while_the_api_is_down_pages_are_503_and_try_again(settings: Settings) -> None:
    nowhere = settings.replace(api_url="http://127.0.0.1:1")
    async with serving(create_app(nowhere)) as address, aiohttp.ClientSession() as session:
        for path in ("/", "/kill/5"):
            async with session.get(address + path) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "10")
                assert '<meta http-equiv="refresh" content="10">' in await response.text()
        async with session.get(f"{address}/healthz") as response:
            assert response.status == 503


async def test_headers_keep_foreign_code_out(site: SiteClient) -> None:
    for path in ("/", "/kill/1", "/nonsense", "/healthz"):
        async with site.session.get(site.address + path) as response:
            assert response.headers["Content-Security-Policy"].startswith("default-src 'self'; img-src 'self' data:;")
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


async def test_pages_name_no_foreign_host_and_have_no_inline_code(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(9))
    for path in ("/", "/kill/9"):
        page = await site.page(path)
        assert set(re.findall(r'(?:src|href)="(https?://[^/"]+)', page)) <= {
            "https://zkillboard.com",
            "https://esi.evetech.net",
        }
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page)


async def test_static_files_are_kept_for_ever_under_the_hash_of_their_content(site: SiteClient) -> None:
    page = await site.page("/")
    addresses = re.findall(r'"(/static/[^"]+)"', page)
    assert len(addresses) == 4
    for address in addresses:
        assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", address)
        async with site.session.get(site.address + address) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_pages_are_compressed_for_who_asks(site: SiteClient, writer: KillmailWriter, database: Database) -> None:
    await store_many(writer, database, 50)
    for wanted, encoding in (("gzip", "gzip"), ("identity", None)):
        async with site.session.get(site.address, headers={"Accept-Encoding": wanted}) as response:
            assert response.headers.get("Content-Encoding") == encoding


async def test_only_the_image_server_of_the_settings_is_allowed(settings: Settings, site: SiteClient) -> None:
    pictured = settings.replace(image_url="https://images.example/eve")
    async with serving(create_app(pictured)) as address, site.session.get(f"{address}/nonsense") as response:
        assert "img-src 'self' data: https://images.example;" in response.headers["Content-Security-Policy"]


async def test_status_shows_every_process_its_queue_and_what_went_wrong(
    site: SiteClient, settings: Settings, database: Database
) -> None:
    async with open_broker(settings, database) as broker:
        await broker.publish_many("esi_type_info_queue", [TypeMessage(number) for number in range(1, 1235)])
    async with beat(database, "worker-types") as heartbeat:
        heartbeat.failed("ESI said <no>")
        await heartbeat.write(database)
        page = await site.page("/status")
    text = words(page)
    assert [name for name in (row.name for row in FLEET) if name not in text] == []
    # What exactly is the operator's to read.
    assert "It failed; the log has why." in text
    assert "ESI said" not in page
    assert re.search(r"worker-types Fills in types .* failing 1,234 0 ", text)
    assert "worker-characters Fills in characters from ESI not running 0 0 0.0 not yet" in text
    assert "processes need a look" in text


async def test_status_says_that_the_queues_cannot_be_counted(settings: Settings, database: Database) -> None:
    away = settings.model_copy(update={"broker_url": SecretStr("amqp://guest:secret@127.0.0.1:1/")})
    async with (
        serving(create_api(away, database)) as api,
        serving(create_app(settings.replace(api_url=api))) as address,
        aiohttp.ClientSession() as session,
    ):
        page = await SiteClient(session, address, api).page("/status")
    assert "The queues cannot be counted:" in page
    assert "secret" not in page


async def test_status_is_the_503_page_while_the_api_is_away(settings: Settings) -> None:
    async with serving(create_app(settings)) as address, aiohttp.ClientSession() as session:
        page = await SiteClient(session, address, "").page("/status", 503)
    assert "Back in a moment" in page


async def test_what_has_no_price_is_said_to_have_none_and_sums_without_it_to_be_the_least(
    site: SiteClient, writer: KillmailWriter, database: Database
) -> None:
    nobody_knows = 3_900_001
    novelty = {"item_type_id": nobody_knows, "flag": 5, "singleton": 0, "quantity_dropped": 3}
    module = {"item_type_id": DAMAGE_CONTROL, "flag": 11, "singleton": 0, "quantity_destroyed": 1}
    await store(
        writer,
        database,
        arrival(7, items=[module]),
        arrival(8, items=[module, novelty]),
        arrival(9, items=[novelty], ship_type_id=nobody_knows),
        # There was none of it, so that nothing is missing.
        arrival(10, items=[module, {"item_type_id": nobody_knows, "flag": 12, "singleton": 0}]),
    )
    async with database.transaction() as connection:
        await connection.execute(
            "update killmail set total_value_cents = 123456700000, destroyed_value_cents = 123456700000"
            " where killmail_id < 9"
        )
    rows = words(await site.page("/"))
    assert rows.count("at least") == 1
    assert "1 at least 1.23b" in rows
    assert "1 no price" in rows

    part, nothing = words(await site.page("/kill/8")), words(await site.page("/kill/9"))
    assert "Value at least 1.23b ISK No price is known for some of it." in part
    assert "Dropped no price Destroyed 1,234,567,000.00 Total at least 1,234,567,000.00" in part
    assert "Cargo hold no price" in part
    assert "Hull no price Hull and fittings no price Dropped no price Destroyed no price Total no price" in nothing
    assert "for some of it" not in nothing
    for page in (rows, part, nothing):
        assert "0.01" not in page
    for whole in (7, 10):
        assert "at least" not in words(await site.page(f"/kill/{whole}"))
