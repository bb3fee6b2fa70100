"""Answers that are kept, documents that are known by their hash."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json

import pytest
import structlog

from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.guarding import FOLLOW, PAGE, guarded, post
from tests.integration.kills import arrival, store
from tests.integration.serving import GraphQL

QUERY = {"query": PAGE}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings with a memory for answers."""
    return settings.replace(api_cache_bytes=2**24)


async def test_an_answer_is_named_and_not_sent_again_to_who_has_it(api: GraphQL) -> None:
    _, headers, body = await post(api, QUERY)
    assert headers["Cache-Control"].startswith("public, max-age=")
    status, again, nothing = await post(api, QUERY, {"If-None-Match": headers["ETag"]})
    assert (status, again["ETag"], nothing) == (304, headers["ETag"], b"")
    status, _, whole = await post(api, QUERY, {"If-None-Match": '"something-else"'})
    assert (status, whole) == (200, body)
    async with api.session.get(f"{api.address}/graphql", params=QUERY) as response:
        assert response.headers["ETag"] == headers["ETag"]


async def test_documents_that_mean_the_same_have_one_answer(api: GraphQL, database: Database) -> None:
    await post(api, QUERY)
    async with database.transaction() as connection:
        await connection.execute("alter table killmail rename to elsewhere")
    status, _, body = await post(api, {"query": "query {\n  killmails(first: 10) { nodes { id, } } # same\n}"})
    assert (status, json.loads(body)) == (200, {"data": {"killmails": {"nodes": []}}})


async def test_who_has_a_cookie_or_a_token_is_never_given_a_kept_answer(api: GraphQL) -> None:
    await post(api, QUERY)
    for own in ({"Cookie": "session=1"}, {"Authorization": "Bearer 1"}):
        _, headers, _ = await post(api, QUERY, own)
        assert headers["Cache-Control"] == "no-store"
        assert "ETag" not in headers


async def test_an_answer_with_an_error_is_not_kept(api: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("alter table killmail rename to elsewhere")
    with structlog.testing.capture_logs():
        _, headers, body = await post(api, QUERY)
    assert "errors" in json.loads(body)
    assert headers["Cache-Control"] == "no-store"
    async with database.transaction() as connection:
        await connection.execute("alter table elsewhere rename to killmail")
    assert json.loads((await post(api, QUERY))[2]) == {"data": {"killmails": {"nodes": []}}}


async def test_a_subscriber_who_is_told_of_a_kill_finds_it_in_the_list(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    async with api.subscription(FOLLOW) as ws:
        for number in (20, 21, 22):
            before = await api.data(PAGE)
            await store(writer, database, arrival(number))
            await ws.receive_json(timeout=20)
            after = await api.data(PAGE)
            assert len(after["killmails"]["nodes"]) == len(before["killmails"]["nodes"]) + 1


async def test_a_large_answer_is_kept_compressed(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, *(arrival(number) for number in range(100, 150)))
    query = {"query": "{ killmails { nodes { id hash cursor time victim { shipType { name } } } } }"}
    async with api.session.post(f"{api.address}/graphql", json=query) as response:
        whole = await response.json()
    async with asyncio.timeout(20):
        _, plain, body = await post(api, query)
        _, headers, packed = await post(api, query, {"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert headers["ETag"] != plain["ETag"]
    unpacked = packed if packed.startswith(b"{") else gzip.decompress(packed)
    assert json.loads(unpacked) == json.loads(body) == whole


async def test_nothing_is_kept_where_the_settings_say_so(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, api_cache_bytes=0) as api:
        _, headers, _ = await post(api, QUERY)
        assert headers["Cache-Control"] == "no-store"


async def test_a_document_can_be_asked_by_its_hash_once_it_was_sent(api: GraphQL) -> None:
    digest = hashlib.sha256(PAGE.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    status, _, body = await post(api, {"extensions": extensions})
    assert (status, json.loads(body)["errors"]) == (
        200,
        [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}],
    )
    await post(api, {"query": PAGE, "extensions": extensions})
    parameters = {"extensions": json.dumps(extensions)}
    async with api.session.get(f"{api.address}/graphql", params=parameters) as response:
        assert await response.json() == {"data": {"killmails": {"nodes": []}}}


async def test_a_document_that_is_wrong_is_not_remembered_by_its_hash(api: GraphQL) -> None:
    text = "{ nonsense }"
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
    await post(api, {"query": text, "extensions": extensions})
    _, _, body = await post(api, {"extensions": extensions})
    assert json.loads(body)["errors"][0]["message"] == "PersistedQueryNotFound"
