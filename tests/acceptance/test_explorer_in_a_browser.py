"""The API's explorer in a real browser: a query, the schema, a subscription, the keyboard, and hostile text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.acceptance.browser import Page, find_chromium, open_browser
from tests.conftest import REQUIRES_SERVICES
from tests.integration.api.conftest import writer
from tests.integration.kills import arrival, name_everybody, store
from tests.integration.serving import serving

__all__ = ["writer"]
pytestmark = [
    pytest.mark.fleet,
    pytest.mark.skipif(find_chromium() is None and not REQUIRES_SERVICES, reason="no chromium is installed"),
]

READY = "document.querySelectorAll('.member').length > 10 && !document.getElementById('menu').hidden"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
HOSTILE = "<img src=x onerror=alert(1)>"
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40}
CONTROL = 2


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """Yield a tab of a browser."""
    async with open_browser(tmp_path / "profile") as page:
        await page.resize(1440, 900)
        yield page


@pytest.fixture
async def address(settings: Settings, database: Database) -> AsyncIterator[str]:
    """Yield the address of the explorer."""
    async with serving(create_app(settings, database)) as address:
        yield f"{address}/graphql"


def text(name: str) -> str:
    """Return the expression for the text of the element with the id."""
    return f"document.getElementById('{name}').textContent"


async def press(page: Page, key: str, modifiers: int = 0) -> None:
    """Press and release a key."""
    typed = {"text": "\r"} if key == "Enter" and not modifiers else {}
    code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": modifiers}
    await page.call("Input.dispatchKeyEvent", type="keyDown", **code, **typed)
    await page.call("Input.dispatchKeyEvent", type="keyUp", **code)


async def enter(page: Page, query: str) -> None:
    """Put the query into the editor as if it had been typed."""
    await page.evaluate("document.getElementById('query').focus(); document.getElementById('query').select()")
    await page.call("Input.insertText", text=query)


async def test_a_query_a_type_and_a_live_event(
    address: str, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(10))
    await page.open(address)
    await page.wait_for(READY)

    await page.evaluate("document.getElementById('run').click()")
    await page.wait_for(f"{text('answer')}.includes('\"id\": 10')")
    assert "cost 57 of at most 20,000" in await page.evaluate(text("status"))

    await page.evaluate(
        "[...document.querySelectorAll('#view .type')].find((one) => one.textContent === 'Killmail').click()"
    )
    assert (await page.evaluate("document.activeElement.textContent")).startswith("Killmail")
    assert "EVE's hash of the killmail: 40 hexadecimal digits." in await page.evaluate(text("view"))
    await page.evaluate("document.getElementById('back').click()")
    assert "Subscriptions" in await page.evaluate(text("view"))

    await page.evaluate("[...document.querySelectorAll('#examples button')].at(-1).click()")
    await page.evaluate("document.getElementById('run').click()")
    await page.wait_for(f"{text('status')}.startsWith('Live.')")
    # What was stored a moment before may come too; a subscription begins a little after it was asked for.
    async with asyncio.timeout(20):
        number = 11
        while await page.evaluate("document.querySelectorAll('#events li').length") == 0:
            await store(writer, database, arrival(number, ship_type_id=641))
            number += 1
            await page.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert '"name": "Megathron"' in await page.evaluate(text("events"))
    await page.evaluate("document.getElementById('stop').click()")
    assert (await page.evaluate(text("status"))).startswith("Stopped at ")
    assert await page.evaluate("document.getElementById('stop').hidden") is True
    assert page.problems == []


async def test_the_query_stays_in_the_address_and_runs_only_when_asked(
    address: str, page: Page, database: Database
) -> None:
    query = "query One { status { killmailCount } }\nquery Two { stats { killmails } }"
    fragment = urlencode({"query": query, "variables": '{"a": 1}'})
    await page.open(f"{address}#{fragment}")
    await page.wait_for(READY)
    assert await page.evaluate("document.getElementById('query').value") == query
    assert await page.evaluate("document.getElementById('variables').value") == '{"a": 1}'
    assert "killmailCount" not in await page.evaluate(text("answer"))

    # The operation with the caret in it runs.
    await page.evaluate(
        "document.getElementById('query').focus(); document.getElementById('query').selectionStart = 60"
    )
    await press(page, "Enter", CONTROL)
    await page.wait_for(f"{text('answer')}.includes('stats')")

    await enter(page, "{ changed }")
    await page.wait_for("location.hash.includes('changed')")
    await page.evaluate("location.reload()")
    await page.wait_for(f"{READY} && document.getElementById('query').value === '{{ changed }}'")


async def test_the_keyboard_indents_completes_and_leaves_the_editor(address: str, page: Page) -> None:
    await page.open(address)
    await page.wait_for(READY)
    await enter(page, "{ killmails(first: 1, filter: { victimSh")
    await page.wait_for("!document.getElementById('choices').hidden")
    names = "[...document.querySelectorAll('#choices b')].map((one) => one.textContent)"
    assert await page.evaluate(names) == ["victimShipType", "victimShipGroup"]
    await press(page, "ArrowDown")
    await press(page, "Enter")
    assert await page.evaluate("document.getElementById('query').value") == (
        "{ killmails(first: 1, filter: { victimShipGroup: "
    )
    await enter(page, "{\n  killmails { nodes { victim { ")
    await press(page, "Tab")
    assert (await page.evaluate("document.getElementById('query').value")).endswith("victim {   ")
    await page.call("Input.insertText", text="ship")
    await press(page, "Escape")
    assert await page.evaluate("document.activeElement.id") == "query"
    await press(page, "Escape")
    assert await page.evaluate("document.activeElement.id") == "run"


async def test_errors_are_listed_and_hostile_text_stays_text(
    address: str, page: Page, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(10))
    await name_everybody(database, HOSTILE)
    await page.open(f"{address}#{urlencode({'query': '{ killmail(id: 10) { victim { character { name } } } }'})}")
    await page.wait_for(READY)
    await page.evaluate("document.getElementById('run').click()")
    await page.wait_for(f"{text('answer')}.includes({HOSTILE!r})")
    await enter(page, '{ "' + HOSTILE)
    await press(page, "Enter", CONTROL)
    await page.wait_for("document.querySelectorAll('#errors li').length === 1")
    errors = await page.evaluate(text("errors"))
    assert "Syntax Error" in errors
    assert "code BAD_REQUEST" in errors
    assert "at line 1, column" in errors
    await page.evaluate(f"document.getElementById('find').value = {HOSTILE!r}")
    await page.evaluate("document.getElementById('find').dispatchEvent(new Event('input'))")
    assert await page.evaluate(text("found")) == "Nothing has that in its name or description."
    assert await page.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert page.problems == []


async def test_a_full_bucket_and_a_hidden_schema_are_told_in_a_sentence(
    settings: Settings, database: Database, page: Page
) -> None:
    limited = {"api_unlimited_networks": "", "api_rate_burst": 3000, "api_rate_per_second": 1}
    app = create_app(settings.replace(api_introspection=False, **limited), database)
    async with serving(app) as address:
        await page.open(f"{address}/graphql#{urlencode({'query': '{ killmails(first: 200) { nodes { eft } } }'})}")
        await page.wait_for(f"{text('status')}.startsWith('This installation does not show its schema')")
        assert await page.evaluate("document.getElementById('schema').hidden") is True
        for _ in range(20):
            await page.evaluate("document.getElementById('run').click()")
            await page.wait_for("document.getElementById('stop').hidden")
            if "Too much" in await page.evaluate(text("status")):
                break
        assert "Too much was asked for: try again in " in await page.evaluate(text("status"))
        assert "RATE_LIMITED" in await page.evaluate(text("errors"))


async def test_no_width_scrolls_sideways(address: str, page: Page) -> None:
    for width in (320, 390, 768, 1024, 1440):
        await page.resize(width, 844)
        await page.open(address)
        await page.wait_for(READY)
        await page.evaluate("if (document.getElementById('schema').hidden) document.getElementById('toggle').click()")
        assert await page.evaluate(WIDER) is False, width
    panes = "[...document.querySelectorAll('.pane')].map((pane) => pane.getBoundingClientRect().top)"
    assert len(set(await page.evaluate(panes))) == 1


# What is typed, and what is offered first for it; none where nothing fits.
OFFERED = {
    "": ["query", "subscription", "mutation", "fragment"],
    "{ killmails(order: ": ["NEWEST", "MOST_VALUABLE", "MOST_POINTS"],
    "{ killmails(filter: { and: [{ so": ["solo"],
    "{ killmails(filter: { npc: ": ["true", "false"],
    "{ killmails @include(if: true) { no": ["nodes"],
    "query A($a: KillmailF": ["KillmailFilter"],
    "subscription { w": ["workerStatus"],
    '{ search(query: "x", kinds: [SHIP_TYPE, SOL': ["SOLAR_SYSTEM"],
    '{ search(query: "x") { entity { ... on Type { priceH': ["priceHistory"],
    '{ search(query: "x") { entity { ... on Char': ["Character"],
    "{ killmail(id: 1) { ...R victim { dam": ["damageTaken"],
    "{ killmails { nodes { ... @include(if: true) { vic": ["victim"],
    "fragment R on Killmail { warI": ["warId"],
    "query A { status { killmailCount } } { feed": [],
    '{ search(query: "sta': [],
    "# que": [],
    "query A($que": [],
}


async def test_the_names_that_are_offered_fit_their_place(address: str, page: Page) -> None:
    await page.open(address)
    await page.wait_for(READY)
    found = await page.evaluate(
        "Promise.all([import('/explorer/context.js'), import('/explorer/schema.js')]).then("
        "async ([{ choicesAt }, { readSchema }]) => { const schema = await readSchema();"
        f" return {json.dumps(list(OFFERED))}.map((text) => {{ const found = choicesAt(schema, text, text.length);"
        " return (found?.choices ?? []).map(({ name }) => name).filter((name) => name.startsWith(found.prefix)); }); })"
    )

    assert dict(zip(OFFERED, found, strict=True)) == OFFERED


async def test_the_operation_with_the_caret_in_it_is_found(address: str, page: Page) -> None:
    await page.open(address)
    document = (
        'query A { a { b } } fragment F on X { c } subscription B($x: I = {a: 1}) { d(s: "}") } # }\nmutation { e'
    )
    found = await page.evaluate(
        f"import('/explorer/tokens.js').then(({{ operations }}) => operations({json.dumps(document)}))"
    )

    ends = [(one["type"], one.get("name"), document[one["start"] : one["end"]][-2:]) for one in found]
    assert ends == [("query", "A", " }"), ("subscription", "B", " }"), ("mutation", None, " e")]
