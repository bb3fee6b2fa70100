"""Live killmails that pass a filter, over WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.api.engine.run import Run
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.recording import RecordingDatabase
from tests.integration.kills import DAMAGE_CONTROL, KILLER, PILOT, arrival, store
from tests.integration.serving import GraphQL, serving

FOLLOW = "subscription($filter: KillmailFilter) { killmails(filter: $filter) { id } }"
BOTH = """subscription($filter: KillmailFilter, $first: Int!) {
  killmails(filter: $filter) { id attackersPage(first: $first) { nodes { ordinal } } }
}"""


@pytest.fixture
def recording(database: Database) -> RecordingDatabase:
    """Return the test's database, noting statements."""
    return RecordingDatabase(database)


@pytest.fixture
async def api(settings: Settings, recording: RecordingDatabase) -> AsyncIterator[GraphQL]:
    """Yield a client of an API whose statements are noted."""
    async with serving(create_app(settings, recording)) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)


async def test_a_killmail_is_worked_out_once_for_all_who_follow_the_same(
    api: GraphQL, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def together(run: Run) -> object:
        runs.append(run)
        return run_together(run)

    run_together = Run.together
    async with AsyncExitStack() as stack:
        # Different filters, and clients that know nothing of each other.
        followers = [
            await stack.enter_async_context(api.subscription(FOLLOW, {"filter": {"valueMin": number}}))
            for number in range(5)
        ]
        monkeypatch.setattr(Run, "together", together)
        await store(writer, database, arrival(1), arrival(2))
        for follower in followers:
            assert sorted(await received(follower, 2)) == [1, 2]
    assert len(runs) == 2


async def received(ws: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
    """Return the ids of the next messages."""
    found = []
    for _ in range(count):
        message = await ws.receive_json(timeout=20)
        assert message["type"] == "next"
        found.append(message["payload"]["data"]["killmails"]["id"])
    return found


async def test_each_subscriber_gets_what_passes_its_own_filter(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    expected: list[tuple[dict[str, Any] | None, list[int]]] = [
        (None, [1, 2, 3, 9]),
        ({}, [1, 2, 3, 9]),
        ({"victimCharacter": [PILOT]}, [1, 9]),
        ({"attackerCharacter": [KILLER + 1]}, [2, 9]),
        ({"itemFitted": [DAMAGE_CONTROL], "not": {"victimCharacter": [PILOT]}}, [2, 3]),
    ]
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(api.subscription(FOLLOW, {"filter": one})) for one, _ in expected]
        await store(writer, database, arrival(1))
        await store(
            writer, database, arrival(2, attackers=2, character_id=PILOT + 1), arrival(3, character_id=PILOT + 2)
        )
        await store(writer, database, arrival(9, attackers=2, items=[]))
        for ws, (_, ids) in zip(sockets, expected, strict=True):
            # The last that is expected was stored last or next to it: nothing else came before it.
            assert await received(ws, len(ids)) == ids


async def test_a_bad_filter_is_answered_with_its_path(api: GraphQL) -> None:
    async with api.subscription(FOLLOW) as ws:
        payload = {"query": FOLLOW, "variables": {"filter": {"and": [{"valueMin": -1}]}}}
        await ws.send_json({"type": "subscribe", "id": "2", "payload": payload})
        message = await ws.receive_json(timeout=20)
    assert (message["type"], message["id"]) == ("error", "2")
    (error,) = message["payload"]
    assert error["message"].startswith("`filter.and[0].valueMin`: an amount from 0 to ")
    assert error["extensions"]["code"] == "BAD_REQUEST"


async def test_a_filter_is_asked_once_a_killmail_however_many_share_it(
    api: GraphQL, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    matches = KillmailFilter.matches

    def note(self: KillmailFilter, facts: Any) -> bool:
        asked.append(facts.killmail.killmail_id)
        return matches(self, facts)

    monkeypatch.setattr(KillmailFilter, "matches", note)
    same = ({"victimCharacter": [PILOT], "solo": True}, {"solo": True, "and": [{"victimCharacter": [PILOT, PILOT]}]})
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(api.subscription(FOLLOW, {"filter": one})) for one in same * 3]
        await store(writer, database, arrival(1), arrival(2))
        for ws in sockets:
            assert sorted(await received(ws, 2)) == [1, 2]
    assert sorted(asked) == [1, 2]


async def test_attackers_and_items_are_loaded_only_where_a_live_filter_needs_them(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    async def tables(*filters: dict[str, Any]) -> list[str]:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(api.subscription(FOLLOW, {"filter": one})) for one in filters]
            recording.statements.clear()
            tables.number += 1  # type: ignore[attr-defined]
            await store(writer, database, arrival(tables.number))  # type: ignore[attr-defined]
            for ws in sockets:
                await received(ws, 1)
            texts = [statement for statement, _ in recording.statements]
        return [column for text in texts for column in ("attackers", "items") if f", {column} from killmail " in text]

    tables.number = 100  # type: ignore[attr-defined]
    assert await tables({"solo": True}, {"valueMin": 0}) == []
    assert await tables({"attackerCharacter": [KILLER]}, {"character": [KILLER]}, {"solo": True}) == ["attackers"]
    assert await tables({"item": [DAMAGE_CONTROL]}, {"or": [{"weapon": [587]}, {"solo": True}]}) == [
        "attackers",
        "items",
    ]


async def test_what_hangs_on_a_variable_is_not_shared(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    async with (
        api.subscription(BOTH, {"filter": {}, "first": 1}) as one,
        api.subscription(BOTH, {"filter": {}, "first": 2}) as other,
    ):
        await store(writer, database, arrival(1, attackers=3))
        for ws, count in ((one, 1), (other, 2)):
            killmail = (await ws.receive_json(timeout=20))["payload"]["data"]["killmails"]
            assert killmail["attackersPage"] == {"nodes": [{"ordinal": number} for number in range(count)]}
