"""Runs of jobs and the rows of the workers: page by page, and as they happen."""

from __future__ import annotations

from typing import Any

import aiohttp

from killreport.config import Settings
from killreport.coordination.job_runs import begin_run, end_run, note_skipped
from killreport.db.database import Database
from killreport.fleet.table import FLEET, QUEUES
from killreport.queueing.messages import CharacterMessage, TypeMessage
from killreport.queueing.open import open_broker
from tests.integration.serving import GraphQL

RUNS = """query($job: String, $first: Int! = 50, $after: String) { jobRuns(job: $job, first: $first, after: $after) {
    nodes { id job trigger status seconds counts { name count } report error } pageInfo { hasNextPage endCursor } } }"""


async def run_once(database: Database, job: str, **ending: Any) -> int:
    """Record a run that began and ended; without an ending, it goes on."""
    async with database.transaction() as connection:
        run_id = await begin_run(connection, job, "hand")
        if ending:
            await end_run(connection, run_id, **ending)
    return run_id


async def payload(ws: aiohttp.ClientWebSocketResponse) -> Any:
    """Return the data of the next message."""
    message = await ws.receive_json(timeout=20)
    assert message["type"] == "next", message
    return message["payload"]["data"]


async def test_runs_come_page_by_page_the_latest_first(api: GraphQL, database: Database) -> None:
    ids = [
        await run_once(database, "queue-alliances", status="succeeded", counts={"queued": 3}, report="3 queued."),
        await run_once(database, "update-prices", status="failed", counts={}, error="no such file"),
        await run_once(database, "queue-alliances"),
    ]
    page = (await api.data(RUNS, {"first": 2}))["jobRuns"]
    assert [run["id"] for run in page["nodes"]] == ids[:0:-1]
    assert [run["status"] for run in page["nodes"]] == ["running", "failed"]
    assert (page["nodes"][1]["error"], page["nodes"][0]["seconds"]) == ("It failed; the log has why.", None)
    assert page["pageInfo"]["hasNextPage"] is True
    rest = (await api.data(RUNS, {"first": 2, "after": page["pageInfo"]["endCursor"]}))["jobRuns"]
    (first,) = rest["nodes"]
    assert (first["id"], first["report"], first["trigger"]) == (ids[0], "3 queued.", "hand")
    assert first["counts"] == [{"name": "queued", "count": 3}]
    assert rest["pageInfo"]["hasNextPage"] is False
    of_job = (await api.data(RUNS, {"job": "queue-alliances"}))["jobRuns"]["nodes"]
    assert [run["id"] for run in of_job] == [ids[2], ids[0]]


async def test_runs_that_cannot_be_asked_for_are_refused(api: GraphQL) -> None:
    for variables, code in (
        ({"job": "nonsense"}, "NOT_FOUND"),
        ({"job": "worker-types"}, "REFUSED"),
        ({"first": 0}, "BAD_REQUEST"),
        ({"first": 201}, "BAD_REQUEST"),
        ({"after": "nonsense"}, "BAD_CURSOR"),
    ):
        assert (await api.error(RUNS, variables))["extensions"] == {"code": code}


async def test_a_process_tells_of_its_queue_and_its_last_run(
    api: GraphQL, settings: Settings, database: Database
) -> None:
    run_id = await run_once(database, "queue-alliances", status="succeeded", counts={})
    async with database.connection() as connection:
        await note_skipped(connection, "queue-alliances", "hand", "It runs already.")
    async with open_broker(settings, database) as broker:
        await broker.publish_many("esi_character_info_queue", [CharacterMessage(1)])
    query = "{ fleet { name memoryLimitMb worker { queueName messageCount } lastRun { id status } } }"
    rows = {row["name"]: row for row in (await api.data(query))["fleet"]}
    assert list(rows) == [row.name for row in FLEET]
    assert rows["worker-characters"] == {
        "name": "worker-characters",
        "memoryLimitMb": 512,
        "worker": {"queueName": "esi_character_info_queue", "messageCount": 1},
        "lastRun": None,
    }
    assert rows["queue-alliances"]["lastRun"] == {"id": run_id, "status": "succeeded"}
    assert rows["worker-redisq"]["worker"] is None


async def test_a_run_is_told_when_it_begins_and_when_it_ends(api: GraphQL, database: Database) -> None:
    await run_once(database, "update-prices", status="succeeded", counts={})
    follow = "subscription { jobRuns { id status counts { count } } }"
    async with api.subscription(follow) as one, api.subscription(follow) as other:
        run_id = await run_once(database, "queue-alliances")
        for ws in (one, other):
            assert await payload(ws) == {"jobRuns": {"id": run_id, "status": "running", "counts": []}}
        async with database.connection() as connection:
            await end_run(connection, run_id, "succeeded", {"queued": 7})
        for ws in (one, other):
            assert await payload(ws) == {"jobRuns": {"id": run_id, "status": "succeeded", "counts": [{"count": 7}]}}


async def test_the_rows_of_the_workers_come_at_once_and_when_one_changes(
    api: GraphQL, settings: Settings, database: Database
) -> None:
    async with api.subscription("subscription { workerStatus { queueName messageCount } }") as ws:
        rows = (await payload(ws))["workerStatus"]
        assert rows == [{"queueName": row.queue, "messageCount": 0} for row in QUEUES]
        async with open_broker(settings, database) as broker:
            await broker.publish_many("esi_type_info_queue", [TypeMessage(1)])
        rows = (await payload(ws))["workerStatus"]
        assert {row["queueName"]: row["messageCount"] for row in rows}["esi_type_info_queue"] == 1
