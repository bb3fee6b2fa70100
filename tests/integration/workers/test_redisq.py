"""worker-redisq from its start to its stop, against a feed that answers from a table."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from killreport.config import Settings
from killreport.coordination import heartbeats, single_instance
from killreport.coordination.single_instance import hold_lock
from killreport.db.database import Database
from killreport.errors import Conflict
from killreport.killmail.writing.recount import recount_differences
from killreport.workers import redisq
from tests.integration.workers.conftest import RunWorker
from tests.integration.workers.lines import Lines
from tests.integration.workers.packages import body_of, hash_of, package_of
from tests.integration.zkillboard.site import Answer, Site


@pytest.fixture
def at_site(quick: Settings, site: Site) -> Settings:
    return quick.replace(r2z2_url=site.url, redisq_url=site.url, esi_url=site.url)


def publish(site: Site, sequence: int, body: bytes) -> None:
    site.answers[f"/ephemeral/{sequence}.json"] = Answer(body)


async def fetch(database: Database, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]


async def set_cursor(database: Database, sequence: int, moved_at: datetime | None = None) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into feed_cursor (feed, next_sequence, updated_at) values ('r2z2', $1, coalesce($2, now()))",
            sequence,
            moved_at,
        )


async def test_a_first_start_begins_at_the_head_and_stores_what_is_published(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    site.answers["/ephemeral/sequence.json"] = Answer(b'{"sequence": 70}')
    publish(site, 69, package_of(9))
    publish(site, 70, package_of(10))
    publish(site, 71, package_of(11, labels=("ganked", "pvp", "made-up")))

    async with run_worker(at_site):
        await lines.wait_for("killmail_stored", 2)

    assert await fetch(
        database,
        "select killmail_id, killmail_hash, shown.location_id, source, shown.labels @> '{ganked}', "
        "shown.labels @> '{made-up}' from analysis.killmails shown join killmail using (killmail_id) order by 1",
    ) == [
        (10, hash_of(10), 50000001, "r2z2", False, False),
        (11, hash_of(11), 50000001, "r2z2", True, False),
    ]
    assert await fetch(database, "select feed, next_sequence from feed_cursor") == [("r2z2", 72)]
    # Of 2021, and news all the same: what a feed brings was held back until now.
    assert await fetch(database, "select distinct kind from event") == [("stored",)]


async def test_a_restart_goes_on_at_the_stored_cursor(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    publish(site, 70, package_of(10))
    async with run_worker(at_site):
        await lines.wait_for("killmail_stored", 1)
    publish(site, 71, package_of(11))
    async with run_worker(at_site):
        await lines.wait_for("killmail_stored", 2)

    assert [request.path for request in site.asked].count("/ephemeral/70.json") == 1
    assert await fetch(database, "select killmail_id from killmail order by 1") == [(10,), (11,)]


async def test_a_package_that_cannot_be_read_is_quarantined_whole_and_the_feed_goes_on(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    no_killmail = b'{"killmail_id": 10, "hash": null, "zkb": {}}'
    half_killmail = package_of(11, esi={"killmail_id": 11, "killmail_time": "2021-12-02T10:00:00Z"})
    wrong_hash = package_of(12, hash="ab" * 20)
    other_id = package_of(13, killmail_id=14)
    for place, body in enumerate((no_killmail, half_killmail, wrong_hash, other_id, package_of(15))):
        publish(site, 70 + place, body)

    async with run_worker(at_site):
        await lines.wait_for("killmail_stored")

    assert await fetch(database, "select killmail_id from killmail") == [(15,)]
    assert await fetch(database, "select reference, body, killmail_id from quarantine order by 1") == [
        ("r2z2 70", no_killmail, None),
        ("r2z2 71", half_killmail, 11),
        ("r2z2 72", wrong_hash, 12),
        ("r2z2 73", other_id, 14),
    ]
    assert len(lines.of("killmail_quarantined")) == 4
    assert await fetch(database, "select next_sequence from feed_cursor") == [(75,)]


async def test_a_gap_is_stored_as_one_and_filled_when_it_comes(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    publish(site, 71, package_of(11))
    async with run_worker(at_site):
        await lines.wait_for("feed_gap")
    gaps = await fetch(database, "select feed, sequence from feed_gap")

    publish(site, 70, package_of(10))
    async with run_worker(at_site):
        await lines.wait_for("killmail_stored", 2)

    assert gaps == [("r2z2", 70)]
    assert await fetch(database, "select feed, sequence from feed_gap") == []
    assert await fetch(database, "select killmail_id from killmail order by 1") == [(10,), (11,)]
    assert await fetch(database, "select next_sequence from feed_cursor") == [(72,)]


async def test_a_rewritten_package_is_read_again_and_merged(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    publish(site, 70, package_of(10))
    async with run_worker(at_site):
        await lines.wait_for("killmail_stored")
        publish(site, 70, package_of(10, labels=("ganked",)))
        publish(site, 71, package_of(11, sequence_updated=70))
        await lines.wait_for("killmail_changed")

    assert await fetch(database, "select killmail_id from analysis.killmails where labels @> '{ganked}'") == [(10,)]
    assert await fetch(database, "select kind, killmail_ids from event order by event_id") == [
        ("stored", [10]),
        ("stored", [11]),
        ("changed", [10]),
    ]
    assert await fetch(database, "select count(*) from feed_gap") == [(0,)]


async def test_a_rewrite_that_was_announced_before_a_crash_is_read_after_it(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 72)
    async with database.connection() as connection:
        await connection.execute("insert into feed_gap (feed, sequence) values ('r2z2', 70)")
    publish(site, 70, package_of(10))

    async with run_worker(at_site):
        await lines.wait_for("killmail_stored")

    assert await fetch(database, "select count(*) from feed_gap") == [(0,)]
    assert await fetch(database, "select next_sequence from feed_cursor") == [(72,)]


async def test_an_expired_cursor_jumps_to_what_is_left_and_the_days_between_are_repaired(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    now = datetime.now(UTC)
    lost_day, published = now - timedelta(days=2), now - timedelta(days=1)
    await set_cursor(database, 70, moved_at=lost_day)
    for sequence in range(5000, 5003):
        publish(site, sequence, package_of(sequence))
    site.answers["/ephemeral/sequence.json"] = Answer(b'{"sequence": 5002}')
    day, later = lost_day.strftime("%Y%m%d"), published.strftime("%Y%m%d")
    site.answers["/history/totals.json"] = Answer(json.dumps({day: 1, later: 0}).encode())
    time = lost_day.strftime("%Y-%m-%dT%H:%M:%SZ")
    site.answers[f"/history/{day}.json"] = Answer(json.dumps({"10": hash_of(10, time)}).encode())
    site.answers[f"/history/raw/{day}.json"] = Answer(b'{"10":' + body_of(10, time) + b"}")
    site.answers[f"/history/{later}.json"] = Answer(b"[]")

    async with run_worker(at_site):
        await lines.wait_for("killmail_stored", 3)
        await lines.wait_for("history_repaired", 2)

    jump = lines.of("feed_jump")[0]
    assert (jump["left"], jump["reached"]) == (70, 5000)
    assert await fetch(database, "select killmail_id, source from killmail order by 1") == [
        (10, "history"),
        *((sequence, "r2z2") for sequence in range(5000, 5003)),
    ]
    async with database.connection() as connection:
        assert await recount_differences(connection) == []


async def test_two_workers_on_one_database_are_refused(
    at_site: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "LOCK_TRIES", 1)
    async with hold_lock(database, redisq.NAME):
        with pytest.raises(Conflict, match="worker-redisq is already running"):
            await redisq.run(at_site, database, stop=asyncio.Event())


async def test_a_package_is_held_until_the_database_takes_it(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    for place in range(3):
        publish(site, 70 + place, package_of(10 + place))
    blocked = await asyncpg.connect(database.url)
    await blocked.execute("alter table killmail rename to killmail_away")

    async with run_worker(at_site):
        await lines.wait_for("database_trouble")
        stored = await blocked.fetchval("select count(*) from killmail_away")
        cursor = await blocked.fetchval("select next_sequence from feed_cursor")
        await blocked.execute("alter table killmail_away rename to killmail")
        await blocked.close()
        await lines.wait_for("killmail_stored", 3)

    assert (stored, cursor) == (0, 70)
    assert [request.path for request in site.asked].count("/ephemeral/70.json") == 1
    assert await fetch(database, "select killmail_id from killmail order by 1") == [(10,), (11,), (12,)]
    assert await fetch(database, "select count(*) from quarantine") == [(0,)]


async def test_a_worker_whose_connections_were_cut_takes_up_where_it_stood(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    publish(site, 70, package_of(10))
    async with run_worker(at_site):
        await lines.wait_for("killmail_stored")
        killer = await asyncpg.connect(database.url)
        await killer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        await killer.close()
        publish(site, 71, package_of(11))
        await lines.wait_for("killmail_stored", 2)

    assert await fetch(database, "select killmail_id from killmail order by 1") == [(10,), (11,)]
    assert await fetch(database, "select next_sequence from feed_cursor") == [(72,)]


async def test_a_stop_while_the_feed_has_banned_us_is_obeyed_at_once(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    site.answers["/ephemeral/70.json"] = Answer(status=403)

    async with run_worker(at_site) as worker:
        await lines.wait_for("feed_refused")
        was_running = not worker.done()

    assert was_running
    assert (worker.result(), len(site.asked)) == (None, 1)


async def test_a_stop_while_the_database_takes_nothing_leaves_the_package_for_the_next_start(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    publish(site, 70, package_of(10))
    async with database.connection() as connection:
        await connection.execute("alter table killmail rename to killmail_away")
    async with run_worker(at_site):
        await lines.wait_for("database_trouble")
    async with database.connection() as connection:
        await connection.execute("alter table killmail_away rename to killmail")
    assert await fetch(database, "select next_sequence from feed_cursor") == [(70,)]

    async with run_worker(at_site):
        await lines.wait_for("killmail_stored")

    assert await fetch(database, "select killmail_id from killmail") == [(10,)]


async def test_ready_is_said_before_the_feed_answers_and_what_is_waited_for_is_told(
    at_site: Settings, site: Site, run_worker: RunWorker, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[int] = []
    told: list[str] = []
    monkeypatch.setattr(redisq, "notify_ready", lambda: said.append(len(site.asked)))
    monkeypatch.setattr(heartbeats, "notify_waiting", told.append)
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.05)
    site.answers["/ephemeral/sequence.json"] = Answer(status=502)
    publish(site, 70, package_of(10))
    publish(site, 71, package_of(11))
    async with run_worker(at_site), asyncio.timeout(30):
        await lines.wait_for("feed_trouble")
        while not told:  # noqa: ASYNC110 - the next beat tells
            await asyncio.sleep(0.01)
        site.answers["/ephemeral/sequence.json"] = Answer(b'{"sequence": 70}')
        await lines.wait_for("killmail_stored", 2)
        while told[-1]:  # noqa: ASYNC110 - the next beat takes it back
            await asyncio.sleep(0.01)

    assert said == [0]
    assert re.fullmatch(r"waiting for the feed for \d+s: 127.0.0.1 answered 502 to /ephemeral/sequence.json", told[0])


@pytest.mark.parametrize("is_full", [True, False])
async def test_a_redisq_shaped_feed_is_followed_with_packages_of_both_ages(
    at_site: Settings, site: Site, run_worker: RunWorker, lines: Lines, is_full: bool
) -> None:
    package: dict[str, Any] = {"killID": 10, "zkb": {"hash": hash_of(10)}}
    if is_full:
        package["killmail"] = json.loads(body_of(10))
    site.answers["/listen.php"] = Answer(status=302, headers={"Location": "/object.php?objectID=7"})
    site.answers["/object.php"] = Answer(json.dumps({"package": package}).encode())
    site.answers[f"/killmails/10/{hash_of(10)}"] = Answer(body_of(10))

    async with run_worker(at_site.replace(feed="redisq")):
        stored = await lines.wait_for("killmail_stored")

    assert [(line["killmail_id"], line["reference"]) for line in stored] == [(10, "redisq")]
    paths = [request.path for request in site.asked]
    assert (f"/killmails/10/{hash_of(10)}" in paths) is not is_full
    assert dict(site.asked[paths.index("/listen.php")].query) == {"queueID": "killreport", "ttw": "10"}
