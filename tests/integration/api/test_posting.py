"""Posting a killmail, over HTTP, against simulated hosts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.api.killmail import mutations
from killreport.api.state import posting
from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.load import keep_packaged_universe
from killreport.sim.server import run_simulator
from killreport.sim.world.journal import FIRST_SEQUENCE
from tests.integration.serving import GraphQL, serving

POST = """mutation($id: ID64, $hash: String, $link: String) {
  postKillmail(id: $id, hash: $hash, link: $link) { isNew killmail { id hash attackers { ordinal } } }
}"""

POST_ALL = """mutation($text: String!) {
  postKillmails(text: $text) { link killmailId posted { isNew killmail { id } } problem { code message } }
}"""


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[str]:
    """Yield the URL of a silent simulator."""
    async with run_simulator(tmp_path / "sim", universe=keep_packaged_universe()) as url:
        yield url


@pytest.fixture
async def package(simulator: str) -> dict[str, Any]:
    """Return what the feed says of a published killmail."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{simulator}/control/publish", json={"count": 1}) as response:
            head = (await response.json())["head"]
        assert head >= FIRST_SEQUENCE
        async with session.get(f"{simulator}/ephemeral/{head}.json") as response:
            found: dict[str, Any] = await response.json()
    return found


@pytest.fixture
async def api(
    settings: Settings, database: Database, simulator: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GraphQL]:
    """Yield a client of an API whose outside hosts are the simulator."""
    monkeypatch.setattr(posting, "POSTS_PER_SECOND", 1000.0)
    monkeypatch.setattr(posting, "ZKILLBOARD_PER_SECOND", 1000.0)
    outside = settings.replace(esi_url=simulator, zkillboard_url=simulator, esi_requests_per_second=1000.0)
    async with serving(create_app(outside, database)) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)


async def test_a_posted_killmail_is_stored_once_with_all_that_follows_and_told(
    api: GraphQL, package: dict[str, Any], database: Database
) -> None:
    named = {"id": package["killmail_id"], "hash": package["hash"].upper()}
    async with api.subscription("subscription { killmails { id } }") as ws:
        posted = (await api.data(POST, named))["postKillmail"]
        message = await ws.receive_json(timeout=20)
    assert message["payload"]["data"]["killmails"]["id"] == package["killmail_id"]
    assert posted["isNew"] is True
    assert posted["killmail"]["hash"] == package["hash"]
    assert len(posted["killmail"]["attackers"]) == len(package["esi"]["attackers"])
    again = (await api.data(POST, named))["postKillmail"]
    assert again == {**posted, "isNew": False}
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from killmail") == 1
        assert await connection.fetchval("select count(*) from refresh_ledger") > 0


async def test_a_posted_killmail_of_long_ago_is_history(
    settings: Settings, database: Database, simulator: str, package: dict[str, Any]
) -> None:
    outside = settings.replace(
        esi_url=simulator, zkillboard_url=simulator, esi_requests_per_second=1000.0, history_after_hours=0
    )
    async with serving(create_app(outside, database)) as address, aiohttp.ClientSession() as session:
        named = {"id": package["killmail_id"], "hash": package["hash"]}
        assert (await GraphQL(session, address).data(POST, named))["postKillmail"]["isNew"] is True
    async with database.connection() as connection:
        assert [row[0] for row in await connection.fetch("select kind from event")] == ["history"]


@pytest.mark.parametrize(
    "link",
    [
        "https://esi.evetech.net/killmails/{id}/{hash}/",
        "https://esi.evetech.net/latest/killmails/{id}/{hash}/?datasource=tranquility",
        "https://zkillboard.com/kill/{id}/",
        "<url=killReport:{id}:{hash}>Kill: Bob (Rifter)</url>",
    ],
)
async def test_a_link_names_a_killmail_too(api: GraphQL, package: dict[str, Any], link: str) -> None:
    named = link.format(id=package["killmail_id"], hash=package["hash"])
    posted = (await api.data(POST, {"link": named}))["postKillmail"]
    assert (posted["isNew"], posted["killmail"]["id"]) == (True, package["killmail_id"])


async def test_each_link_of_a_text_has_a_result_of_its_own(
    api: GraphQL, package: dict[str, Any], database: Database
) -> None:
    killmail_id, hash_text = package["killmail_id"], package["hash"]
    text = f"""Bob > <url=killReport:{killmail_id}:{hash_text}>Kill: Alice (Rifter)</url>
    and killReport:{killmail_id + 1}:{hash_text}, https://zkillboard.com/kill/77/ https://example.org/kill/1/"""
    results = (await api.data(POST_ALL, {"text": text}))["postKillmails"]
    assert [
        (row["killmailId"], (row["posted"] or {}).get("isNew"), (row["problem"] or {}).get("code")) for row in results
    ] == [
        (killmail_id, True, None),
        (killmail_id + 1, None, "NOT_FOUND"),
        (77, None, "NOT_FOUND"),
        (None, None, "BAD_REQUEST"),
    ]
    assert results[0]["posted"]["killmail"]["id"] == killmail_id
    assert results[1]["problem"]["message"] == f"ESI has no killmail {killmail_id + 1} with this hash."
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from killmail") == 1


