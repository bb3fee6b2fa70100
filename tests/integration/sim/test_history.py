"""Days of killmails, and old paths to them."""

from __future__ import annotations

from tests.integration.sim.conftest import FIRST, Client, Clock, Running

NOON = 1_789_992_000  # 2026-09-21 12:00 UTC


async def test_a_day_lists_what_was_killed_on_it_in_all_three_forms(client: Client) -> None:
    await client.publish(30, published_at=NOON)
    await client.publish(20, published_at=NOON - 86_400)

    totals = (await client.get("/history/totals.json")).body
    hashes = (await client.get("/history/20260921.json")).body
    bodies = (await client.get("/history/raw/20260921.json")).body

    assert totals == {"20260920": 20, "20260921": 30}
    assert len(hashes) == 30
    assert list(hashes) == list(bodies)
    package = await client.package(FIRST + 3)
    assert hashes[str(package["killmail_id"])] == package["hash"]
    assert bodies[str(package["killmail_id"])] == package["esi"]


async def test_a_day_without_kills_is_not_found(client: Client) -> None:
    for path in ("/history/20200101.json", "/history/raw/20200101.json", "/history/20261399.json"):
        assert (await client.get(path)).status == 404


async def test_the_old_path_leads_to_the_new_one(client: Client) -> None:
    answer = await client.get("/api/history/20260921.json")

    assert (answer.status, answer.headers["Location"]) == (302, "/history/20260921.json")


async def test_past_days_are_filled_on_the_very_first_start_only(running: Running, clock: Clock) -> None:
    async with running(history_days=2, opening=10) as client:
        first = (await client.get("/history/totals.json")).body
        head = (await client.get("/control/status")).body["head"]
    async with running(history_days=2, opening=10) as client:
        assert (await client.get("/history/totals.json")).body == first
        assert (await client.get("/control/status")).body["head"] == head

    assert sum(first.values()) == 410
    # Kills precede their publication by minutes: a few fall on the day before.
    assert set(first) <= {"20260918", "20260919", "20260920", "20260921"}
    assert {"20260919", "20260920", "20260921"} <= set(first)
