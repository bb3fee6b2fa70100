"""One host or one route that fails while the others do not, and the counts of what was asked."""

from __future__ import annotations

import time

from tests.integration.sim.conftest import FIRST, Client, Running

SOMEBODY = 2_112_000_001


async def rules(client: Client, *wanted: dict[str, object]) -> None:
    answer = await client.ask("PUT", "/control/rules", json=list(wanted))
    assert answer.status == 200


async def test_one_host_is_down_and_the_others_are_not(client: Client) -> None:
    await client.publish(1)
    await rules(client, {"where": "esi", "error_rate": 1, "statuses": [503], "retry_after": 7})

    down = [await client.get(path) for path in ("/status", "/characters/5", "/universe/types/587/")]

    assert [(answer.status, answer.headers["Retry-After"]) for answer in down] == [(503, "7")] * 3
    for path in (f"/ephemeral/{FIRST}.json", "/api/kills/", "/history/totals.json"):
        assert (await client.get(path)).status == 200
    assert (await client.ask("DELETE", "/control/rules")).body == []
    assert (await client.get("/status")).status == 200


async def test_a_share_of_the_calls_of_a_route_fails(client: Client) -> None:
    await rules(client, {"where": "/characters/*", "error_rate": 0.2})

    statuses = [(await client.get(f"/characters/{SOMEBODY + n}/")).status for n in range(200)]
    others = [(await client.get("/alliances/99005001/")).status for _ in range(20)]

    assert set(statuses) == {200, 502, 503, 504}
    assert 20 < sum(status != 200 for status in statuses) < 60
    assert set(others) == {200}


async def test_an_answer_waits_as_long_as_told(client: Client) -> None:
    await rules(client, {"where": "/status", "latency_ms": 60})

    began = time.monotonic()
    await client.get("/status")
    waited = time.monotonic() - began

    assert waited >= 0.06


async def test_garbage_comes_with_status_200(client: Client) -> None:
    await rules(client, {"where": "/alliances", "garbage_rate": 1})

    async with client.session.get(f"{client.url}/alliances") as response:
        assert response.status == 200
        assert b"nobody expects this" in await response.read()


async def test_a_burst_of_refusals_ends(client: Client) -> None:
    await rules(client, {"where": "esi", "next": 2, "statuses": [420], "retry_after": 5})

    answers = [await client.get("/alliances") for _ in range(3)]

    assert [answer.status for answer in answers] == [420, 420, 200]
    assert answers[0].headers["Retry-After"] == "5"


async def test_failures_of_its_own_count_for_esis_error_limit_and_refusals_do_not(running: Running) -> None:
    async with running(has_limits=True) as client:
        await rules(client, {"where": "/alliances", "next": 1, "statuses": [502]})
        failed = await client.get("/alliances")
        await rules(client, {"where": "/alliances", "next": 1, "statuses": [420]})
        refused = await client.get("/alliances")
        missing = await client.get("/characters/1/")
        server_fault = await client.get("/wars/1/")

    assert failed.headers["X-ESI-Error-Limit-Remain"] == "99"
    assert refused.headers["X-ESI-Error-Limit-Remain"] == "99"
    assert missing.headers["X-ESI-Error-Limit-Remain"] == "98"
    assert server_fault.headers["X-Ratelimit-Remaining"] == "3595"


async def test_without_limits_the_headers_say_that_nothing_was_used(client: Client) -> None:
    for _ in range(3):
        missing = await client.get("/characters/1/")
        bucket = await client.get("/status/")

    assert missing.headers["X-ESI-Error-Limit-Remain"] == "100"
    assert bucket.headers["X-Ratelimit-Remaining"] == "600"


async def test_what_is_no_rule_is_refused_and_the_present_ones_stay(client: Client) -> None:
    await rules(client, {"where": "/status", "latency_ms": 1})

    answer = await client.ask("PUT", "/control/rules", json=[{"where": "the moon"}])

    assert answer.status == 400
    assert [rule["where"] for rule in (await client.get("/control/rules")).body] == ["/status"]


async def test_requests_are_counted_by_operation_host_and_status(client: Client) -> None:
    for path in ("/characters/1/", f"/v5/characters/{SOMEBODY}", "/api/kills/", "/nowhere/"):
        await client.get(path)
    await client.post("/characters/affiliation/", [SOMEBODY])

    counts = (await client.ask("DELETE", "/control/requests")).body

    assert counts["operations"] == {
        "GET (unknown)": 1,
        "GET /api/{path}": 1,
        "GET /characters/{id}": 2,
        "POST /characters/affiliation": 1,
    }
    assert counts["hosts"]["esi"]["statuses"] == {"200": 2, "404": 2}
    assert (counts["hosts"]["esi"]["requests"], counts["hosts"]["zkillboard"]["requests"]) == (4, 1)
    assert 1 <= counts["hosts"]["esi"]["peak_per_second"] <= 4
    assert (await client.get("/control/requests")).body["total"] == 0
