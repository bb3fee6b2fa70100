"""What strangers learn and may: no word of the inside, no link of their making, no right of another's name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import structlog.testing
from graphql import GraphQLObjectType, get_named_type
from pydantic import SecretStr
from starlette.datastructures import Headers

from killreport.answering import STRICT_HEADERS, Answering
from killreport.api.app import create_app
from killreport.api.door.rights import right_of, word_of
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.db.database import Database
from killreport.door.client import Clients
from killreport.web.app import create_app as create_site
from tests.integration.serving import GraphQL, serving
from tests.security.walking import Step, walk

TOKEN = "an-operator-of-the-tests-1234"
AWAY = {"broker_url": SecretStr("amqp://guest:hidden@127.0.0.1:1/")}
EVIL = "rebound.example:4000"


@pytest.fixture
async def served(settings: Settings, database: Database) -> AsyncIterator[GraphQL]:
    """Yield a client of an API that has an operator, origins of its own, and no broker."""
    changes: dict[str, Any] = {
        "operator_token": SecretStr(TOKEN),
        "api_allowed_origins": "https://tool.example",
        **AWAY,
    }
    own = settings.model_copy(update={**changes, "public_url": "https://board.example"})
    async with serving(create_app(own, database)) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)


async def asked(api: GraphQL, query: str, token: str | None = None) -> dict[str, Any]:
    """Return an answer, asked for with a token."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with api.session.post(f"{api.address}/graphql", json={"query": query}, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def test_a_feed_that_caches_keep_says_nothing_of_the_request_s_host(settings: Settings, api: Answering) -> None:
    del settings
    steps = [
        Step(f"/feeds/killmails.{kind}", headers)
        for kind in ("atom", "rss")
        for headers in (
            (),
            (("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("forwarded", "host=evil.example")),
        )
    ]
    answers = await walk(api, steps)
    assert all("public" in (answer.header("cache-control") or "") for _, answer in answers)
    assert len({answer.body for _, answer in answers}) == 2
    assert all(
        b"evil" not in answer.body and b'href="http://127.0.0.1:4000/feeds/' in answer.body for _, answer in answers
    )


async def test_a_feed_links_to_itself_under_the_configured_url(served: GraphQL) -> None:
    headers = {"Host": "evil.example"}
    async with served.session.get(f"{served.address}/feeds/killmails.atom?solo=true", headers=headers) as response:
        text = await response.text()
    assert 'href="https://board.example/feeds/killmails.atom?solo=true"' in text
    assert "evil" not in text


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (f"http://{EVIL}", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("https://board.example.evil.example", 403),
        ("https://tool.example", 101),
        ("https://board.example", 101),
        ("http://localhost:4000", 101),
        (None, 101),
    ],
)
async def test_a_websocket_is_opened_by_configured_origins_only(
    served: GraphQL, origin: str | None, status: int
) -> None:
    headers = {"Host": EVIL, **({"Origin": origin} if origin else {})}
    opening = served.session.ws_connect(
        f"{served.address}/graphql", protocols=["graphql-transport-ws"], headers=headers
    )
    if status == 101:
        async with opening as socket:
            await socket.send_json({"type": "connection_init"})
            assert (await socket.receive_json(timeout=10))["type"] == "connection_ack"
        return
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await opening
    assert refused.value.status == status
    assert refused.value.headers is not None
    assert refused.value.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "is_limited"),
    [
        ("127.0.0.1:4000", False), ("localhost:4000", False), ("[::1]:4000", False), ("api:4000", False),
        ("board.example", False), (None, False), (EVIL, True), ("127.0.0.1.evil.example", True), ("localhost.", True),
    ],
)  # fmt: skip
def test_the_exemption_of_this_machine_needs_a_name_of_ours(
    settings: Settings, host: str | None, *, is_limited: bool
) -> None:
    clients = Clients(settings.replace(public_url="https://board.example"))
    headers = Headers({} if host is None else {"host": host})
    assert clients.client_of("127.0.0.1", headers).is_limited is is_limited


