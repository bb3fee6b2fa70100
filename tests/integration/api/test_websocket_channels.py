"""`/websocket/`: what zKillboard's clients send and get, and the bounds of a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from killreport.api.rest.channels import read_channel
from killreport.api.rest.sockets import MAX_CHANNELS, MAX_LETTERS, MAX_MISTAKES
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import Malformed
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.guarding import guarded
from tests.integration.kills import (
    ALLIANCE,
    CORPORATION,
    JITA,
    KILLER,
    KILLERS_CORPORATION,
    PILOT,
    RIFTER,
    arrival,
    store,
)
from tests.integration.serving import GraphQL


@asynccontextmanager
async def socket(api: GraphQL, *channels: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Lend a socket that is subscribed to the channels."""
    async with api.session.ws_connect(f"{api.address}/websocket/") as ws:
        for channel in channels:
            await ws.send_json({"action": "sub", "channel": channel})
        await ws.send_json({"action": "ping"})
        assert await ws.receive_json(timeout=20) == {"action": "pong"}
        yield ws


async def test_killstream_has_the_whole_killmail(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    async with socket(api, "killstream") as ws:
        await store(writer, database, arrival(7, attackers=2))
        found = await ws.receive_json(timeout=20)

    assert (found["killmail_id"], found["solar_system_id"], len(found["attackers"])) == (7, JITA, 2)
    assert found["zkb"]["url"].endswith("/kill/7/")
    assert {"hash", "totalValue", "labels", "npc", "solo"} <= found["zkb"].keys()


async def test_a_channel_has_a_few_words_and_says_which_it_is(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    channels = [
        *("all:*", "public", f"character:{PILOT}", f"character:{KILLER + 1}", f"corporation:{KILLERS_CORPORATION}"),
        *(
            f"alliance:{ALLIANCE}",
            f"system:{JITA}",
            "region:10000002",
            f"ship:{RIFTER}",
            "group:25",
            "label:loc:highsec",
        ),
    ]
    others = ["character:1", "alliance:1", "system:30002187", "label:ganked", "total_value:10b+", "none:*"]
    async with socket(api, *channels, *others) as ws:
        await store(writer, database, arrival(7, attackers=2))
        found = [await ws.receive_json(timeout=20) for _ in channels]
        await ws.send_json({"action": "ping"})
        assert await ws.receive_json(timeout=20) == {"action": "pong"}

    assert sorted(message["channel"] for message in found) == sorted(channels)
    message = dict(found[0])
    assert len(message.pop("hash")) == 40
    assert message.pop("url").endswith("/kill/7/")
    del message["channel"]
    assert message == {
        "action": "littlekill",
        "killID": 7,
        "character_id": PILOT,
        "corporation_id": CORPORATION,
        "alliance_id": ALLIANCE,
        "ship_type_id": RIFTER,
        "group_id": 25,
    }


async def test_what_is_ended_is_told_no_more(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    async with socket(api, "killstream", "all:*") as ws:
        await ws.send_json({"action": "unsub", "channel": "killstream"})
        await ws.send_json({"action": "ping"})
        assert await ws.receive_json(timeout=20) == {"action": "pong"}
        await store(writer, database, arrival(7))
        assert (await ws.receive_json(timeout=20))["action"] == "littlekill"


async def test_several_sockets_get_the_same(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    async with socket(api, "killstream") as one, socket(api, "killstream") as other:
        await store(writer, database, arrival(7))
        assert await one.receive_json(timeout=20) == await other.receive_json(timeout=20)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("no json", "a message such as "),
        ("[]", "a message such as "),
        (json.dumps({"action": "dance"}), "one of sub, unsub, ping is needed"),
        (json.dumps({"action": "sub"}), "the name of a channel is needed"),
        (json.dumps({"action": "sub", "channel": "character:0"}), "there is no such channel"),
        (json.dumps({"action": "sub", "channel": "pilot:7"}), "there is no such channel"),
        (json.dumps({"action": "sub", "channel": MAX_LETTERS * "a"}), "a message of at most "),
    ],
)
async def test_a_mistake_is_told_and_the_socket_goes_on(api: GraphQL, message: str, sentence: str) -> None:
    async with socket(api) as ws:
        await ws.send_str(message)
        assert (await ws.receive_json(timeout=20))["error"].startswith(sentence)
        await ws.send_bytes(b"\x00")
        assert (await ws.receive_json(timeout=20))["error"].startswith("a message such as ")
        await ws.send_json({"action": "ping"})
        assert await ws.receive_json(timeout=20) == {"action": "pong"}


async def test_who_sends_nothing_but_mistakes_is_sent_away(api: GraphQL) -> None:
    async with socket(api) as ws:
        for _ in range(MAX_MISTAKES):
            await ws.send_str("no json")
        async for _message in ws:
            pass
        assert ws.close_code == 1008


async def test_a_socket_has_so_many_channels_which_may_be_asked_for_in_one_breath(api: GraphQL) -> None:
    async with socket(api) as ws:
        # Nothing is read meanwhile, as a bot says it in a loop.
        for number in range(1, MAX_CHANNELS + 2):
            await ws.send_json({"action": "sub", "channel": f"character:{number}"})
        answer: dict[str, Any] = await ws.receive_json(timeout=20)
        assert answer["error"].startswith(f"one connection may have {MAX_CHANNELS} channels")


async def test_a_client_has_so_many_sockets_and_a_foreign_page_none(settings: Settings, database: Database) -> None:
    strict = {
        "api_unlimited_networks": "",
        "trusted_proxies": "127.0.0.1",
        "api_allowed_origins": "https://ours.example",
    }
    async with guarded(settings, database, **strict, api_sockets_per_client=1) as api:
        headers = {"X-Forwarded-For": "192.0.2.1"}
        async with api.session.ws_connect(f"{api.address}/websocket/", headers=headers):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await api.session.ws_connect(f"{api.address}/websocket/", headers=headers)
            assert refused.value.status == 429
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await api.session.ws_connect(f"{api.address}/websocket/", headers={"Origin": "https://other.example"})
        assert refused.value.status == 403


async def test_messages_are_paid_for(settings: Settings, database: Database) -> None:
    strict = {"api_unlimited_networks": "", "trusted_proxies": "127.0.0.1", "api_rate_per_second": 0.01}
    async with guarded(settings, database, **strict, api_rate_burst=2) as api:
        headers = {"X-Forwarded-For": "192.0.2.1"}
        async with api.session.ws_connect(f"{api.address}/websocket/", headers=headers) as ws:
            for _ in range(3):
                await ws.send_json({"action": "ping"})
            answers = [await ws.receive_json(timeout=20) for _ in range(3)]
    assert answers[:2] == [{"action": "pong"}] * 2
    assert "your bucket holds" in answers[2]["error"]


def test_a_channel_of_a_label_is_spelt_like_one() -> None:
    assert read_channel("label:isk:1b+") == "label:isk:1b+"
    with pytest.raises(Malformed):
        read_channel("label:" + 41 * "a")


async def test_a_socket_that_closes_while_it_is_told_leaves_the_others_alone(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    async with socket(api, "killstream") as other:
        async with socket(api, "killstream"):
            await store(writer, database, arrival(7))
        assert (await asyncio.wait_for(other.receive_json(), 20))["killmail_id"] == 7
