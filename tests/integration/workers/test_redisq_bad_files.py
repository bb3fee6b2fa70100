"""One bad file never stops the feed: it goes to the quarantine with its reason, and the next number is asked for."""

from __future__ import annotations

import gzip
import json
from typing import Any

from killreport.config import Settings
from killreport.db.database import Database
from tests.integration.workers.conftest import RunWorker
from tests.integration.workers.lines import Lines
from tests.integration.workers.packages import hash_of, killmail, package_of
from tests.integration.workers.test_redisq import fetch, set_cursor
from tests.integration.zkillboard.site import Answer, Site

DEPTH = 5000


def _nested(key: str) -> bytes:
    deep = b"[" * DEPTH + b"]" * DEPTH
    return package_of(10)[:-1] + b',"%s":%s}' % (key.encode(), deep)


def _in_body(**keys: Any) -> bytes:
    return package_of(10, esi={**killmail(10), **keys})


BAD = {
    "an unknown key nested": _nested("new"),
    "a nested killmail": package_of(10).replace(b'"esi":{', b'"esi":{"x":' + b"[" * DEPTH + b"]" * DEPTH + b",", 1),
    "a nested block": package_of(10).replace(b'"zkb":{', b'"zkb":{"x":' + b"[" * DEPTH + b"]" * DEPTH + b",", 1),
    "an id beyond int64 and no body": b'{"killmail_id": %d, "esi": {}}' % 2**63,
    "an id of 100 digits": b'{"killmail_id": 1%s, "esi": {}}' % (b"0" * 100),
    "a negative id": b'{"killmail_id": -1, "esi": {}}',
    "ids beyond int64": _in_body(killmail_id=2**63),
    "a system beyond int64": _in_body(solar_system_id=2**63),
    "a war beyond int64": _in_body(war_id=2**64),
    "a pilot whose code is beyond int64": _in_body(victim={**killmail(10)["victim"], "character_id": 2**59}),
    "damage beyond int64": _in_body(victim={**killmail(10)["victim"], "damage_taken": 2**63}),
    "a number beyond every float": package_of(10).replace(b'"security_status":0.5', b'"security_status":1e400'),
    "no number": package_of(10).replace(b'"security_status":0.5', b'"security_status":NaN'),
    "NUL in a time": _in_body(killmail_time="2021-12-02T10:00:00Z\x00"),
    "a lone surrogate": package_of(10).replace(b"2021-12-02T10:00:00Z", b"\\ud800"),
    "UTF-16": package_of(10).decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + package_of(10),
    "HTML": b"<html><body>Welcome to the hotel</body></html>",
    "nothing": b"",
    "half a file": package_of(10)[:100],
    "a list": b"[]",
}


async def test_after_each_kind_of_bad_file_the_next_number_is_asked_for(
    quick: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    for place, body in enumerate(BAD.values()):
        site.answers[f"/ephemeral/{70 + 2 * place}.json"] = Answer(body)
        site.answers[f"/ephemeral/{71 + 2 * place}.json"] = Answer(package_of(1000 + place))

    async with run_worker(quick.replace(r2z2_url=site.url, esi_url=site.url)):
        await lines.wait_for("killmail_stored", len(BAD))

    good = [(1000 + place,) for place in range(len(BAD))]
    assert await fetch(database, "select killmail_id from killmail order by 1") == good
    bad = await fetch(database, "select reference from quarantine order by quarantine_id")
    assert bad == [(f"r2z2 {70 + 2 * place}",) for place in range(len(BAD))]
    assert await fetch(database, "select next_sequence from feed_cursor") == [(70 + 2 * len(BAD),)]


async def test_what_the_block_says_wrong_costs_the_block_and_not_the_killmail(
    quick: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    for place, location in enumerate((2**63, 2**70, -1, 1e300, "x", True)):
        zkb = {"locationID": location, "hash": hash_of(10 + place), "labels": ["ganked"]}
        site.answers[f"/ephemeral/{70 + place}.json"] = Answer(
            json.dumps({"killmail_id": 10 + place, "esi": killmail(10 + place), "zkb": zkb}).encode()
        )

    async with run_worker(quick.replace(r2z2_url=site.url, esi_url=site.url)):
        await lines.wait_for("killmail_stored", 6)

    assert await fetch(
        database,
        "select killmail_id, location_id from analysis.killmails where labels @> '{ganked}' order by 1",
    ) == [(10 + place, None) for place in range(6)]


BAD_ANSWERS = {
    "half a gzip": Answer(gzip.compress(package_of(10))[:60], headers={"Content-Encoding": "gzip"}),
    "a broken gzip": Answer(b"\x1f\x8b" + b"\xff" * 100, headers={"Content-Encoding": "gzip"}),
    "a bomb": Answer(gzip.compress(b" " * (32 * 2**20)), headers={"Content-Encoding": "gzip"}),
    "a body cut short": Answer(package_of(10), cut_after=100),
    "HTML": Answer(b"<html>", headers={"Content-Type": "text/html"}),
    "a redirect to elsewhere": Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    "a redirect to itself": Answer(status=302, headers={"Location": "#"}),
    "a fault for ever": Answer(status=500),
}


async def test_after_each_kind_of_bad_answer_the_next_number_is_asked_for_and_the_bad_one_is_a_gap(
    quick: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    await set_cursor(database, 70)
    for place, answer in enumerate(BAD_ANSWERS.values()):
        site.answers[f"/ephemeral/{70 + 2 * place}.json"] = answer
        site.answers[f"/ephemeral/{71 + 2 * place}.json"] = Answer(package_of(1000 + place))

    async with run_worker(quick.replace(r2z2_url=site.url, esi_url=site.url)):
        await lines.wait_for("killmail_stored", len(BAD_ANSWERS))

    assert await fetch(database, "select next_sequence from feed_cursor") == [(70 + 2 * len(BAD_ANSWERS),)]
    gaps = await fetch(database, "select sequence from feed_gap where feed = 'r2z2' order by 1")
    # Too large is what it will be again; all others may come whole.
    assert gaps == [(70 + 2 * place,) for place, kind in enumerate(BAD_ANSWERS) if kind != "a bomb"]