def test_every_field_that_tells_of_failures_is_for_the_operator() -> None:
    schema = build_schema()
    open_fields = {
        f"{name}.{field_name}"
        for name, kind in schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
        for field_name, field in kind.fields.items()
        if any(part in field_name.lower() for part in ("error", "trouble", "reason", "exception", "traceback"))
        and get_named_type(field.type).name == "String"
        and word_of(field) is None
        and right_of(field) is None
    }
    # Dead letters are the operator's as a whole; the feed's is made of our own words.
    assert open_fields == {"DeadLetter.reason", "FeedState.trouble"}


ERRORS = """{ workerStatus { trouble lastError } fleet { name lastError } jobRuns(first: 5) { nodes { error } } }"""


async def test_strangers_read_a_word_and_the_operator_the_text(served: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            """insert into job_run (job, trigger, status, started_at, ended_at, error)
               values ('update-prices', 'hand', 'failed', now(), now(), 'ssl: hidden.internal:5432 refused')"""
        )
    anybody, operator = await asked(served, ERRORS), await asked(served, ERRORS, TOKEN)
    wrong = await asked(served, ERRORS, "not-the-token-of-the-operator")
    assert wrong == anybody
    assert "hidden.internal" not in str(anybody)
    assert "127.0.0.1:1" not in str(anybody)
    assert {row["trouble"] for row in anybody["data"]["workerStatus"]} == {"The queues cannot be reached."}
    assert anybody["data"]["jobRuns"]["nodes"] == [{"error": "It failed; the log has why."}]
    assert operator["data"]["jobRuns"]["nodes"] == [{"error": "ssl: hidden.internal:5432 refused"}]
    assert "hidden.internal" in str(operator["data"]["fleet"])
    assert {row["trouble"] for row in operator["data"]["workerStatus"]} != {"The queues cannot be reached."}


async def test_what_does_not_answer_is_named_to_the_operator_only(served: GraphQL) -> None:
    refresh = "mutation { refreshEntity(kind: CHARACTER, id: 2112000001) { state } }"
    letters = '{ deadLetters(queue: "esi_character_info_queue") { id } }'
    with structlog.testing.capture_logs() as logs:
        anybody = await asked(served, refresh)
        operator = await asked(served, letters, TOKEN)
    assert "127.0.0.1:1" not in str(anybody)
    assert "RabbitMQ" in operator["errors"][0]["message"]
    assert operator["errors"][0]["message"] != "Something that this needs does not answer; try again shortly."
    assert [entry["event"] for entry in logs if entry["event"] == "operator_call"] == ["operator_call"]


async def test_wrong_tokens_and_the_operators_calls_are_in_the_log_without_a_token(served: GraphQL) -> None:
    letters = '{ deadLetters(queue: "characters", first: 7) { id } }'
    with structlog.testing.capture_logs() as logs:
        for number in range(9):
            await asked(served, letters, f"a-guess-at-the-token-number-{number}")
        await asked(served, letters, TOKEN)
        await asked(served, letters)
    wrong = [entry for entry in logs if entry["event"] == "operator_token_wrong"]
    assert [entry["tries"] for entry in wrong] == [1, 2, 4, 8]
    assert all((entry["client"], entry["path"]) == ("127.0.0.1", "/graphql") for entry in wrong)
    (call,) = [entry for entry in logs if entry["event"] == "operator_call"]
    assert (call["client"], call["field"], call["outcome"]) == ("127.0.0.1", "Query.deadLetters", "failed")
    assert call["arguments"] == {"queue": "characters", "first": "7"}
    assert TOKEN not in str(logs)
    assert "a-guess" not in str(logs)


RAW = {
    "no HTTP": b"\x16\x03\x01 nonsense\r\n\r\n",
    "a bad version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "no UTF-8 in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
    "a socket without a key": b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "a socket with a short key": (
        b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n"
    ),
    "a socket where none is": (
        b"GET /nothing HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ),
    "a socket by post": (
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ),
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address of no host": b"GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n",
    "an endless head": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    "a long address": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("service", ["api", "site"])
async def test_what_the_server_itself_refuses_has_the_headers_too(
    settings: Settings, database: Database, service: str, name: str
) -> None:
    app = create_app(settings, database) if service == "api" else create_site(settings)
    async with serving(app) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(RAW[name])
        async with asyncio.timeout(20):
            said = await reader.read()
        writer.close()
    head, _, _ = said.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    assert status.split()[1].startswith("4"), said
    assert set(map(str.lower, STRICT_HEADERS)) <= {line.partition(":")[0].lower() for line in lines}, said
