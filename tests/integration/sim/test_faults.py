"""Faults on demand, as a client meets them."""

from __future__ import annotations

import aiohttp
import pytest

from tests.integration.sim.conftest import FIRST, Client, Clock, Running


async def test_a_cut_body_is_noticed_by_the_client(client: Client) -> None:
    await client.publish(1)
    await client.post("/control/faults", {"truncate_rate": 1})

    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get(f"/ephemeral/{FIRST}.json")

    assert (await client.ask("DELETE", "/control/faults")).status == 200
    assert (await client.get(f"/ephemeral/{FIRST}.json")).status == 200


async def test_the_next_answers_fail_as_told(client: Client) -> None:
    await client.post("/control/faults", {"fail_next": 2, "fail_status": 429})

    answers = [await client.get("/ephemeral/sequence.json") for _ in range(3)]

    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "1"


async def test_in_downtime_everything_but_the_control_is_down(client: Client) -> None:
    await client.post("/control/faults", {"downtime": 503})

    paths = ("/ephemeral/sequence.json", "/history/totals.json", "/status", "/characters/2112000001", "/api/kills/")
    assert {(await client.get(path)).status for path in paths} == {503}
    assert (await client.get("/control/status")).status == 200


async def test_a_burst_of_404_hides_packages_for_so_many_asks(client: Client) -> None:
    await client.publish(1)
    await client.post("/control/faults", {"burst_404": 2})

    statuses = [(await client.get(f"/ephemeral/{FIRST}.json")).status for _ in range(3)]

    assert statuses == [404, 404, 200]


async def test_a_stale_sequence_is_behind(running: Running) -> None:
    async with running(opening=40, stale_sequence=15) as client:
        assert (await client.get("/ephemeral/sequence.json")).body == {"sequence": FIRST + 39 - 15}


async def test_some_gaps_close_and_some_never_do_and_no_mail_is_lost(running: Running, clock: Clock) -> None:
    async with running(gap_rate=0.3, gap_seconds=60) as client:
        head = await client.publish(100)
        numbers = range(FIRST, head + 1)
        missing = {n for n in numbers if (await client.get(f"/ephemeral/{n}.json")).status == 404}
        clock.now += 60
        for_ever = {n for n in numbers if (await client.get(f"/ephemeral/{n}.json")).status == 404}
        ids = [(await client.package(n))["killmail_id"] for n in numbers if n not in for_ever]

    assert 10 < len(for_ever) < len(missing) < 50
    assert for_ever < missing
    assert len(ids) == len(set(ids)) == 100


async def test_duplicates_are_the_same_mail_under_the_next_number(running: Running) -> None:
    async with running(duplicate_rate=0.5) as client:
        head = await client.publish(40)
        packages = [await client.package(n) for n in range(FIRST, head + 1)]
        days = (await client.get("/history/totals.json")).body

    ids = [package["killmail_id"] for package in packages]
    assert len(set(ids)) == 40
    assert 10 < len(ids) - 40 < 30
    assert sum(days.values()) == 40
    again = next(place for place in range(1, len(ids)) if ids[place] == ids[place - 1])
    assert packages[again]["esi"] == packages[again - 1]["esi"]
    assert packages[again]["sequence_id"] == packages[again - 1]["sequence_id"] + 1


async def test_errors_hit_about_as_many_as_told_and_the_same_every_time(running: Running) -> None:
    runs = []
    for _ in range(2):
        async with running(error_rate=0.25) as client:
            runs.append([(await client.get("/ephemeral/sequence.json")).status for _ in range(100)])

    assert runs[0] == runs[1]
    assert 12 < sum(status >= 500 for status in runs[0]) < 40


async def test_an_unknown_fault_is_refused_and_nothing_changes(client: Client) -> None:
    answer = await client.post("/control/faults", {"latency": 5})

    assert answer.status == 400
    assert "latency" in answer.body["error"]
    assert (await client.get("/control/faults")).body["latency_ms"] == 0
