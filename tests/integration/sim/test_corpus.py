"""Replaying killmails: in order of time, with their own hashes, each once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from killreport.errors import NotFound
from killreport.sim.publishing.corpus import spool
from tests.integration.sim.conftest import FIRST, Client, Running


def mail(killmail_id: int, time: str, **victim: int) -> dict[str, Any]:
    """Return a mail of a pilot of 98000001 in 99000001, killed by one of 98000002."""
    return {
        "killmail_id": killmail_id,
        "killmail_time": time,
        "solar_system_id": 30_000_142,
        "killmail_hash": "not of ESI's body",
        "victim": {
            "character_id": 90_000_001,
            "corporation_id": 98_000_001,
            "ship_type_id": 587,
            "damage_taken": 5,
            **victim,
        },
        "attackers": [
            {
                "character_id": 90_000_002,
                "corporation_id": 98_000_002,
                "damage_done": 5,
                "final_blow": True,
                "security_status": 0.5,
                "ship_type_id": 587,
                "weapon_type_id": 587,
            }
        ],
    }


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[Path, ...]:
    """Return two files with five mails out of order, one of them twice, and a line that is none."""
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl.gz"
    first = [
        mail(30, "2021-03-03T00:00:00Z", alliance_id=99_000_001),
        mail(10, "2021-01-01T00:00:00Z", corporation_id=98_000_009),
        {"broken": True},
    ]
    second = [
        mail(10, "2021-01-01T00:00:00Z"),
        mail(50, "2021-05-05T00:00:00Z", corporation_id=98_000_003),
        mail(20, "2021-02-02T00:00:00Z"),
        mail(40, "2021-04-04T00:00:00Z"),
    ]
    one.write_text("\n".join(map(json.dumps, first)))
    two.write_bytes(gzip.compress("\n".join(map(json.dumps, second)).encode()))
    return one, two


async def replayed(client: Client, head: int) -> list[int]:
    """Return the ids under all numbers, in order."""
    return [(await client.package(n))["killmail_id"] for n in range(FIRST, head + 1)]


async def test_mails_come_in_order_of_time_each_once_and_then_it_stays_at_the_end(
    running: Running, corpus: tuple[Path, ...]
) -> None:
    async with running(corpus=corpus) as client:
        assert (await client.get("/control/status")).body["remaining"] == 5
        head = await client.publish(9)
        assert await client.publish(1) == head
        assert await replayed(client, head) == [10, 20, 30, 40, 50]
        assert (await client.get("/control/status")).body["remaining"] == 0


async def test_times_and_hashes_are_the_mails_own_and_only_esis_keys_are_served(
    running: Running, corpus: tuple[Path, ...]
) -> None:
    async with running(corpus=corpus) as client:
        await client.publish(5)
        package = await client.package(FIRST + 2)
        days = (await client.get("/history/totals.json")).body
        raw = (await client.get("/history/raw/20210303.json")).body

    expected = mail(30, "2021-03-03T00:00:00Z", alliance_id=99_000_001)
    del expected["killmail_hash"]
    assert package["esi"] == expected
    assert raw == {"30": expected}
    # sha1 of 90000001, 90000002, 587 and the Windows file time of the kill.
    assert package["hash"] == "2ae9f77c57b6b1536ca53890d25da0589f99b3c0"
    assert days == dict.fromkeys(("20210101", "20210202", "20210303", "20210404", "20210505"), 1)


async def test_people_are_where_their_latest_mail_has_them(running: Running, corpus: tuple[Path, ...]) -> None:
    async with running(corpus=corpus) as client:
        character = (await client.get("/characters/90000001/")).body
        corporation = (await client.get("/corporations/98000001/")).body

    # The mail of May says 98000003; that corporation's own alliance is none.
    assert character["corporation_id"] == 98_000_003
    assert "alliance_id" not in character
    # The latest mail of 98000001 is of April, without an alliance.
    assert "alliance_id" not in corporation


async def test_people_are_where_the_newest_mail_served_so_far_has_them(
    running: Running, corpus: tuple[Path, ...]
) -> None:
    async def home(client: Client) -> tuple[int, int | None]:
        (row,) = (await client.post("/characters/affiliation", [90_000_001])).body
        body = (await client.get("/characters/90000001")).body
        assert (row["corporation_id"], row.get("alliance_id")) == (body["corporation_id"], body.get("alliance_id"))
        return row["corporation_id"], row.get("alliance_id")

    homes = []
    async with running(corpus=corpus) as client:
        for _ in range(3):
            await client.publish(1)
            homes.append(await home(client))
        in_march = (await client.get("/alliances/99000001/corporations")).body
    async with running(corpus=corpus) as client:
        assert await home(client) == homes[-1]
        for _ in range(2):
            await client.publish(1)
            homes.append(await home(client))
        in_may = (await client.get("/alliances/99000001/corporations")).body

    assert homes == [
        (98_000_009, None),
        (98_000_001, None),
        (98_000_001, 99_000_001),
        (98_000_001, None),
        (98_000_003, None),
    ]
    assert (in_march, in_may) == ([98_000_001], [])


async def test_a_restart_goes_on_in_the_middle(running: Running, corpus: tuple[Path, ...]) -> None:
    async with running(corpus=corpus) as client:
        await client.publish(2)
    async with running(corpus=corpus) as client:
        head = await client.publish(2)
        assert await replayed(client, head) == [10, 20, 30, 40]


async def test_the_corpus_may_be_gone_after_the_first_start(running: Running, corpus: tuple[Path, ...]) -> None:
    async with running(corpus=corpus) as client:
        await client.publish(2)
    async with running() as client:
        assert await replayed(client, FIRST + 1) == [10, 20]
        assert await client.publish(1) == FIRST + 2
        assert (await client.package(FIRST + 2))["killmail_id"] > 1_000_000_000


async def test_reordered_mails_change_places_in_pairs_and_none_is_lost(
    running: Running, corpus: tuple[Path, ...]
) -> None:
    async with running(corpus=corpus, reorder_rate=1) as client:
        head = await client.publish(5)
        assert await replayed(client, head) == [20, 10, 40, 30, 50]


async def test_a_corpus_without_a_killmail_is_refused(running: Running, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"broken": true}\n')

    with pytest.raises(NotFound, match="holds no killmail"):
        async with running(corpus=(empty,)):
            pass


async def test_a_real_day_is_replayed_whole(running: Running, data: Path) -> None:
    archive = data / "killmails" / "everef" / "killmails-2021-12-02.tar.bz2"
    totals = json.loads((data / "killmails" / "everef" / "totals.json").read_bytes())
    expected = next(count for day, count in totals.items() if day.replace("-", "") == "20211202")

    async with running(corpus=(archive,)) as client:
        assert (await client.get("/control/status")).body["remaining"] == expected
        await client.publish(20_000)
        hashes = (await client.get("/history/20211202.json")).body

    assert len(hashes) == expected


async def test_the_hashes_of_real_mails_are_the_real_ones(running: Running, data: Path) -> None:
    path = data / "killmails" / "odd_shared.jsonl.zst"
    with zstandard.open(path, "rt") as lines:
        truth = {row["killmail_id"]: row["killmail_hash"] for row in map(json.loads, lines)}

    async with running(corpus=(path,)) as client:
        await client.publish(2000)
        days = (await client.get("/history/totals.json")).body
        found: dict[str, str] = {}
        for day in days:
            found |= (await client.get(f"/history/{day}.json")).body

    assert len(found) >= len(truth) - 5
    assert all(truth[int(killmail_id)] == digest for killmail_id, digest in found.items())


def test_reading_a_corpus_says_how_far_it_has_come(corpus: tuple[Path, ...], tmp_path: Path) -> None:
    said: list[str] = []
    spool(list(corpus), tmp_path / "spool", said.append).close()
    assert said[-1] == "reading 2 corpus archives: 100 %"
    percents = [int(sentence.removeprefix("reading 2 corpus archives: ").removesuffix(" %")) for sentence in said]
    assert percents == sorted(set(percents))
    # What was read is there the next time: nothing to wait for.
    said.clear()
    spool(list(corpus), tmp_path / "spool", said.append).close()
    assert said == []
