"""A route that answers 404 to everything tells of nobody, and a true 404 is told at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from killreport.clock import monotonic
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import HostAway, NotFound
from killreport.esi import outage
from killreport.esi.bulk import MAX_REFUSALS
from killreport.esi.client import EsiClient, open_esi

PILOTS = range(90_000_001, 90_000_065)


class Esi:
    """Characters, one of whom may be deleted, behind a route that may be away."""

    def __init__(self) -> None:
        self.is_away = False
        self.deleted: set[int] = set()
        self.asked: list[str] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.is_away:
            return web.json_response({"error": "Not found"}, status=404)
        if request.method == "POST":
            ids = await request.json()
            if self.deleted.intersection(ids):
                return web.json_response({"error": "Ensure all IDs are valid before resolving."}, status=404)
            if request.path == "/universe/names":
                return web.json_response([{"id": i, "name": "Ana", "category": "character"} for i in ids])
            return web.json_response([{"character_id": i, "corporation_id": 98_000_001} for i in ids])
        entity_id = int(request.path.split("/")[2])
        if entity_id in self.deleted:
            return web.json_response({"error": "Character has been deleted!"}, status=404)
        body = {"name": "Ana", "ticker": "ANA", "corporation_id": 98_000_001}
        return web.json_response(body)


@pytest.fixture
async def server() -> AsyncIterator[Esi]:
    esi = Esi()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", esi.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    esi.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield esi
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have probes follow each other soon, and let nobody wait for one."""
    monkeypatch.setattr(outage, "FIRST_PROBE_SECONDS", 0.3)
    monkeypatch.setattr(outage, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(outage, "HOLD_SECONDS", 0.3)


@asynccontextmanager
async def client_of(settings: Settings, database: Database, server: Esi) -> AsyncIterator[EsiClient]:
    here = settings.replace(esi_url=server.url, esi_requests_per_second=5000.0)
    async with open_esi(here, database) as esi:
        yield esi


async def outcomes(esi: EsiClient, ids: Iterable[int]) -> list[str]:
    """Ask for all at once and return what became of each."""
    found = await asyncio.gather(*(esi.character(i) for i in ids), return_exceptions=True)
    return [type(one).__name__ for one in found]


async def until_answered(esi: EsiClient, pilot: int) -> None:
    async with asyncio.timeout(60):
        while await outcomes(esi, [pilot]) != ["EsiCharacter"]:  # noqa: ASYNC110 - it is another process that finds out
            await asyncio.sleep(0.1)


async def forget_answers(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from esi_cache")


async def test_a_route_that_answers_404_to_everything_tells_of_nobody(
    settings: Settings, database: Database, server: Esi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "FIRST_PROBE_SECONDS", 30.0)
    async with client_of(settings, database, server) as esi:
        await esi.character(PILOTS[0])
        server.is_away = True
        server.asked.clear()
        assert set(await outcomes(esi, PILOTS[1:11])) == {"HostAway"}
        # Those that were under way, and a canary for all of them; on a busy machine one more for who comes between two.
        assert len(server.asked) < 15
        server.asked.clear()
        assert set(await outcomes(esi, PILOTS)) == {"HostAway", "EsiCharacter"}  # one is in the cache
        assert server.asked == []


async def test_a_run_of_404s_without_any_answer_before_tells_of_nobody(
    settings: Settings, database: Database, server: Esi
) -> None:
    server.is_away = True
    async with client_of(settings, database, server) as esi:
        assert set(await outcomes(esi, PILOTS[:10])) == {"HostAway"}


async def test_the_route_is_back_for_all_processes_when_a_probe_is_answered(
    settings: Settings, database: Database, server: Esi
) -> None:
    async with client_of(settings, database, server) as one, client_of(settings, database, server) as other:
        await one.character(PILOTS[0])
        server.is_away = True
        with pytest.raises(HostAway):
            await one.character(PILOTS[1])
        with pytest.raises(HostAway):
            await other.character(PILOTS[2])
        server.is_away = False
        for esi in (other, one):
            await until_answered(esi, PILOTS[2])
            assert set(await outcomes(esi, PILOTS)) == {"EsiCharacter"}


async def test_who_comes_shortly_before_a_probe_waits_for_it(
    settings: Settings, database: Database, server: Esi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "WAIT_SECONDS", 5.0)
    monkeypatch.setattr(outage, "QUIET_SECONDS", 0.0)
    async with client_of(settings, database, server) as esi:
        await esi.character(PILOTS[0])
        server.is_away = True
        with pytest.raises(HostAway):
            await esi.character(PILOTS[1])
        server.is_away = False
        began = monotonic()
        assert set(await outcomes(esi, PILOTS)) == {"EsiCharacter"}
        assert monotonic() - began < 4


async def test_a_deleted_character_is_told_at_the_price_of_one_question(
    settings: Settings, database: Database, server: Esi
) -> None:
    server.deleted = set(PILOTS[10:20])
    async with client_of(settings, database, server) as esi:
        for pilot in PILOTS[:3]:
            await esi.character(pilot)
        server.asked.clear()
        with pytest.raises(NotFound):
            await esi.character(PILOTS[10])
        assert len(server.asked) == 2
        server.asked.clear()
        assert await outcomes(esi, PILOTS[10:20]) == ["NotFound"] * 10
        # They share their canaries.
        assert len(server.asked) <= 15


async def test_an_answer_that_was_asked_for_later_is_canary_enough(
    settings: Settings, database: Database, server: Esi
) -> None:
    server.deleted = {PILOTS[0]}
    async with client_of(settings, database, server) as esi:
        found = await asyncio.gather(*(esi.character(pilot) for pilot in PILOTS[:40]), return_exceptions=True)
        assert [type(one).__name__ for one in found] == ["NotFound"] + ["EsiCharacter"] * 39


async def test_a_process_that_begins_in_an_outage_knows_what_was_answered_before(
    settings: Settings, database: Database, server: Esi
) -> None:
    async with client_of(settings, database, server) as esi:
        await esi.character(PILOTS[0])
    server.is_away = True
    async with client_of(settings, database, server) as esi:
        with pytest.raises(HostAway):
            await esi.character(PILOTS[1])
        assert server.asked[-2:] == [f"/characters/{PILOTS[1]}", f"/characters/{PILOTS[0]}"]


async def test_the_only_one_that_was_ever_known_can_be_gone(
    settings: Settings, database: Database, server: Esi
) -> None:
    async with client_of(settings, database, server) as esi:
        await esi.character(PILOTS[0])
        await forget_answers(database)
        server.deleted = {PILOTS[0]}
        with pytest.raises(NotFound):
            await esi.character(PILOTS[0])


async def test_a_run_that_nobody_can_explain_is_believed_at_last(
    settings: Settings, database: Database, server: Esi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "BELIEVED_AFTER_SECONDS", 0.0)
    server.is_away = True
    async with client_of(settings, database, server) as esi:
        assert set(await outcomes(esi, PILOTS[:10])) == {"NotFound"}


async def test_one_route_is_away_and_the_others_are_not(settings: Settings, database: Database, server: Esi) -> None:
    async with client_of(settings, database, server) as esi:
        await esi.character(PILOTS[0])
        server.is_away = True
        with pytest.raises(HostAway):
            await esi.character(PILOTS[1])
        server.is_away = False
        assert (await esi.corporation(98_000_001)).name == "Ana"


async def test_a_bulk_route_that_is_away_costs_few_requests_and_leaves_nobody_out(
    settings: Settings, database: Database, server: Esi
) -> None:
    async with client_of(settings, database, server) as esi:
        assert len(await esi.affiliations(PILOTS)) == 64
        server.is_away = True
        server.asked.clear()
        with pytest.raises(HostAway):
            await esi.affiliations(PILOTS)
        assert len(server.asked) == 2


async def test_a_bulk_route_that_never_answered_costs_few_requests_too(
    settings: Settings, database: Database, server: Esi
) -> None:
    server.is_away = True
    async with client_of(settings, database, server) as esi:
        assert await esi.affiliations(PILOTS) == []
        assert len(server.asked) <= MAX_REFUSALS


async def test_a_bad_id_in_a_batch_is_left_out_alone(settings: Settings, database: Database, server: Esi) -> None:
    server.deleted = {PILOTS[33]}
    async with client_of(settings, database, server) as esi:
        found = await esi.names(PILOTS)
    assert {row.id for row in found} == set(PILOTS) - {PILOTS[33]}
    assert len(server.asked) <= 24


async def test_a_kept_canary_is_a_question_without_a_token(settings: Settings, database: Database, server: Esi) -> None:
    async with client_of(settings, database, server) as esi:
        await esi.character(PILOTS[0])
        await esi.names(PILOTS)
    async with database.connection() as connection:
        rows = await connection.fetch("select route, question from esi_witness order by route")
    assert {row[0]: json.loads(row[1]) for row in rows} == {
        "/characters/{id}": {"path": f"/characters/{PILOTS[0]}", "query": [], "body": None},
        "/universe/names": {"path": "/universe/names", "query": [], "body": f"[{PILOTS[0]}]"},
    }
