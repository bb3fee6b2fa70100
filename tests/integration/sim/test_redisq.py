"""RedisQ as its listeners see it."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.integration.sim.conftest import FIRST, Answer, Client, Clock, Running


async def listen(client: Client, queue: str = "mine") -> Any:
    """Ask once, following the redirect; return the package."""
    answer = await client.get(f"/listen.php?queueID={queue}&ttw=1")
    if answer.status == 302:
        answer = await client.get(answer.headers["Location"])
    assert answer.status == 200
    return answer.body["package"]


async def start_queue(client: Client, queue: str = "mine") -> None:
    """Make the queue known and leave nothing in it."""
    assert await listen(client, queue) is None


async def test_a_new_queue_starts_after_the_newest_mail(client: Client) -> None:
    await client.publish(3)

    assert await listen(client) is None


async def test_a_queue_gives_every_mail_once_in_order(client: Client) -> None:
    await start_queue(client)
    await client.publish(4)

    packages = [await listen(client) for _ in range(4)]

    wanted = [(await client.package(FIRST + n))["killmail_id"] for n in range(4)]
    assert [package["killID"] for package in packages] == wanted
    assert await listen(client) is None


async def test_the_package_of_today_has_hash_and_link_only(client: Client) -> None:
    await start_queue(client)
    await client.publish(1)

    package = await listen(client)

    truth = await client.package(FIRST)
    assert package == {
        "killID": truth["killmail_id"],
        "zkb": {"hash": truth["hash"], "href": truth["zkb"]["href"]},
    }


async def test_the_older_package_holds_the_killmail(running: Running) -> None:
    async with running(has_full_redisq=True) as client:
        await start_queue(client)
        await client.publish(1)
        package = await listen(client)
        truth = await client.package(FIRST)

    assert package == {"killID": truth["killmail_id"], "killmail": truth["esi"], "zkb": truth["zkb"]}


async def test_two_queues_do_not_take_mails_from_each_other(client: Client) -> None:
    await start_queue(client, "one")
    await start_queue(client, "two")
    await client.publish(1)

    assert await listen(client, "one") == await listen(client, "two")


async def test_a_waiting_listener_gets_the_next_mail_and_bars_a_second_one(client: Client) -> None:
    path = "/listen.php?queueID=mine&ttw=10"
    both: list[asyncio.Task[Answer]] = [asyncio.create_task(client.get(path)) for _ in range(2)]

    (refused,), (waiting,) = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    await client.publish(1)

    assert (await refused).status == 429
    assert (await waiting).status == 302


async def test_a_queue_not_asked_for_three_hours_is_forgotten(client: Client, clock: Clock) -> None:
    await start_queue(client)
    await client.publish(2)
    clock.now += 3 * 3600 + 1

    assert await listen(client) is None


async def test_gaps_of_r2z2_take_no_mail_from_a_queue(running: Running) -> None:
    async with running(gap_rate=0.5) as client:
        await start_queue(client)
        await client.publish(20)
        ids = {(await listen(client))["killID"] for _ in range(20)}

    assert len(ids) == 20


async def test_a_queue_needs_a_name(client: Client) -> None:
    assert (await client.get("/listen.php")).status == 400
    assert (await client.get("/object.php?objectID=none")).status == 404
