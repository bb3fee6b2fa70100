"""WebSockets that end while answers are on their way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import pytest

from killreport.answering import Answering
from killreport.api.door.guard.gate import Gate
from killreport.api.door.websocket import INIT_TIMEOUT
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import NOON, arrival, store

EVERY = "subscription { killmailStored { id } }"
NONE = "subscription { killmails(filter: {character: [1]}) { id } }"
SCOPE = {
    "type": "websocket",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "path": "/graphql",
    "raw_path": b"/graphql",
    "query_string": b"",
    "headers": [(b"host", b"x")],
    "subprotocols": ["graphql-transport-ws"],
    "client": ("192.0.2.7", 1),
    "server": ("x", 80),
    "scheme": "ws",
}


def subscribe(number: int, query: str) -> dict[str, str]:
    message = {"type": "subscribe", "id": str(number), "payload": {"query": query}}
    return {"type": "websocket.receive", "text": json.dumps(message)}


async def test_whoever_goes_while_an_event_is_sent_leaves_nothing_behind(
    api: Answering, database: Database, writer: KillmailWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first operation fails with the connection; those after it must end all the same."""
    before = asyncio.all_tasks()
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    begun, failed = asyncio.Event(), asyncio.Event()

    async def send(message: MutableMapping[str, Any]) -> None:
        if '"type":"pong"' in (message.get("text") or ""):
            begun.set()
        if '"type":"next"' in (message.get("text") or ""):
            failed.set()
            raise OSError("gone")

    heard.put_nowait({"type": "websocket.connect"})
    heard.put_nowait({"type": "websocket.receive", "text": '{"type":"connection_init"}'})
    for number, query in enumerate([EVERY, NONE, NONE]):
        heard.put_nowait(subscribe(number, query))
    heard.put_nowait({"type": "websocket.receive", "text": '{"type":"ping"}'})
    serving = asyncio.create_task(api(dict(SCOPE), heard.get, send))
    hub = api.state.context.live
    async with asyncio.timeout(30):
        await begun.wait()
        assert hub.subscriber_count == 3
        await store(writer, database, arrival(9_001, NOON))
        await failed.wait()
        heard.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await serving
    left = asyncio.all_tasks() - before
    assert not [task for task in left if "_tell" in repr(task) or "subscribe" in repr(task)]
    assert "failed" not in capsys.readouterr().out


async def test_something_of_ours_that_takes_too_long_is_not_said_to_be_a_late_connection_init(
    api: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_too_long(*_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(Gate, "take", take_too_long)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    heard.put_nowait({"type": "websocket.connect"})
    heard.put_nowait({"type": "websocket.receive", "text": '{"type":"connection_init"}'})
    heard.put_nowait(subscribe(1, EVERY))
    async with asyncio.timeout(30):
        with suppress(TimeoutError):
            await api(dict(SCOPE), heard.get, send)

    assert sent[1]["text"] == '{"type":"connection_ack"}'
    assert [message for message in sent if message.get("code") == INIT_TIMEOUT] == []
