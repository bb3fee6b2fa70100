"""What can be done through the API, and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec
import pytest
from graphql import GraphQLField, is_list_type, is_non_null_type
from pydantic import SecretStr

from killreport.api.app import create_app
from killreport.api.door.caller import NO_OPERATOR, NO_TOKEN, WRONG_TOKEN
from killreport.api.door.rights import right_of
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import Permanent
from killreport.queueing.broker import Broker, Delivery
from killreport.queueing.messages import CharacterMessage, Message
from killreport.queueing.open import open_broker
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import ControlReply, Request
from tests.integration.kills import CORPORATION, PILOT, RIFTER, name_everybody
from tests.integration.serving import GraphQL, serving

TOKEN = "an-operator's-token".replace("'", "-") + "-0123456789"
QUEUE = "esi_character_info_queue"
REFRESH = "mutation($kind: RefreshKind!, $id: ID64!) { refreshEntity(kind: $kind, id: $id) { state refreshedAt } }"


class Caller(GraphQL):
    """A client that sends headers of its own."""

    def __init__(self, session: aiohttp.ClientSession, address: str, headers: Mapping[str, str]) -> None:
        super().__init__(session, address)
        self.headers = headers

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the whole answer, errors included."""
        body = {"query": query, "variables": variables}
        async with self.session.post(f"{self.address}/graphql", json=body, headers=self.headers) as response:
            answer: dict[str, Any] = await response.json()
            return answer


@pytest.fixture
async def operated(settings: Settings, database: Database) -> AsyncIterator[GraphQL]:
    """Yield a client without a token, of an API that has an operator."""
    app = create_app(settings.model_copy(update={"operator_token": SecretStr(TOKEN)}), database)
    async with serving(app) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)


def as_operator(api: GraphQL, token: str = TOKEN) -> Caller:
    """Return a client of the same API that sends the token."""
    return Caller(api.session, api.address, {"Authorization": f"Bearer {token}"})


@pytest.fixture
async def broker(settings: Settings, database: Database) -> AsyncIterator[Broker]:
    """Yield the queues."""
    async with open_broker(settings, database) as opened:
        yield opened


async def give_up(broker: Broker, number: int) -> None:
    """Have so many messages given up."""

    async def refuse(message: Message, delivery: Delivery) -> None:
        raise Permanent("no such pilot")

    await broker.publish_many(QUEUE, [CharacterMessage(1 + at) for at in range(number)])
    await broker.consume(QUEUE, refuse, prefetch=1, stop=asyncio.Event(), drain=True)


OPERATOR_FIELDS: list[tuple[str, str, GraphQLField]] = [
    (kind, name, field)
    for schema in [build_schema()]
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type))
    if root is not None
    for name, field in root.fields.items()
    if right_of(field) == "OPERATOR"
]


def document(kind: str, name: str, field: GraphQLField) -> str:
    """Return an operation that asks for the field, with some value for every argument it needs."""
    values = {"String": f'"{QUEUE}"', "Int": "1", "ID64": "1"}
    needed = [
        f"{argument}: {values[str(meant.type.of_type)]}"
        for argument, meant in field.args.items()
        if is_non_null_type(meant.type) and meant.default is None
    ]
    if "all" in field.args:
        needed.append("all: true")
    returned: Any = field.type
    while is_non_null_type(returned) or is_list_type(returned):
        returned = returned.of_type
    selection = " { __typename }" if hasattr(returned, "fields") else ""
    return f"{kind} {{ {name}({', '.join(needed)}){selection} }}"


async def everything(database: Database) -> list[Any]:
    """Return what operations change."""
    async with database.connection() as connection:
        return [
            [tuple(row) for row in await connection.fetch(f"select * from {table} order by 1")]
            for table in ("dead_letter", "queue_message", "refresh_ledger", "job_run")
        ]


@pytest.mark.parametrize(
    "asked", [document(*field) for field in OPERATOR_FIELDS], ids=[name for _, name, _ in OPERATOR_FIELDS]
)
async def test_what_is_an_operators_is_refused_to_everybody_else(
    operated: GraphQL, api: GraphQL, broker: Broker, database: Database, asked: str
) -> None:
    await give_up(broker, 2)
    before = await everything(database)
    short = Caller(api.session, operated.address, {"Authorization": f"Basic {TOKEN}"})
    for caller, sentence in (
        (operated, NO_TOKEN),
        (as_operator(operated, TOKEN[:-1]), WRONG_TOKEN),
        (as_operator(operated, TOKEN + "0"), WRONG_TOKEN),
        (as_operator(operated, ""), WRONG_TOKEN),
        (short, NO_TOKEN),
        (api, NO_OPERATOR),
        (as_operator(api), NO_OPERATOR),
    ):
        error = await caller.error(asked)
        assert (error["message"], error["extensions"]) == (sentence, {"code": "FORBIDDEN"})
        assert TOKEN not in str(error)
    assert await everything(database) == before


