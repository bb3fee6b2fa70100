"""What documents, variables, questions for the schema and events take out of a stranger's bucket, however they come."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from graphql import get_introspection_query

from killreport.api.door.guard.weight import weigh
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.guarding import guarded, post
from tests.integration.kills import arrival, store
from tests.integration.serving import GraphQL
from tests.security.documents import SHAPES

# The bucket as good as never gains anything, so what is left tells what was taken.
STRANGER = {"api_unlimited_networks": "", "api_rate_burst": 10_000, "api_rate_per_second": 0.01}
VALID = SHAPES["a long list"](1_000)
INVALID = SHAPES["unknown arguments"](1_000)
LEFT = re.compile(r"r=(\d+)")


def left(headers: Mapping[str, str]) -> int:
    """Return what is left in the bucket."""
    found = LEFT.search(headers["RateLimit"])
    assert found is not None
    return int(found[1])


async def spent(api: GraphQL, body: Any) -> int:
    """Return what a request takes, beside what the two that look at the bucket take."""
    before = left((await post(api, {"query": "{ __typename }"}))[1])
    await post(api, body)
    return before - left((await post(api, {"query": "{ __typename }"}))[1]) - 1


async def spent_by_event_stream(api: GraphQL, body: Any) -> int:
    """Return what a request over an event stream takes."""
    before = left((await post(api, {"query": "{ __typename }"}))[1])
    await post(api, body, {"Accept": "text/event-stream"})
    return before - left((await post(api, {"query": "{ __typename }"}))[1]) - 1


async def spent_by_address(api: GraphQL, query: str) -> int:
    """Return what a request by GET takes."""
    before = left((await post(api, {"query": "{ __typename }"}))[1])
    async with api.session.get(f"{api.address}/graphql", params={"query": query}) as response:
        await response.read()
    return before - left((await post(api, {"query": "{ __typename }"}))[1]) - 1


async def spent_by_socket(api: GraphQL, query: str) -> int:
    """Return what an operation over WebSocket takes."""
    before = left((await post(api, {"query": "{ __typename }"}))[1])
    async with api.subscription("subscription { killmailStored { id } }") as ws:
        await ws.send_json({"type": "subscribe", "id": "2", "payload": {"query": query}})
        while (await ws.receive_json(timeout=20)).get("id") != "2":
            pass
    return before - left((await post(api, {"query": "{ __typename }"}))[1]) - 3


@pytest.mark.parametrize("text", [VALID, INVALID], ids=["valid", "refused"])
async def test_a_document_is_paid_for_once_it_is_read(settings: Settings, database: Database, text: str) -> None:
    price = weigh(text).price
    assert price > 450
    async with guarded(settings, database, **STRANGER) as api:
        once, again = [await spent(api, {"query": text}) for _ in range(2)]
        assert once >= price
        assert once - again == (price if text is VALID else 0), "what is remembered is read no more"


@pytest.mark.parametrize("how", ["GET", "event stream", "socket", "list", "hash"])
async def test_a_refused_document_is_paid_for_however_it_comes(
    settings: Settings, database: Database, how: str
) -> None:
    price = weigh(INVALID).price
    async with guarded(settings, database, **STRANGER) as api:
        if how == "GET":
            taken = await spent_by_address(api, INVALID)
        elif how == "event stream":
            taken = await spent_by_event_stream(api, {"query": INVALID})
        elif how == "socket":
            taken = await spent_by_socket(api, INVALID)
        elif how == "list":
            taken, price = await spent(api, [{"query": INVALID}] * 3), 3 * price
        else:
            sha = hashlib.sha256(INVALID.encode()).hexdigest()
            persisted = {"persistedQuery": {"version": 1, "sha256Hash": sha}}
            taken = await spent(api, {"query": INVALID, "extensions": persisted})
        assert price <= taken <= price + 30


async def test_who_cannot_pay_for_a_document_has_none_read(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, **{**STRANGER, "api_rate_burst": 400}) as api:
        status, headers, body = await post(api, {"query": INVALID})
        assert status == 429
        assert json.loads(body)["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert left(headers) == 399
        assert (await post(api, [{"query": INVALID}]))[0] == 429
        assert (await post(api, {"query": "{ __typename }"}))[0] == 200


async def test_large_variables_are_paid_for_before_they_are_read(settings: Settings, database: Database) -> None:
    query = "query ($a: [Int!]!) { types(ids: $a) { id } }"
    async with guarded(settings, database, **STRANGER) as api:
        assert await spent(api, {"query": query, "variables": {"a": ["x" * 20] * 2_900}}) > 1_000
        status, _, body = await post(api, {"query": query, "variables": {"a": [[1]] * 1_500}})
        error = json.loads(body)["errors"][0]
        assert (status, error["extensions"]["code"]) == (200, "QUERY_TOO_LARGE")
        assert error["message"].startswith("The variables of a request may have 3000 values in them")


async def test_a_number_costs_what_it_is_read_as(settings: Settings, database: Database) -> None:
    query = "query ($n: Int!) { killmails(first: $n) { nodes { items { type { id } } } } }"
    async with guarded(settings, database, **{**STRANGER, "api_max_cost": 5_000}) as api:
        for number in (200, 200.0):
            _, _, body = await post(api, {"query": query, "variables": {"n": number}})
            assert json.loads(body)["errors"][0]["extensions"]["value"] == 1 + 200 * (1 + 20 * 2)


async def test_the_schema_is_open_to_everybody_and_kept(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, **{**STRANGER, "api_rate_burst": 1_000}) as api:
        query = {"query": get_introspection_query(), "operationName": "IntrospectionQuery"}
        _, _, first = await post(api, query)
        assert json.loads(first)["data"]["__schema"]["queryType"]["name"] == "Query"
        assert await spent(api, query) == 1
        assert (await post(api, query))[2] == first
        assert json.loads((await post(api, query, {"Cookie": "a=b"}))[2]) == json.loads(first)


async def test_other_questions_for_the_schema_cost_what_they_return(settings: Settings, database: Database) -> None:
    aliases = " ".join(f"t{number}: types {{ name description fields {{ name }} }}" for number in range(90))
    async with guarded(settings, database, **STRANGER) as api:
        _, _, body = await post(api, {"query": f"{{ __schema {{ {aliases} }} }}"})
        assert json.loads(body)["errors"][0]["extensions"]["code"] == "QUERY_TOO_COSTLY"
        cheap = "{ __schema { a: types { name } } }"
        types = json.loads((await post(api, {"query": cheap}))[2])["data"]["__schema"]["a"]
        assert await spent(api, {"query": cheap}) == 1 + len(types)


EVENT = "subscription { killmailStored { id eft items { type { id } } } }"
PER_EVENT = 1 + 20 + 20 * 2


@pytest.mark.parametrize("transport", ["socket", "event stream"])
async def test_every_event_of_a_subscription_is_paid_for(
    settings: Settings, database: Database, writer: KillmailWriter, transport: str
) -> None:
    # The subscription itself, and three events.
    limits = {**STRANGER, "api_rate_burst": 4 * PER_EVENT + 10}
    async with guarded(settings, database, **limits) as api:
        if transport == "socket":
            async with api.subscription(EVENT) as ws:
                await store(writer, database, *(arrival(5_000 + number) for number in range(6)))
                said = [(await ws.receive_json(timeout=20)).get("payload") for _ in range(4)]
        else:
            body = {"query": EVENT}
            async with api.session.post(
                f"{api.address}/graphql", json=body, headers={"Accept": "text/event-stream"}
            ) as response:
                await response.content.readuntil(b":\n\n")
                await store(writer, database, *(arrival(5_000 + number) for number in range(6)))
                said = await _events(response)
        assert ["data" in (payload or {}) for payload in said] == [True, True, True, False]
        error = (said[3] or {})["errors"][0]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["message"].startswith(f"This costs {PER_EVENT}, and your bucket holds ")


async def _events(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    text = (await response.content.read()).decode()
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
