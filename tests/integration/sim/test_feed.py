"""R2Z2 as a consumer sees it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash
from tests.integration.sim.conftest import FIRST, Client, Clock, Running


async def test_a_package_has_the_real_shape_and_a_true_hash(client: Client, clock: Clock) -> None:
    await client.publish(1)

    package = await client.package(FIRST)

    assert set(package) == {"killmail_id", "hash", "esi", "zkb", "uploaded_at", "sequence_id"}
    assert package["sequence_id"] == FIRST
    assert package["uploaded_at"] == clock.now
    assert package["killmail_id"] == package["esi"]["killmail_id"]
    assert package["hash"] == package["zkb"]["hash"]
    assert set(package["zkb"]) == {
        *("locationID", "hash", "fittedValue", "droppedValue", "destroyedValue", "totalValue", "points"),
        *("npc", "solo", "awox", "labels", "attackerCount", "href"),
    }
    raw = (await client.ask("GET", f"/killmails/{package['killmail_id']}/{package['hash']}/")).body
    assert raw == package["esi"]


async def test_every_hash_is_true(client: Client) -> None:
    head = await client.publish(40)

    for sequence in range(FIRST, head + 1):
        package = await client.package(sequence)
        mail = decode_killmail(msgspec.json.encode(package["esi"]))
        assert killmail_hash(mail).hex() == package["hash"]


async def test_the_number_after_the_newest_is_not_found_until_it_is_published(client: Client) -> None:
    assert (await client.get(f"/ephemeral/{FIRST}.json")).status == 404

    await client.publish(1)

    assert (await client.get(f"/ephemeral/{FIRST}.json")).status == 200
    missing = await client.get(f"/ephemeral/{FIRST + 1}.json")
    assert (missing.status, missing.headers["Cache-Control"]) == (404, "no-store")


async def test_the_sequence_lags_and_is_written_about_every_fifty_one_mails(client: Client) -> None:
    seen = []
    for _ in range(52):
        seen.append((await client.get("/ephemeral/sequence.json")).body["sequence"])
        await client.publish(2)

    assert sorted(set(seen)) == [FIRST, FIRST + 50, FIRST + 101]


async def test_the_sequence_is_written_at_the_start(running: Running) -> None:
    async with running() as client:
        await client.publish(30)
    async with running() as client:
        assert (await client.get("/ephemeral/sequence.json")).body == {"sequence": FIRST + 29}


async def test_packages_are_gone_after_a_day(client: Client, clock: Clock) -> None:
    await client.publish(1)

    clock.now += 86_399
    assert (await client.get(f"/ephemeral/{FIRST}.json")).status == 200
    clock.now += 1
    assert (await client.get(f"/ephemeral/{FIRST}.json")).status == 404


async def test_some_packages_are_rewritten_with_a_label_that_came_later(client: Client) -> None:
    head = await client.publish(900)
    packages = {n: await client.package(n) for n in range(FIRST, head + 1)}
    updates = {n: package["sequence_updated"] for n, package in packages.items() if "sequence_updated" in package}

    assert 3 <= len(updates) <= 40
    ganked = {n for n, package in packages.items() if "ganked" in package["zkb"]["labels"]}
    assert ganked == set(updates.values())
    assert all(newer == older + 25 for newer, older in updates.items())
    for older in ganked:
        assert "loc:highsec" in packages[older]["zkb"]["labels"]
        assert packages[older]["zkb"]["npc"] is False


async def test_a_package_lacks_the_label_until_it_is_rewritten(running: Running, tmp_path: Path) -> None:
    async with running(home=tmp_path / "one") as client:
        head = await client.publish(900)
        packages = [await client.package(n) for n in range(FIRST, head + 1)]
    older = next(package["sequence_updated"] for package in packages if "sequence_updated" in package)

    # Another home of the same seed, stopped one mail before the rewriting.
    async with running(home=tmp_path / "two") as client:
        await client.publish(older - FIRST + 25)
        before = await client.package(older)
        await client.publish(1)
        after = await client.package(older)

    assert "ganked" not in before["zkb"]["labels"]
    assert after["zkb"]["labels"] == [*before["zkb"]["labels"], "ganked"]


async def test_a_blank_user_agent_is_refused(client: Client) -> None:
    answer = await client.get("/ephemeral/sequence.json", headers={"User-Agent": ""})

    assert answer.status == 403


async def test_sixteen_requests_in_a_second_are_one_too_many(running: Running) -> None:
    async with running(has_limits=True) as client:
        answers = [await client.get("/ephemeral/sequence.json") for _ in range(16)]

    assert [answer.status for answer in answers] == [200] * 15 + [429]
    assert answers[-1].headers["Retry-After"] == "10"


async def test_without_limits_nobody_is_refused(client: Client) -> None:
    statuses = {(await client.get("/ephemeral/sequence.json")).status for _ in range(40)}

    assert statuses == {200}


async def test_one_seed_serves_the_same_packages_from_any_home(running: Running, tmp_path: Path) -> None:
    async with running(home=tmp_path / "one") as client:
        await client.publish(5)
        here = [await client.package(FIRST + n) for n in range(5)]
    async with running(home=tmp_path / "two") as client:
        await client.publish(5)
        there = [await client.package(FIRST + n) for n in range(5)]

    assert here == there
