"""The explorer as it is served: its page, its files, its examples run against a filled database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from killreport.api.explorer import EXAMPLES, MODULES, examples
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.guarding import guarded
from tests.integration.kills import arrival, name_everybody, store
from tests.integration.serving import GraphQL

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
QUERIES = {example["title"]: example["query"] for example in examples()}
LIVE = QUERIES.popitem()[1]


async def policy(api: GraphQL, host: str | None = None) -> dict[str, str]:
    """Return the directives of the page's Content-Security-Policy."""
    headers = BROWSER | ({"Host": host} if host else {})
    async with api.session.get(f"{api.address}/graphql", headers=headers) as response:
        assert response.status == 200
        parts = response.headers["Content-Security-Policy"].split("; ")
    return {name: value for name, _, value in (part.partition(" ") for part in parts)}


async def test_the_page_may_load_and_ask_this_host_alone(api: GraphQL) -> None:
    host = api.address.removeprefix("http://")

    found = await policy(api)

    assert found["connect-src"] == f"'self' ws://{host} wss://{host}"
    assert found["script-src"] == found["style-src"] == found["form-action"] == "'self'"
    assert found["default-src"] == found["base-uri"] == found["frame-ancestors"] == "'none'"
    assert found["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(found)


async def test_a_host_that_is_no_name_does_not_reach_the_policy(api: GraphQL) -> None:
    for host in ("a; script-src *", "a b", "*", "[::1]:4000", "a'b"):
        found = await policy(api, host)
        assert found["connect-src"] == "'self'"
        assert found["script-src"] == "'self'"


async def test_the_page_has_the_first_example_and_tells_nobody_where_it_was(api: GraphQL) -> None:
    async with api.session.get(f"{api.address}/graphql", headers=BROWSER) as response:
        page = await response.text()
        assert (response.headers["Referrer-Policy"], response.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert f">{examples()[0]['query']}</textarea>" in page
    assert re.findall(r"<!--", page) == []


async def test_every_file_of_the_page_is_served_and_asked_about_again(api: GraphQL) -> None:
    types = {"explorer.css": "text/css", "mark.svg": "image/svg+xml", EXAMPLES: "application/json"}
    for name, media in (types | dict.fromkeys(MODULES, "text/javascript")).items():
        address = f"{api.address}/explorer/{name}"
        async with api.session.get(address) as response:
            assert (response.status, response.content_type) == (200, media)
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-cache"
            assert await response.text()
            etag = response.headers["ETag"]
        async with api.session.get(address, headers={"If-None-Match": etag}) as response:
            assert (response.status, await response.read()) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "explorer.html",
        "__init__.py",
        "..%2Fapp.py",
        "examples%2F01-newest-kills.graphql",
        "explorer.js%00",
        "EXPLORER.JS",
    ],
)
async def test_no_other_file_is_served(api: GraphQL, name: str) -> None:
    async with api.session.get(f"{api.address}/explorer/{name}") as response:
        assert response.status == (400 if "%00" in name else 404)


async def test_the_form_works_without_javascript(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(1))
    # An empty field is sent too.
    asked = {"query": QUERIES["The newest kills"], "variables": ""}
    async with api.session.get(f"{api.address}/graphql", params=asked, headers=BROWSER) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert [node["id"] for node in (await response.json())["data"]["killmails"]["nodes"]] == [1]


@pytest.fixture
async def filled(api: GraphQL, writer: KillmailWriter, database: Database) -> GraphQL:
    """Return a client of an API with kills of the last hour."""
    now = datetime.now(UTC).replace(microsecond=0)
    await store(
        writer, database, *(arrival(number, now - timedelta(minutes=number), attackers=2) for number in range(1, 9))
    )
    await name_everybody(database)
    return api


@pytest.mark.parametrize("title", QUERIES)
async def test_an_example_is_answered_without_an_error(filled: GraphQL, title: str) -> None:
    data = await filled.data(QUERIES[title])

    assert all(data.values()), data


async def test_the_examples_show_something(filled: GraphQL) -> None:
    kill = (await filled.data(QUERIES["One kill: its fitting, as EFT text too"]))["killmails"]["nodes"][0]
    assert kill["eft"].startswith("[Rifter, ")
    pilot = (await filled.data(QUERIES["A pilot: statistics and top lists"]))["killmails"]["nodes"][0]["finalBlow"]
    assert pilot["character"]["statistics"]["totals"]["kills"] == 8
    leaders = (await filled.data(QUERIES["Who leads in a region"]))["leaderboard"]["places"]
    assert len(leaders) == 1
    found = (await filled.data(QUERIES["Search everything that has a name"]))["search"]
    assert (found[0]["name"], found[0]["match"]) == ("Rifter", "EXACT")


async def test_the_filter_of_the_examples_leaves_out_what_it_says(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    megathron, capsule = 641, 670
    await store(
        writer,
        database,
        arrival(1, ship_type_id=megathron, attackers=1),
        arrival(2, ship_type_id=megathron, attackers=2),
        arrival(3, ship_type_id=capsule, attackers=1),
        arrival(4, attackers=1),
    )

    data = await api.data(QUERIES["Kills by a filter with and, or, not"])

    assert [node["id"] for node in data["killmails"]["nodes"]] == [1]


async def test_the_live_example_gets_a_kill(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    async with api.subscription(LIVE) as ws:
        await store(writer, database, arrival(7, ship_type_id=641))
        message: dict[str, Any] = await ws.receive_json(timeout=20)
    assert message["payload"]["data"]["killmails"]["id"] == 7


async def test_the_explorer_may_subscribe_where_other_origins_may_not(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, api_allowed_origins="https://good.example") as api:
        address = f"{api.address}/graphql"
        own = f"http://127.0.0.1:{settings.api_port}"
        async with api.session.ws_connect(address, protocols=["graphql-transport-ws"], origin=own) as ws:
            await ws.send_json({"type": "connection_init"})
            assert (await ws.receive_json(timeout=10))["type"] == "connection_ack"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await api.session.ws_connect(address, protocols=["graphql-transport-ws"], origin="http://127.0.0.1:1")