async def test_a_text_without_a_link_or_with_too_many_is_refused(api: GraphQL, database: Database) -> None:
    many = " ".join(f"https://zkillboard.com/kill/{number}/" for number in range(1, 22))
    for text, message in (
        ("hello", "`text`: there is no link in it."),
        ("x" * 20_001, "`text`: the text has more than 20,000 characters."),
        (many, "`text`: it has 21 links; at most 20 are taken at once."),
    ):
        error = await api.error(POST_ALL, {"text": text})
        assert (error["extensions"]["code"], error["message"]) == ("BAD_REQUEST", message)


async def test_what_there_was_no_time_for_says_so(
    api: GraphQL, package: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutations, "PASTE_SECONDS", 0.0)
    text = f"killReport:{package['killmail_id']}:{package['hash']}"
    (result,) = (await api.data(POST_ALL, {"text": text}))["postKillmails"]
    assert (result["posted"], result["problem"]["code"]) == (None, "UNAVAILABLE")


async def test_what_cannot_be_posted_is_refused_with_the_reason(
    api: GraphQL, package: dict[str, Any], database: Database
) -> None:
    killmail_id, other = package["killmail_id"], "0" * 40
    for variables, code, message in (
        ({}, "BAD_REQUEST", "Give `id` and `hash`, or `link`."),
        ({"id": 5}, "BAD_REQUEST", "Give `id` and `hash`, or `link`."),
        ({"id": 5, "link": "x"}, "BAD_REQUEST", "Give `id` and `hash`, or `link`, not both."),
        ({"id": 0, "hash": other}, "BAD_REQUEST", "`id` must be at least 1, not 0."),
        ({"id": 5, "hash": "xyz"}, "BAD_REQUEST", "`hash`: the hash 'xyz' is not 40 hexadecimal digits."),
        ({"link": "https://example.org/kill/1/"}, "BAD_REQUEST", "`link`: a link to a killmail on esi.evetech.net or "),
        ({"id": killmail_id, "hash": other}, "NOT_FOUND", f"ESI has no killmail {killmail_id} with this hash."),
        ({"link": "https://zkillboard.com/kill/77/"}, "NOT_FOUND", "zKillboard has no killmail 77."),
    ):
        error = await api.error(POST, variables)
        assert error["extensions"]["code"] == code, error
        assert error["message"].startswith(message)
    await api.data(POST, {"id": killmail_id, "hash": package["hash"]})
    error = await api.error(POST, {"id": killmail_id, "hash": other})
    assert (error["extensions"]["code"], error["message"]) == (
        "REFUSED",
        f"The hash is not that of killmail {killmail_id}.",
    )
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from quarantine") == 0


async def test_a_body_that_does_not_have_the_hash_it_was_asked_by_is_not_stored(
    api: GraphQL, package: dict[str, Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "killmail_hash", lambda _mail: bytes(20))
    error = await api.error(POST, {"id": package["killmail_id"], "hash": package["hash"]})
    assert error["message"] == f"The hash is not that of killmail {package['killmail_id']}."
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from killmail") == 0


async def test_hosts_that_do_not_answer_in_time_are_told(
    api: GraphQL, package: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "PATIENCE_SECONDS", 0.0)
    error = await api.error(POST, {"id": package["killmail_id"], "hash": package["hash"]})
    assert error["extensions"]["code"] == "UNAVAILABLE"
    assert error["message"] == f"Killmail {package['killmail_id']} was not to be had in 0 s."


async def test_the_schema_says_what_right_a_mutation_needs(api: GraphQL) -> None:
    data = await api.data("{ __schema { directives { name args { name } } } }")
    assert {"name": "right", "args": [{"name": "is"}]} in data["__schema"]["directives"]


@pytest.mark.parametrize("door", ["rest", "graphql"])
async def test_a_stranger_who_guesses_keeps_nobody_else_from_posting(
    settings: Settings, database: Database, simulator: str, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    monkeypatch.setattr(posting, "POSTS_PER_SECOND", 0.4)
    strict = settings.replace(
        esi_url=simulator, zkillboard_url=simulator, api_unlimited_networks="", trusted_proxies="127.0.0.1"
    )
    async with serving(create_app(strict, database)) as address, aiohttp.ClientSession() as session:

        async def post(number: int, whose: str) -> str:
            headers, wrong = {"X-Forwarded-For": whose}, 40 * "a"
            if door == "rest":
                path = f"{address}/api/killmail/add/{number}/{wrong}/"
                async with session.post(path, headers=headers) as response:
                    return str((await response.json())["error"])
            asked = {"query": POST, "variables": {"id": number, "hash": wrong}}
            async with session.post(f"{address}/graphql", json=asked, headers=headers) as response:
                return str((await response.json())["errors"][0]["message"])

        guesses = [asyncio.create_task(post(number, "192.0.2.1")) for number in range(1, 13)]
        waiting = set(guesses)
        while len(waiting) > posting.MAX_OF_A_CLIENT:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        other = await post(99, "192.0.2.2")
        refused = await asyncio.gather(*guesses)

    assert other == "ESI has no killmail 99 with this hash."
    own = f"One client may post {posting.MAX_OF_A_CLIENT} killmails at a time; wait for an answer."
    assert refused.count(own) >= len(guesses) - posting.MAX_OF_A_CLIENT - 1