async def test_the_token_is_asked_for_over_a_websocket_too(operated: GraphQL, broker: Broker) -> None:
    await give_up(broker, 1)
    purge = f'mutation {{ purgeDeadLetters(queue: "{QUEUE}", all: true) }}'
    headers, protocols = {"Authorization": f"Bearer {TOKEN}"}, ["graphql-transport-ws"]
    for given, expected in (({}, None), (headers, 1)):
        socket = operated.session.ws_connect(f"{operated.address}/graphql", protocols=protocols, headers=given)
        async with socket as ws:
            await ws.send_json({"type": "connection_init"})
            assert (await ws.receive_json(timeout=10))["type"] == "connection_ack"
            await ws.send_json({"type": "subscribe", "id": "1", "payload": {"query": purge}})
            answer = await ws.receive_json(timeout=10)
        done = answer["payload"]["data"]["purgeDeadLetters"] if answer["type"] == "next" else None
        assert done == expected


async def test_a_mutation_is_not_taken_by_get(operated: GraphQL, broker: Broker, database: Database) -> None:
    await give_up(broker, 1)
    before = await everything(database)
    query = f'mutation {{ purgeDeadLetters(queue: "{QUEUE}", all: true) }}'
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with operated.session.get(f"{operated.address}/graphql", params={"query": query}, headers=headers) as got:
        assert "errors" in await got.json()
    assert await everything(database) == before


async def test_the_operator_reads_retries_and_purges_dead_letters(operated: GraphQL, broker: Broker) -> None:
    await give_up(broker, 3)
    operator = as_operator(operated)
    fields = "{ id queueName body reason attempts diedAt }"
    letters = (await operator.data(f'{{ deadLetters(queue: "{QUEUE}") {fields} }}'))["deadLetters"]
    assert [(letter["body"], letter["reason"], letter["attempts"]) for letter in letters] == [
        (f'{{"character_id":{number}}}', "Permanent: no such pilot (attempt 1 of 12)", 1) for number in (3, 2, 1)
    ]
    ids = [letter["id"] for letter in letters]
    retry = f'mutation($ids: [ID!]) {{ retryDeadLetters(queue: "{QUEUE}", ids: $ids) }}'
    assert await operator.data(retry, {"ids": ids[:1]}) == {"retryDeadLetters": 1}
    assert await operator.data(retry, {"ids": ids[:1]}) == {"retryDeadLetters": 0}
    counts = await broker.counts(QUEUE)
    assert (counts.ready, counts.dead) == (1, 2)
    purge = f'mutation {{ purgeDeadLetters(queue: "{QUEUE}", all: true) }}'
    assert await operator.data(purge) == {"purgeDeadLetters": 2}
    counts = await broker.counts(QUEUE)
    assert (counts.ready, counts.dead) == (1, 0)


async def test_which_letters_must_be_said(operated: GraphQL) -> None:
    operator = as_operator(operated)
    for arguments in ("", ", ids: [], all: true", ", ids: []"):
        error = await operator.error(f'mutation {{ purgeDeadLetters(queue: "{QUEUE}"{arguments}) }}')
        assert error["extensions"] == {"code": "BAD_REQUEST"}
        assert "`ids`" in error["message"]
    error = await operator.error('mutation { purgeDeadLetters(queue: "nonsense", all: true) }')
    assert error["extensions"] == {"code": "NOT_FOUND"}
    error = await operator.error(f'{{ deadLetters(queue: "{QUEUE}", first: 201) {{ id }} }}')
    assert error["message"] == "`first` must be from 1 to 200, not 201."


async def test_ids_that_are_none_change_nothing(operated: GraphQL, broker: Broker, database: Database) -> None:
    await give_up(broker, 1)
    before = await everything(database)
    answer = await as_operator(operated).ask(f'mutation {{ retryDeadLetters(queue: "{QUEUE}", ids: ["no id"]) }}')
    assert "INTERNAL" not in str(answer)
    assert await everything(database) == before


