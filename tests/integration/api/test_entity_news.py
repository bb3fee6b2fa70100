"""A name that a worker has stored is shown by the next answer, although older ones were kept; over both transports.

Nothing grows old here: what is forgotten was forgotten because of an event.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from killreport.api.app import create_app
from killreport.api.door.guard import guard as guard_module
from killreport.api.door.guard.guard import Guard
from killreport.api.door.guard.responses import ResponseCache
from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity import known
from killreport.killmail.writing.store import KillmailWriter
from killreport.queueing.messages import CharacterMessage, CorporationMessage, Message
from tests.integration.kills import ALLIANCE, CORPORATION, PILOT, arrival, store
from tests.integration.serving import GraphQL, serving
from tests.integration.workers.queues import drain, eventually, publish
from tests.integration.zkillboard.site import Answer, Site

PAGE = "{ killmails(first: 10) { nodes { victim { character { name } corporation { name ticker } } } } }"
OTHER = PILOT + 1


@pytest.fixture(params=["database", "redis"])
def settings(request: pytest.FixtureRequest, settings: Settings, site: Site) -> Settings:
    """Return settings with everything kept, and with either transport of events."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        settings = settings.model_copy(update={"redis_url": SecretStr(url)})
    return settings.replace(
        api_cache_bytes=2**24, api_names_seconds=3600, esi_url=site.url, esi_requests_per_second=5000.0
    )


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[int] | None]:
    """Return what the API has heard of and acted on, one entry each time."""
    found: list[frozenset[int] | None] = []
    act = Guard.entities_changed

    def note(guard: Guard, ids: frozenset[int] | None) -> None:
        act(guard, ids)
        found.append(ids)

    monkeypatch.setattr(Guard, "entities_changed", note)
    return found


async def is_heard(heard: list[frozenset[int] | None], entity_id: int) -> None:
    async def is_in() -> bool:
        return any(ids is not None and entity_id in ids for ids in heard)

    await eventually(is_in)


@pytest.fixture
async def kill(writer: KillmailWriter, database: Database) -> Database:
    """Store a killmail before the API begins, for which the event of that would be another reason to forget."""
    await store(writer, database, arrival(20))
    return database


