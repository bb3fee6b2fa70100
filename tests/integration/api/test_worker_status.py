"""`workerStatus` and `fleet`: exactly the contract's rows, right counts, an answer with no broker."""

from __future__ import annotations

import aiohttp
from pydantic import SecretStr

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.coordination.heartbeats import beat
from killreport.db.database import Database
from killreport.fleet.table import FLEET, QUEUES
from killreport.queueing.messages import CharacterMessage
from killreport.queueing.open import open_broker
from tests.integration.serving import GraphQL, serving

CONTRACT = "query { workerStatus { queueName messageCount consumerCount } }"
ALL = """query { workerStatus { queueName messageCount deadLetterCount processName kind isAlive ratePerSecond
         lastSuccessAt lastError oldestMessageAt trouble } }"""


async def test_the_contracts_query_has_one_row_for_each_queue(
    api: GraphQL, settings: Settings, database: Database
) -> None:
    async with open_broker(settings, database) as broker:
        await broker.publish_many("esi_character_info_queue", [CharacterMessage(number + 1) for number in range(3)])
        rows = (await api.data(CONTRACT))["workerStatus"]
    assert rows == [
        {
            "queueName": row.queue,
            "messageCount": 3 if row.name == "worker-characters" else 0,
            "consumerCount": 0,
        }
        for row in QUEUES
    ]


async def test_a_row_tells_how_the_worker_does(api: GraphQL, database: Database) -> None:
    async with beat(database, "worker-types") as heartbeat:
        heartbeat.succeeded(2)
        heartbeat.failed("ESI said no")
        await heartbeat.write(database)
        rows = (await api.data(ALL))["workerStatus"]
    row = next(row for row in rows if row["processName"] == "worker-types")
    assert (row["isAlive"], row["kind"], row["trouble"]) == (True, "worker", None)
    assert row["lastError"] == "It failed; the log has why."
    assert row["ratePerSecond"] > 0
    assert row["lastSuccessAt"] is not None
    assert [row["isAlive"] for row in rows].count(True) == 1


async def test_a_broker_that_is_away_is_told_in_the_row(settings: Settings, database: Database) -> None:
    away = settings.model_copy(update={"broker_url": SecretStr("amqp://guest:secret@127.0.0.1:1/")})
    async with serving(create_app(away, database)) as address, aiohttp.ClientSession() as session:
        rows = (await GraphQL(session, address).data(ALL))["workerStatus"]
    assert [row["messageCount"] for row in rows] == [None] * len(QUEUES)
    assert {row["trouble"] for row in rows} == {"The queues cannot be reached."}


async def test_processes_are_the_fleet_in_its_order(api: GraphQL) -> None:
    fields = "{ name kind isExtra nextRunAt isAlive schedule }"
    answer = await api.data(f"{{ fleet {fields} processes {fields} }}")
    rows = answer["fleet"]
    assert answer["processes"] == rows
    assert [row["name"] for row in rows] == [row.name for row in FLEET]
    assert [row["isExtra"] for row in rows] == [False] * 17 + [True] * (len(FLEET) - 17)
    assert all((row["nextRunAt"] is not None) == (row["kind"] == "job") for row in rows)