async def test_a_job_is_not_started_where_no_supervisor_answers(operated: GraphQL, database: Database) -> None:
    operator = as_operator(operated)
    error = await operator.error('mutation { triggerJob(name: "queue-alliances") }')
    assert error["message"].startswith("No supervisor answers on the machine of the API, so nothing was started")
    assert error["extensions"] == {"code": "UNAVAILABLE"}
    for name, code in (("worker-types", "REFUSED"), ("nonsense", "NOT_FOUND")):
        error = await operator.error(f'mutation {{ triggerJob(name: "{name}") }}')
        assert error["extensions"] == {"code": code}


async def test_a_known_entity_is_queued_once(api: GraphQL, broker: Broker, database: Database) -> None:
    await name_everybody(database)
    async with database.connection() as connection:
        await connection.execute("update character set refreshed_at = now() - interval '1 day'")
        await connection.execute("update corporation set refreshed_at = now() - interval '9 minutes'")
    requests = [api.data(REFRESH, {"kind": "CHARACTER", "id": PILOT}) for _ in range(4)]
    states = [answer["refreshEntity"]["state"] for answer in await asyncio.gather(*requests)]
    assert sorted(states) == ["QUEUED", "WAITING", "WAITING", "WAITING"]
    (waiting,) = await broker.peek(QUEUE, 10)
    assert (waiting.body, waiting.priority) == (f'{{"character_id":{PILOT}}}'.encode(), 2)
    fresh = await api.data(REFRESH, {"kind": "CORPORATION", "id": CORPORATION})
    assert fresh["refreshEntity"]["state"] == "FRESH"
    assert (await broker.counts("esi_corporation_info_queue")).ready == 0


async def test_a_type_that_was_never_told_of_is_queued(api: GraphQL, broker: Broker) -> None:
    answer = await api.data(REFRESH, {"kind": "TYPE", "id": RIFTER})
    assert answer == {"refreshEntity": {"state": "QUEUED", "refreshedAt": None}}
    assert (await broker.counts("esi_type_info_queue")).ready == 1


async def test_what_was_never_seen_is_not_asked_for(api: GraphQL, database: Database) -> None:
    before = await everything(database)
    for kind in ("CHARACTER", "CORPORATION", "ALLIANCE", "TYPE"):
        error = await api.error(REFRESH, {"kind": kind, "id": 2_000_000_000})
        assert error["extensions"] == {"code": "NOT_FOUND"}
    assert await everything(database) == before


async def test_a_wish_waits_on_the_ledger_where_no_queue_answers(settings: Settings, database: Database) -> None:
    await name_everybody(database)
    async with database.connection() as connection:
        await connection.execute("update character set refreshed_at = now() - interval '1 day'")
    away = settings.model_copy(update={"broker_url": SecretStr("amqp://guest:secret@127.0.0.1:1/")})
    async with serving(create_app(away, database)) as address, aiohttp.ClientSession() as session:
        answer = await GraphQL(session, address).data(REFRESH, {"kind": "CHARACTER", "id": PILOT})
    assert answer["refreshEntity"]["state"] == "WAITING"
    async with database.connection() as connection:
        (row,) = await connection.fetch("select entity_id, queued_at from refresh_ledger")
    assert tuple(row) == (PILOT, None)


async def test_more_wishes_than_connections_are_all_queued(api: GraphQL, broker: Broker, database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into character (character_id, name, refreshed_at)"
            " select id, 'Alice', now() - interval '1 day' from generate_series(1, 20) as id"
        )
    requests = [api.data(REFRESH, {"kind": "CHARACTER", "id": 1 + number}) for number in range(20)]
    states = {answer["refreshEntity"]["state"] for answer in await asyncio.gather(*requests)}
    assert states == {"QUEUED"}
    assert (await broker.counts(QUEUE)).ready == 20


async def test_a_job_is_started_by_the_supervisor_of_the_same_home(operated: GraphQL, settings: Settings) -> None:
    asked: list[Request] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(msgspec.json.decode(await reader.readline(), type=Request))
        busy = ControlReply(error="queue-alliances is running already.", error_kind="Conflict")
        writer.write(msgspec.json.encode(ControlReply() if len(asked) == 1 else busy) + b"\n")
        await writer.drain()
        writer.close()

    folder = FleetFolder.make(settings.home)
    trigger = 'mutation { triggerJob(name: "queue-alliances") }'
    async with await asyncio.start_unix_server(answer, folder.control):
        assert await as_operator(operated).data(trigger) == {"triggerJob": "queue-alliances"}
        error = await as_operator(operated).error(trigger)
        assert (await operated.error(trigger))["extensions"] == {"code": "FORBIDDEN"}
    assert (error["message"], error["extensions"]["code"]) == ("queue-alliances is running already.", "CONFLICT")
    assert asked == [Request(verb="trigger", name="queue-alliances")] * 2
