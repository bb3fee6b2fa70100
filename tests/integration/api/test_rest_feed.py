"""The board's own feed over HTTP, and another board that follows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from killreport.config import Settings
from killreport.db.database import Database, open_pool
from killreport.killmail.mail.label_numbers import pack_labels
from killreport.killmail.stored.event import tell
from killreport.killmail.writing.recount import rebuild_rollups
from killreport.killmail.writing.remove import remove_killmails
from killreport.killmail.writing.store import KillmailWriter
from killreport.workers import redisq
from tests.databases import Databases, with_database_name
from tests.integration.kills import CONTAINER, NOON, TRITANIUM, arrival, attacker, store, store_many
from tests.integration.serving import GraphQL
from tests.integration.workers.lines import watch_log


async def get(api: GraphQL, path: str, **headers: str) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and JSON body."""
    async with api.session.get(f"{api.address}{path}", headers=headers) as response:
        text = await response.text()
        headers_found = {name.lower(): value for name, value in response.headers.items()}
        return response.status, headers_found, json.loads(text) if text else None


async def test_a_board_without_killmails_says_the_first_number_and_has_no_package(api: GraphQL) -> None:
    # 0 is no number to clients that take it for nothing.
    assert (await get(api, "/ephemeral/sequence.json"))[2] == {"sequence": 1}
    status, headers, body = await get(api, "/ephemeral/1.json")

    assert (status, body) == (404, {"error": "1 is not published yet"})
    assert headers["cache-control"] == "no-store"


async def test_a_package_has_the_killmail_as_esi_gives_it_and_never_expires(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(7))

    assert (await get(api, "/ephemeral/sequence.json"))[2] == {"sequence": 1}
    status, headers, package = await get(api, "/ephemeral/1.json")

    assert status == 200
    assert headers["cache-control"] == "public, no-cache"
    assert list(package) == ["killmail_id", "hash", "esi", "zkb", "uploaded_at", "sequence_id"]
    assert (package["killmail_id"], package["sequence_id"]) == (7, 1)
    assert package["esi"]["attackers"] == [attacker()]
    assert package["esi"]["victim"]["position"] == {"x": 1.0, "y": -2.0, "z": 3.5}
    assert package["zkb"]["hash"] == package["hash"]
    assert package["zkb"]["href"].endswith(f"/killmails/7/{package['hash']}/")
    assert (await get(api, "/ephemeral/1.json", **{"If-None-Match": headers["etag"]}))[::2] == (304, None)


async def relabel(database: Database, killmail_id: int) -> None:
    """Change a killmail as a late label does."""
    ganked, _ = pack_labels(["ganked"])
    async with database.transaction() as connection:
        await connection.execute("update killmail set labels = labels | $2 where killmail_id = $1", killmail_id, ganked)
        await rebuild_rollups(connection)
        await tell(connection, [], [killmail_id])


async def test_a_killmail_that_changed_is_rewritten_under_its_number_and_named_by_the_next(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(7), arrival(8))
    tag = (await get(api, "/ephemeral/1.json"))[1]["etag"]
    await relabel(database, 7)

    assert (await get(api, "/ephemeral/sequence.json"))[2] == {"sequence": 2}
    status, _, package = await get(api, "/ephemeral/1.json", **{"If-None-Match": tag})
    assert (status, package["killmail_id"]) == (200, 7)
    assert "ganked" in package["zkb"]["labels"]

    await store(writer, database, arrival(9), arrival(10))
    third, fourth = [(await get(api, f"/ephemeral/{number}.json"))[2] for number in (3, 4)]
    assert (third["killmail_id"], third["sequence_updated"]) == (9, 1)
    assert (fourth["killmail_id"], "sequence_updated" in fourth) == (10, False)


async def test_a_number_may_be_kept_for_a_day_once_nothing_would_name_it_any_more(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(7))
    async with database.connection() as connection:
        await connection.execute("update event set at = now() - interval '8 days'")

    assert (await get(api, "/ephemeral/1.json"))[1]["cache-control"] == "public, max-age=86400"


