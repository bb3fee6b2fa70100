"""Requests made to hurt: refused or bounded, while others are answered.

KILLREPORT_TEST_CHAOS_ROUNDS above 1 opens 2,000 sockets instead of 200.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from killreport.config import Settings
from killreport.db.database import Database
from tests.integration.api.guarding import FOLLOW, PAGE, guarded, post
from tests.integration.serving import GraphQL

SOCKETS = 2_000 if int(os.environ.get("KILLREPORT_TEST_CHAOS_ROUNDS", "1")) > 1 else 200
# What the process may grow by while it refuses; the largest body alone is 5 MB.
MAX_GROWTH_BYTES = 120 * 2**20


def resident_bytes() -> int:
    """Return how much memory this process holds now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def deep(levels: int) -> str:
    """Return a query of so many levels."""
    inner = "type { id }"
    for _ in range(levels - 3):
        inner = f"items {{ {inner} }}"
    return f"{{ killmail(id: 1) {{ {inner} }} }}"


PARTIES = "shipType { group { category { id } } } weaponType { group { category { id } } } character { id }"
CYCLE = "{ killmail(id: 1) { ...A } } fragment A on Killmail { id ...B } fragment B on Killmail { id ...A }"
ATTACKS = {
    "fifty levels": ({"query": deep(50)}, "QUERY_TOO_LARGE"),
    "ten thousand aliases": (
        {"query": "{" + " ".join(f"a{number}:__typename" for number in range(10_000)) + "}"},
        "PAYLOAD_TOO_LARGE",
    ),
    "five hundred aliases": (
        {"query": "{ killmail(id: 1) {" + " ".join(f"a{number}:id" for number in range(500)) + "} }"},
        "QUERY_TOO_LARGE",
    ),
    "fragments in a circle": ({"query": CYCLE}, "BAD_REQUEST"),
    "five megabytes": ({"query": PAGE, "variables": {"x": "y" * 5_000_000}}, "PAYLOAD_TOO_LARGE"),
    "pages in pages": (
        {"query": "{ killmails(first: 200) { nodes { attackers { " + PARTIES + " } items { type { id } } } } }"},
        "QUERY_TOO_COSTLY",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_hostile_request_is_refused_by_its_code_and_the_next_is_answered(api: GraphQL, name: str) -> None:
    body, code = ATTACKS[name]
    before = resident_bytes()
    for _ in range(5):
        try:
            _, _, said = await post(api, body)
        except aiohttp.ClientConnectionError:
            # The server closes while the client still sends a body that is too long.
            assert code == "PAYLOAD_TOO_LARGE"
            continue
        assert {error["extensions"]["code"] for error in json.loads(said)["errors"]} == {code}
    assert resident_bytes() - before < MAX_GROWTH_BYTES
    assert await api.data("{ __typename }") == {"__typename": "Query"}


async def test_clients_that_send_a_byte_at_a_time_hold_up_nobody(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, api_body_seconds=1.0) as api:
        host, _, port = api.address.removeprefix("http://").partition(":")
        request = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n"
        slow = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
        for _, writer in slow:
            writer.write(request)
        async with asyncio.timeout(20):
            assert await api.data("{ __typename }") == {"__typename": "Query"}
        async with asyncio.timeout(60):
            said = await asyncio.gather(*(reader.read() for reader, _ in slow))
        assert all(answer.startswith(b"HTTP/1.1 408") for answer in said)
        for _, writer in slow:
            writer.close()


@pytest.mark.chaos
async def test_more_sockets_than_there_are_places_are_refused_while_others_are_answered(
    settings: Settings, database: Database
) -> None:
    places = SOCKETS // 2
    limits: dict[str, Any] = {"api_sockets": places, "api_init_seconds": 600}
    async with guarded(settings, database, **limits) as api:
        before = resident_bytes()
        sockets: list[aiohttp.ClientWebSocketResponse] = []
        refused = 0
        for _ in range(SOCKETS):
            try:
                sockets.append(
                    await api.session.ws_connect(f"{api.address}/graphql", protocols=["graphql-transport-ws"])
                )
            except aiohttp.WSServerHandshakeError as error:
                refused += error.status == 503 and error.headers is not None and "Retry-After" in error.headers
        assert (len(sockets), refused) == (places, SOCKETS - places)
        assert resident_bytes() - before < MAX_GROWTH_BYTES + SOCKETS * 150_000
        assert (await post(api, {"query": PAGE}))[0] == 200
        await asyncio.gather(*(socket.close() for socket in sockets))
        async with asyncio.timeout(20), api.subscription(FOLLOW):
            pass
