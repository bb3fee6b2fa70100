"""The site in a real browser: live rows, pictures that fail, widths, and no complaint on the console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from killreport.web.app import create_app
from tests.acceptance.browser import Page, find_chromium, open_browser
from tests.conftest import REQUIRES_SERVICES
from tests.integration.kills import NOON, arrival, store, store_many
from tests.integration.serving import serving
from tests.integration.web.conftest import SiteClient, site, writer

__all__ = ["site", "writer"]
pytestmark = [
    pytest.mark.fleet,
    pytest.mark.skipif(find_chromium() is None and not REQUIRES_SERVICES, reason="no chromium is installed"),
]

IDS = "[...document.querySelectorAll('tr.kill')].map((row) => Number(row.dataset.id))"
DAYS = "[...document.querySelectorAll('table.kills tbody')].map((body) => body.dataset.day)"
LIVE = "document.getElementById('live').dataset.state === 'live'"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """Yield a tab of a browser."""
    async with open_browser(tmp_path / "profile") as page:
        await page.resize(1440, 900)
        yield page


async def test_new_kills_appear_in_their_place_without_a_reload(
    site: SiteClient, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(10, NOON), arrival(12, NOON + timedelta(minutes=2)))
    await page.open(f"{site.address}/")
    await page.wait_for(LIVE)
    await page.evaluate("window.same = true")

    await store(writer, database, arrival(13, NOON + timedelta(minutes=3)))
    await page.wait_for(f"{IDS}.includes(13)")
    await store(writer, database, arrival(11, NOON + timedelta(minutes=1)), arrival(20, NOON + timedelta(days=1)))
    await page.wait_for(f"{IDS}.length === 5")

    assert await page.evaluate(IDS) == [20, 13, 12, 11, 10]
    assert await page.evaluate(DAYS) == ["2021-12-03", "2021-12-02"]
    assert await page.evaluate("window.same") is True
    assert page.problems == []


async def test_the_first_kill_replaces_the_empty_page(
    site: SiteClient, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await page.open(f"{site.address}/")
    await page.wait_for(LIVE)
    await store(writer, database, arrival(10))
    await page.wait_for(f"{IDS}.length === 1")
    assert await page.evaluate("document.getElementById('empty')") is None


async def test_the_list_keeps_its_length_and_older_goes_on_where_it_ends(
    site: SiteClient, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 50)
    await page.open(f"{site.address}/")
    await page.wait_for(LIVE)
    await store_many(writer, database, 3, first_id=2000)
    await page.wait_for(f"{IDS}.includes(2002)")
    await store(writer, database, *(arrival(3000 + number, NOON + timedelta(days=1)) for number in range(20)))
    await page.wait_for(f"{IDS}.includes(3019)")
    shown = await page.evaluate(IDS)
    assert len(shown) == 50
    await page.evaluate("document.getElementById('older').click()")
    await page.wait_for("location.search !== '' && document.readyState === 'complete'")
    rest = await page.evaluate(IDS)
    stored = {*range(1000, 1050), *range(2000, 2003), *range(3000, 3020)}
    assert len(shown + rest) == len(stored)
    assert {*shown, *rest} == stored


async def test_a_picture_that_fails_leaves_the_drawn_tile(
    settings: Settings, site: SiteClient, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(10))
    async with serving(create_app(settings.replace(api_url=site.api, image_url=site.address))) as address:
        await page.open(f"{address}/kill/10")
        await page.wait_for("document.querySelectorAll('.tile img').length === 0")
        assert await page.evaluate("document.querySelector('.tile.hull .initials').textContent") == "RI"


async def test_no_page_is_wider_than_a_phone_and_the_final_blow_is_seen(
    site: SiteClient, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(10, attackers=60))
    for width in (320, 390, 768, 1024, 1440):
        await page.resize(width, 844)
        for path in ("/", "/kill/10", "/nonsense"):
            await page.open(f"{site.address}{path}")
            assert await page.evaluate(WIDER) is False, (width, path)
    await page.resize(390, 844)
    await page.open(f"{site.address}/")
    blow = await page.evaluate("document.querySelector('.c-blow').innerText")
    assert blow.startswith("by Character 2112000099 +59")
    height = await page.evaluate("document.querySelector('.c-blow').getBoundingClientRect().height")
    assert height > 10


async def test_the_rest_of_the_attackers_unfolds_by_keyboard(
    site: SiteClient, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(10, attackers=60))
    await page.open(f"{site.address}/kill/10")
    await page.evaluate("document.querySelector('.rest summary').focus()")
    for kind in ("keyDown", "keyUp"):
        await page.call(
            "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13
        )
    await page.wait_for("document.querySelector('.rest').open")
    assert await page.evaluate("document.querySelectorAll('.attackers tbody tr').length") == 60