async def test_the_feed_of_everything_marks_what_is_live_what_is_history_and_what_changed(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(7))
    await store(writer, database, replace(arrival(8), is_from_feed=False))
    await relabel(database, 7)

    async def read(query: str) -> list[tuple[int, int, str]]:
        packages = (await get(api, f"/feed?{query}"))[2]["packages"]
        return [(package["sequence_id"], package["killmail_id"], package["kind"]) for package in packages]

    everything = [(1, 7, "live"), (2, 8, "history"), (3, 7, "changed")]
    assert await read("") == await read("kind=live,history,changed") == everything
    assert await read("kind=changed") == everything[2:]
    assert await read("kind=live,history&after=1") == everything[1:2]
    status, _, body = await get(api, "/feed?kind=dead")
    assert (status, "live, history and changed" in body["error"]) == (400, True)


async def test_every_follower_gets_past_a_killmail_that_was_taken_out(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    assert (await get(api, "/listen.php?queueID=mine&ttw=1"))[2] == {"package": None}
    await store(writer, database, arrival(7), arrival(8))
    await remove_killmails(database, [7], "a test")
    await store(writer, database, arrival(9))

    status, _, package = await get(api, "/ephemeral/1.json")
    assert status == 200
    assert set(package) == {"killmail_id", "removed", "uploaded_at", "sequence_id"}
    assert (await get(api, "/ephemeral/3.json"))[2]["sequence_updated"] == 1
    pages = [(await get(api, f"/feed?limit=1&after={after}"))[2]["packages"] for after in range(4)]
    assert [(page[0]["killmail_id"], page[0]["kind"]) for page in pages] == [
        (7, "removed"), (8, "live"), (7, "removed"), (9, "live"),
    ]  # fmt: skip
    found = [(await get(api, "/listen.php?queueID=mine&ttw=2"))[2]["package"]["killID"] for _ in range(2)]
    assert found == [8, 9]


async def test_a_queue_gets_neither_history_nor_changes(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    assert (await get(api, "/listen.php?queueID=mine&ttw=1"))[2] == {"package": None}
    await store(writer, database, arrival(7))
    await store(writer, database, replace(arrival(8), is_from_feed=False))
    await relabel(database, 7)
    await store(writer, database, arrival(9))

    found = [(await get(api, "/listen.php?queueID=mine&ttw=2"))[2]["package"] for _ in range(3)]
    assert [package and package["killID"] for package in found] == [7, 9, None]


async def test_a_page_of_the_feed_goes_on_where_the_last_one_ended(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 5)

    seen: list[int] = []
    after = ""
    for _ in range(3):
        _, _, page = await get(api, f"/feed?limit=2{after}")
        seen += [package["sequence_id"] for package in page["packages"]]
        after = f"&after={page['next_after']}"
    _, _, last = await get(api, f"/feed?limit=2{after}")

    assert seen == [1, 2, 3, 4, 5]
    assert last == {"packages": [], "next_after": 5}


async def test_a_page_of_the_feed_comes_as_lines_where_lines_are_asked_for(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 3)

    async with api.session.get(f"{api.address}/feed", headers={"Accept": "application/x-ndjson"}) as response:
        lines = (await response.text()).splitlines()

    assert response.content_type == "application/x-ndjson"
    assert [json.loads(line)["killmail_id"] for line in lines] == [1000, 1001, 1002]
    assert response.headers["X-Next-After"] == "3"


async def test_a_page_that_cannot_be_is_refused_with_a_sentence(api: GraphQL) -> None:
    for query in ("after=-1", "after=x", "limit=0", "limit=1001", "after="):
        status, _, body = await get(api, f"/feed?{query}")

        assert status == 400
        assert body["error"].startswith("a whole number from ")


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("/feed?afetr=7", 400, "There is no parameter 'afetr' here, only after, limit, kind, format."),
        ("/feed?limit=1&limit=2", 400, "The parameter limit is given twice."),
        ("/feed?format=yaml", 400, "one of json, ndjson is needed at format"),
        ("/ephemeral/sequence.json?a=1", 400, "There is no parameter 'a' here, there are none."),
        ("/history/totals.json?format=csv", 400, "There is no parameter 'format' here, there are none."),
        ("/feeds/killmails.atom?nonsense=1", 400, "There is no parameter 'nonsense' here, only those of the OpenAPI"),
        ("/listen.php?queueID=q&filter=solo%3Dtrue", 400, "filter is not supported here: "),
        ("/listen.php?queueID=q&esi=y", 400, "esi is not supported here: "),
    ],
)
async def test_what_is_not_known_is_refused_and_never_passed_over(
    api: GraphQL, address: str, status: int, sentence: str
) -> None:
    found, _, body = await get(api, address)

    assert (found, body["error"][: len(sentence)]) == (status, sentence)


