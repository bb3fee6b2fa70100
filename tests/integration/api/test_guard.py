"""Costs, rates, time-outs and origins, as a client meets them."""

from __future__ import annotations

import asyncio
import json

from killreport.config import Settings
from killreport.db.database import Database
from tests.integration.api.guarding import FOLLOW, PAGE, guarded, post
from tests.integration.serving import GraphQL

LIMITED = {"api_unlimited_networks": "", "api_rate_burst": 100, "api_rate_per_second": 0.01}


async def test_a_request_that_costs_too_much_runs_nothing_and_is_told_how_to_cost_less(
    settings: Settings, database: Database
) -> None:
    async with guarded(settings, database, api_max_cost=100) as api:
        error = await api.error("{ killmails(first: 200) { nodes { id } } }")
        assert error["message"].startswith("A request may cost 100; this one would cost 201. Ask for smaller pages")
        assert error["extensions"] == {"code": "QUERY_TOO_COSTLY", "limit": 100, "value": 201}
        async with api.subscription(FOLLOW) as ws:
            query = {"query": "{ killmails(first: 200) { nodes { id } } }"}
            await ws.send_json({"type": "subscribe", "id": "2", "payload": query})
            answer = await ws.receive_json(timeout=20)
            assert answer["payload"][0]["extensions"]["code"] == "QUERY_TOO_COSTLY"


async def test_the_cost_is_shown_to_who_asks_for_it(api: GraphQL) -> None:
    _, _, body = await post(api, {"query": PAGE}, {"X-Show-Cost": "1"})
    assert json.loads(body)["extensions"] == {"cost": {"cost": 11, "limit": 20_000, "left": None}}


async def test_several_operations_in_one_request_are_answered_in_order_and_priced_together(
    settings: Settings, database: Database
) -> None:
    async with guarded(settings, database, api_max_cost=30) as api:
        status, _, body = await post(api, [{"query": PAGE}, {"query": "{ nonsense }"}, {"query": "{ __typename }"}])
        first, second, third = json.loads(body)
        assert status == 200
        assert first == {"data": {"killmails": {"nodes": []}}}
        assert second["errors"][0]["message"].startswith("Cannot query field")
        assert third == {"data": {"__typename": "Query"}}
        _, _, body = await post(api, [{"query": PAGE}] * 3)
        assert json.loads(body)["errors"][0]["extensions"] == {"code": "QUERY_TOO_COSTLY", "limit": 30, "value": 33}
        status, _, body = await post(api, [{"query": "{ __typename }"}] * 11)
        assert (status, json.loads(body)["errors"][0]["extensions"]["code"]) == (400, "QUERY_TOO_LARGE")


async def test_a_client_that_spent_its_bucket_waits_and_others_do_not(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, **LIMITED, trusted_proxies="127.0.0.1") as api:
        one, other = {"X-Forwarded-For": "1.1.1.1"}, {"X-Forwarded-For": "2.2.2.2"}
        query = {"query": "{ killmails(first: 59) { nodes { id } } }"}
        status, headers, _ = await post(api, query, one)
        assert status == 200
        assert headers["RateLimit-Policy"] == '"cost";q=100;w=10000'
        assert headers["RateLimit"] == '"cost";r=40;t=6000'
        different = {"query": "{ killmails(first: 60) { nodes { id } } }"}
        status, headers, body = await post(api, different, one)
        error = json.loads(body)["errors"][0]
        assert status == 429
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert int(headers["Retry-After"]) == error["extensions"]["retryAfter"] > 1000
        assert (await post(api, different, other))[0] == 200


async def test_a_found_answer_costs_next_to_nothing(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, **LIMITED, api_cache_bytes=2**24) as api:
        query = {"query": "{ killmails(first: 89) { nodes { id } } }"}
        left = [(await post(api, query))[1]["RateLimit"] for _ in range(3)]
        assert left == ['"cost";r=10;t=9000', '"cost";r=9;t=9100', '"cost";r=8;t=9200']


async def test_an_empty_bucket_refuses_before_anything_is_read(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, **{**LIMITED, "api_rate_burst": 1}) as api:
        assert (await post(api, {"query": "{ __typename }"}))[0] == 200
        assert (await post(api, {"nonsense": 1}))[0] == 429
        async with api.session.post(f"{api.address}/graphql", data=b"{", headers=JSON) as response:
            assert response.status == 429


JSON = {"Content-Type": "application/json"}


async def test_a_query_that_takes_too_long_is_ended(settings: Settings, database: Database) -> None:
    async with database.transaction() as connection, guarded(settings, database, api_timeout_seconds=0.3) as api:
        await connection.execute("lock table killmail in access exclusive mode")
        status, _, body = await post(api, {"query": PAGE})
        error = json.loads(body)["errors"][0]
        assert status == 503
        assert error["message"] == "The query did not finish in 0.3 s. Ask for less at once."
        assert error["extensions"] == {"code": "TIMEOUT"}
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        # The connection is ended with the query, and the server looks every five seconds whether anybody still listens.
        async with database.connection() as other, asyncio.timeout(30):
            while await other.fetchval(waiting):
                await other.execute("select pg_sleep(0.1)")


async def _raw(api: GraphQL, request: bytes) -> bytes:
    """Return everything the server says to these bytes until it closes."""
    host, _, port = api.address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()


async def test_a_body_that_does_not_arrive_in_time_is_cut_off(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, api_body_seconds=0.2) as api:
        request = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        said = await _raw(api, request)
        assert said.startswith(b"HTTP/1.1 408")
        assert b"The body did not arrive in 0.2 s." in said


async def test_pages_of_every_origin_may_read_and_none_may_send_cookies(api: GraphQL) -> None:
    asked = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    async with api.session.options(f"{api.address}/graphql", headers=asked) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Credentials" not in response.headers
    _, headers, _ = await post(api, {"query": PAGE}, {"Origin": "https://example.org"})
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "ratelimit" in headers["Access-Control-Expose-Headers"]


async def test_only_pages_of_the_named_origins_may_read(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, api_allowed_origins="https://good.example") as api:
        _, headers, _ = await post(api, {"query": PAGE}, {"Origin": "https://good.example"})
        assert headers["Access-Control-Allow-Origin"] == "https://good.example"
        _, headers, _ = await post(api, {"query": PAGE}, {"Origin": "https://bad.example"})
        assert "Access-Control-Allow-Origin" not in headers
        address = f"{api.address}/graphql"
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        upgrade |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "graphql-transport-ws"}
        async with api.session.get(address, headers={**upgrade, "Origin": "https://bad.example"}) as response:
            assert response.status == 403


async def test_introspection_and_explorer_can_be_hidden(settings: Settings, database: Database) -> None:
    html = {"Accept": "text/html"}
    async with guarded(settings, database, api_introspection=False) as api:
        error = await api.error("{ __schema { queryType { name } } }")
        assert "introspection" in error["message"].lower()
        for path, status in (("/graphql", 200), ("/schema.graphql", 404)):
            async with api.session.get(api.address + path, headers=html) as response:
                assert response.status == status
    async with guarded(settings, database, api_explorer=False) as api:
        assert (await api.data("{ __schema { queryType { name } } }"))["__schema"]
        for path, status in (("/graphql", 405), ("/explorer/explorer.js", 404)):
            async with api.session.get(api.address + path, headers=html) as response:
                assert response.status == status
