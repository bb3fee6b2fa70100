"""Every process that reads ESI does so as the same client: with the same name and date, and never during a pause."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.clock import utc_now
from killreport.config import Settings
from killreport.cron.running import run_job
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import store_entity
from killreport.errors import KillreportError, Transient
from killreport.esi.client import open_esi
from killreport.esi.model import EsiCharacter
from killreport.esi.transport import COMPATIBILITY_DATE
from killreport.http import user_agent
from killreport.queueing.messages import (
    AllianceCorporationsMessage,
    AllianceMessage,
    CharacterHistoryMessage,
    CharacterMessage,
    CorporationMessage,
    TypeMessage,
    UserKillmailsMessage,
)
from killreport.workers import redisq
from killreport.workers.tokens import AccountToken, FixedTokens
from tests.integration.serving import GraphQL, serving
from tests.integration.workers.packages import body_of, hash_of
from tests.integration.workers.queues import drain, publish
from tests.integration.zkillboard.site import Answer, Site, open_site

DAY = utc_now().date() - timedelta(days=2)
TIME = f"{DAY}T10:00:00Z"
MAIL = 10
HASH = hash_of(MAIL, TIME)
PILOT = 2112000001
TOKENS = FixedTokens({7: AccountToken(PILOT, "token")})
POST = "mutation($id: ID64!, $hash: String) { postKillmail(id: $id, hash: $hash) { isNew } }"

Read = Callable[[Settings, Database], Awaitable[None]]


@pytest.fixture
async def esi() -> AsyncIterator[Site]:
    """Yield an ESI that knows a killmail, a list of them and an alliance; everything else is 404."""
    listed = [{"killmail_id": MAIL, "killmail_hash": HASH}]
    answers = {
        f"/killmails/{MAIL}/{HASH}": Answer(body_of(MAIL, TIME)),
        f"/characters/{PILOT}/killmails/recent": Answer(json.dumps(listed).encode()),
        "/alliances": Answer(b"[99000001]"),
        "/markets/prices": Answer(b'[{"type_id": 34, "average_price": 5.0}]'),
        "/characters/affiliation": Answer(b"[]"),
    }
    async with open_site(answers) as site:
        yield site


@pytest.fixture
async def here(settings: Settings, esi: Site) -> AsyncIterator[Settings]:
    """Yield settings with hosts of their own for everything that is not ESI."""
    block = {"killmail_id": MAIL, "zkb": {"hash": HASH}}
    answers = {
        "/history/totals.json": Answer(json.dumps({f"{DAY:%Y%m%d}": 1}).encode()),
        f"/history/{DAY:%Y%m%d}.json": Answer(json.dumps({MAIL: HASH}).encode()),
        f"/api/characterID/{PILOT}/page/1/": Answer(json.dumps([block]).encode()),
        f"/api/characterID/{PILOT}/page/2/": Answer(b"[]"),
        "/listen.php": Answer(json.dumps({"package": {"killID": MAIL, "zkb": {"hash": HASH}}}).encode()),
    }
    async with open_site(answers) as site:
        yield settings.replace(
            **dict.fromkeys(("r2z2_url", "redisq_url", "zkillboard_url", "everef_url"), site.url),
            esi_url=esi.url,
            contact="ops@example.org",
            feed="redisq",
            zkillboard_seconds=0.001,
            esi_requests_per_second=5000.0,
        )


def worker(name: str, message: Any, **arguments: Any) -> Read:
    async def read(settings: Settings, database: Database) -> None:
        await publish(settings, database, message)
        await drain(settings, database, name, **arguments)

    return read


def job(name: str) -> Read:
    async def read(settings: Settings, database: Database) -> None:
        await run_job(name, settings, database, stop=asyncio.Event())

    return read


async def queue_characters(settings: Settings, database: Database) -> None:
    character = EsiCharacter(name="Ana", corporation_id=98000001, birthday=utc_now())
    async with database.transaction() as connection:
        await store_entity(EntityKind.CHARACTER, connection, PILOT, character, at=utc_now())
    await job("queue-characters")(settings, database)


async def follow_redisq(settings: Settings, database: Database) -> None:
    stop = asyncio.Event()
    following = asyncio.ensure_future(redisq.run(settings, database, stop=stop))
    await asyncio.sleep(1.0)
    stop.set()
    await following


async def post(settings: Settings, database: Database) -> None:
    async with serving(create_app(settings, database)) as address, aiohttp.ClientSession() as session:
        await GraphQL(session, address).ask(POST, {"id": MAIL, "hash": HASH})


READERS = {
    "worker-redisq": follow_redisq,
    "worker-characters": worker("worker-characters", CharacterMessage(PILOT)),
    "worker-corporations": worker("worker-corporations", CorporationMessage(98000001)),
    "worker-alliances": worker("worker-alliances", AllianceMessage(99000001)),
    "worker-alliance-corporations": worker("worker-alliance-corporations", AllianceCorporationsMessage(99000001)),
    "worker-types": worker("worker-types", TypeMessage(99_999_999)),
    "worker-zkillboard": worker("worker-zkillboard", CharacterHistoryMessage(PILOT)),
    "worker-user-killmails": worker("worker-user-killmails", UserKillmailsMessage(7), tokens=TOKENS),
    "repair-history": job("repair-history"),
    "update-prices": job("update-prices"),
    "queue-alliances": job("queue-alliances"),
    "queue-characters": queue_characters,
    "killreport-backend": post,
}


async def run_for_a_while(read: Read, settings: Settings, database: Database) -> None:
    # Who is to wait waits, or says so.
    with suppress(TimeoutError, KillreportError):
        async with asyncio.timeout(1.5):
            await read(settings, database)


@pytest.mark.parametrize("name", READERS)
async def test_a_process_names_itself_and_the_day_its_answers_are_shaped_as(
    name: str, here: Settings, esi: Site, database: Database
) -> None:
    await run_for_a_while(READERS[name], here, database)

    assert esi.asked
    for request in esi.asked:
        assert request.headers["User-Agent"] == user_agent("ops@example.org")
        assert request.headers["X-Compatibility-Date"] == COMPATIBILITY_DATE
    async with database.connection() as connection:
        assert await connection.fetchval("select free_at > now() - interval '1 minute' from esi_budget")


@pytest.mark.parametrize("name", READERS)
async def test_no_process_asks_while_another_was_told_to_wait(
    name: str, here: Settings, esi: Site, database: Database
) -> None:
    esi.answers["/alliances/1"] = Answer(status=420, headers={"X-ESI-Error-Limit-Reset": "60"})
    async with open_esi(here, database) as told:
        with pytest.raises(Transient, match="asks us to back off"):
            await told.alliance(1)
    esi.asked.clear()

    await run_for_a_while(READERS[name], here, database)

    assert [request.path for request in esi.asked] == []