@pytest.mark.parametrize(
    ("accept", "status", "media"),
    [
        ("application/json, text/plain, */*", 200, "application/json"),
        ("text/html, image/gif, *; q=.2, */*; q=.2", 200, "application/json"),
        ("application/json;q=0.5, application/x-ndjson", 200, "application/x-ndjson"),
        ("application/xml", 406, "application/json"),
    ],
)
async def test_an_accept_header_is_honoured_or_refused(api: GraphQL, accept: str, status: int, media: str) -> None:
    async with api.session.get(f"{api.address}/feed", headers={"Accept": accept}) as response:
        assert (response.status, response.content_type) == (status, media)
        assert "Accept" in response.headers["Vary"]


async def test_a_queue_gets_what_is_stored_while_it_waits(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1))
    assert (await get(api, "/listen.php?queueID=mine&ttw=1"))[2] == {"package": None}

    waiting = asyncio.create_task(get(api, "/listen.php?queueID=mine&ttw=10"))
    await store(writer, database, arrival(2), arrival(3))
    first = (await waiting)[2]["package"]
    second = (await get(api, "/listen.php?queueID=mine&ttw=10"))[2]["package"]

    assert [first["killID"], second["killID"]] == [2, 3]
    assert list(first) == ["killID", "killmail", "zkb"]


async def test_a_queue_without_a_name_is_refused(api: GraphQL) -> None:
    assert (await get(api, "/listen.php"))[0] == 400


@pytest.fixture
async def other_board(server_url: str, template_database: str, databases: Databases) -> AsyncIterator[Database]:
    """Yield the database of a second, empty board."""
    name = await databases.take(template_database)
    async with open_pool(with_database_name(server_url, name), 5, "test") as database:
        yield database
    await databases.give_back(name)


@asynccontextmanager
async def following(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Run the worker that follows a feed while the block runs."""
    stop = asyncio.Event()
    worker = asyncio.create_task(redisq.run(settings, database, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await worker


FACTS = (
    "select killmail_id, killmail_time, solar_system_id, war_id, moon_id, location_id, victim_character_id, "
    "ship_type_id, damage_taken, position_x, total_value_cents, points, labels from killmail order by 1",
    "select * from attacker order by killmail_id, ordinal",
    "select * from item order by killmail_id, ordinal",
    "select code, day, side, killmail_ids, killmails, isk_cents, points, solo, npc, final_blows from posting "
    "order by code, day, side",
)


async def facts(database: Database) -> list[list[Any]]:
    async with database.connection() as connection:
        return [await connection.fetch(statement) for statement in FACTS]


async def test_our_worker_follows_another_board_when_only_the_host_is_changed(
    api: GraphQL,
    settings: Settings,
    writer: KillmailWriter,
    database: Database,
    other_board: Database,
) -> None:
    content = {"item_type_id": TRITANIUM, "flag": 5, "singleton": 0, "quantity_dropped": 9}
    items = [{"item_type_id": CONTAINER, "flag": 5, "singleton": 0, "quantity_dropped": 1, "items": [content]}]
    await store(writer, database, arrival(5, items=items), arrival(6, attackers=30))
    await store(writer, database, arrival(7))
    await store_many(writer, database, 20)
    await remove_killmails(database, [7], "a test")
    followed = settings.replace(
        r2z2_url=api.address,
        database_url=other_board.url,
        feed_behind=1_000,
        feed_requests_per_second=5_000.0,
        feed_wait_seconds=0.01,
        feed_gap_seconds=0.05,
    )
    with watch_log() as lines:
        async with following(followed, other_board):
            await lines.wait_for("killmail_stored", 22)
            await store(writer, database, arrival(9_000, NOON, items=None, position=None, alliance_id=None))
            await relabel(database, 5)
            await store(writer, database, arrival(9_001))
            await lines.wait_for("killmail_changed")

    theirs, ours = await facts(database), await facts(other_board)
    assert [len(rows) for rows in ours[:3]] == [24, 93, 24]
    for name, expected, found in zip(("killmail", "attacker", "item", "posting"), theirs, ours, strict=True):
        assert [tuple(row) for row in found] == [tuple(row) for row in expected], name
    assert not lines.of("killmail_quarantined")
    assert not lines.of("feed_gap")