@pytest.fixture
async def api(
    settings: Settings, kill: Database, heard: list[frozenset[int] | None], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GraphQL]:
    """Yield a client of an API that listens already, and in which nothing grows old."""
    monkeypatch.setattr(known, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(guard_module, "ResponseCache", partial(ResponseCache, clock=lambda: 1000.0))

    async def is_listening() -> bool:
        return None in heard

    async with serving(create_app(settings, kill)) as address, aiohttp.ClientSession() as session:
        await eventually(is_listening)
        yield GraphQL(session, address)


class Workers:
    """Has the workers store what ESI now tells."""

    def __init__(self, settings: Settings, database: Database, site: Site) -> None:
        self._settings = settings
        self._database = database
        self._site = site

    async def pilot(self, name: str, character_id: int = PILOT) -> None:
        """Refresh a character."""
        body = {"name": name, "corporation_id": CORPORATION, "birthday": "2010-01-01T00:00:00Z"}
        self._tell(f"/characters/{character_id}", body)
        await self._refresh(CharacterMessage(character_id), "worker-characters")

    async def gone_pilot(self) -> None:
        """Refresh a character whom ESI does not know any more."""
        del self._site.answers[f"/characters/{PILOT}"]
        await self._refresh(CharacterMessage(PILOT), "worker-characters")

    async def corporation(self, name: str, members: int, alliance_id: int | None = None) -> None:
        """Refresh a corporation."""
        body = {"name": name, "ticker": "ALCO", "member_count": members, "ceo_id": PILOT, "alliance_id": alliance_id}
        self._tell(f"/corporations/{CORPORATION}", {key: value for key, value in body.items() if value is not None})
        await self._refresh(CorporationMessage(CORPORATION), "worker-corporations")

    def _tell(self, path: str, body: dict[str, Any]) -> None:
        self._site.answers[path] = Answer(json.dumps(body).encode())

    async def _refresh(self, message: Message, worker: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute("update esi_cache set expires_at = now()")
        await publish(self._settings, self._database, message)
        await drain(self._settings, self._database, worker)


@pytest.fixture
def workers(settings: Settings, database: Database, site: Site) -> Workers:
    return Workers(settings, database, site)


async def rename(database: Database, name: str) -> None:
    """Give the pilot another name that nobody tells of."""
    async with database.connection() as connection:
        await connection.execute(
            """insert into character (character_id, name) values ($1, $2)
               on conflict (character_id) do update set name = excluded.name""",
            PILOT,
            name,
        )


async def victims(api: GraphQL) -> list[str | None]:
    nodes = (await api.data(PAGE))["killmails"]["nodes"]
    return [node["victim"]["character"]["name"] for node in nodes]


async def is_shown(api: GraphQL, name: str) -> None:
    async def is_in() -> bool:
        return await victims(api) == [name]

    await eventually(is_in)


async def test_a_name_that_became_known_and_one_that_changed_are_shown_though_older_answers_were_kept(
    api: GraphQL, database: Database, workers: Workers, heard: list[frozenset[int] | None]
) -> None:
    assert await victims(api) == [None]
    await rename(database, "Untold")
    assert await victims(api) == [None]

    for name in ("Ana", "Bea"):
        await workers.pilot(name)
        await is_shown(api, name)
        await rename(database, "Untold")
        assert await victims(api) == [name]

    heard.clear()
    await workers.corporation("Ana Co", 3)
    await is_heard(heard, CORPORATION)
    # The answer is made anew for the corporation's sake; the pilot's name is still remembered.
    nodes = (await api.data(PAGE))["killmails"]["nodes"]
    assert nodes == [{"victim": {"character": {"name": "Bea"}, "corporation": {"name": "Ana Co", "ticker": "ALCO"}}}]


async def test_what_changes_nothing_or_somebody_who_is_not_shown_leaves_an_answer_as_it_is(
    api: GraphQL, database: Database, workers: Workers, heard: list[frozenset[int] | None]
) -> None:
    await workers.pilot("Ana")
    await is_heard(heard, PILOT)
    heard.clear()

    await is_shown(api, "Ana")
    await rename(database, "Untold")
    assert await victims(api) == ["Ana"]
    await rename(database, "Ana")

    await workers.pilot("Ana")
    await workers.pilot("Cay", OTHER)
    await is_heard(heard, OTHER)

    assert heard == [frozenset({OTHER})]
    await rename(database, "Untold")
    assert await victims(api) == ["Ana"]


async def test_facts_members_and_what_a_search_finds_are_news_too(
    api: GraphQL, workers: Workers, heard: list[frozenset[int] | None]
) -> None:
    queries: dict[str, tuple[Any, Any]] = {
        f"{{ corporation(id: {CORPORATION}) {{ memberCount members {{ nodes {{ name }} }} }} }}": (
            {"corporation": {"memberCount": 3, "members": {"nodes": []}}},
            {"corporation": {"memberCount": 4, "members": {"nodes": [{"name": "Ana"}]}}},
        ),
        f"{{ character(id: {OTHER}) {{ name corporation {{ name }} }} }}": (
            {"character": None},
            {"character": {"name": "Ana", "corporation": {"name": "Ana Co"}}},
        ),
        '{ search(query: "Ana", kinds: [CHARACTER]) { name } }': ({"search": []}, {"search": [{"name": "Ana"}]}),
    }
    await workers.corporation("Ana Co", 3)
    await is_heard(heard, CORPORATION)
    heard.clear()
    assert [await api.data(query) for query in queries] == [before for before, _ in queries.values()]

    await workers.pilot("Ana", OTHER)
    await workers.corporation("Ana Co", 4, ALLIANCE)
    await is_heard(heard, OTHER)
    await is_heard(heard, CORPORATION)
    assert [await api.data(query) for query in queries] == [after for _, after in queries.values()]


async def test_who_is_gone_is_shown_as_gone(api: GraphQL, workers: Workers, heard: list[frozenset[int] | None]) -> None:
    query = f"{{ character(id: {PILOT}) {{ name goneAt corporation {{ id }} affiliations {{ until }} }} }}"
    await workers.pilot("Ana")
    await is_heard(heard, PILOT)
    assert (await api.data(query))["character"] == {
        "name": "Ana",
        "goneAt": None,
        "corporation": {"id": CORPORATION},
        "affiliations": [{"until": None}],
    }

    heard.clear()
    await workers.gone_pilot()
    await is_heard(heard, PILOT)
    gone = (await api.data(query))["character"]
    assert gone["goneAt"] is not None
    assert gone == {
        "name": "Ana",
        "goneAt": gone["goneAt"],
        "corporation": None,
        "affiliations": [{"until": gone["goneAt"]}],
    }
