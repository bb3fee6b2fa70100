"""An API whose way to the database swallows answers in its time, says so, and is well again by itself."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from killreport.api import plain
from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db import connection
from killreport.db.database import Database, open_pool
from tests.cable import cable_to
from tests.integration.serving import GraphQL, serving

ASK = "{ killmails(first: 1) { nodes { id } } }"


async def test_a_swallowed_database_is_answered_as_one_that_is_away(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "HEALTH_SECONDS", 0.5)
    monkeypatch.setattr(plain, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.5)
    async with (
        cable_to(database.url) as cable,
        open_pool(cable.url, 2, "behind", seconds=1.0) as behind,
        serving(create_app(settings, behind)) as address,
        aiohttp.ClientSession() as session,
    ):
        api = GraphQL(session, address)
        assert await api.data(ASK) == {"killmails": {"nodes": []}}
        cable.swallow()
        async with asyncio.timeout(30):
            error = await api.error(ASK)
            async with session.get(f"{address}/healthz") as response:
                health = (response.status, await response.text())
            async with session.get(f"{address}/history/20260101.json") as response:
                rest = response.status
        assert error["message"] == "The database does not answer; try again shortly."
        assert error["extensions"] == {"code": "UNAVAILABLE"}
        assert health == (503, "The database does not answer.")
        assert rest == 503
        cable.spit()
        async with session.get(f"{address}/healthz") as response:
            assert response.status == 200
        assert await api.data(ASK) == {"killmails": {"nodes": []}}


async def test_healthz_of_a_database_that_lets_nobody_in_is_503_and_of_one_for_reading_only_200(
    settings: Settings, database: Database, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "FRESH_SECONDS", 0.0)
    async with database.connection() as asking:
        name = await asking.fetchval("select quote_ident(current_database())")

    async def health() -> int:
        async with session.get(f"{address}/healthz") as response:
            return response.status

    async with (
        open_pool(server_url, 1, "operator") as server,
        server.connection() as operator,
        serving(create_app(settings, database)) as address,
        aiohttp.ClientSession() as session,
    ):
        await operator.execute(f"alter database {name} set default_transaction_read_only = on")
        assert await health() == 200
        await operator.execute(f"alter database {name} allow_connections false")
        assert await health() == 503
        await operator.execute(f"alter database {name} allow_connections true")
        assert await health() == 200
