"""`killreport sde`: from CCP's host or a file into the database, and what it says when that fails."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from killreport.db.database import open_pool
from tests.unit.eve.archives import archive_of

ARCHIVE = "/static-data/eve-online-static-data-latest-jsonl.zip"
LATEST = "/static-data/tranquility/latest.jsonl"
RELEASE = {"_key": "sde", "buildNumber": 77, "releaseDate": "2026-01-02T03:04:05Z"}


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what it printed, decoded."""
        return json.loads(self.out)


Sde = Callable[..., Awaitable[Outcome]]


class Ccp:
    """CCP's host, as far as the static data goes; a path without a body is not there."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {
            LATEST: b'{"_key": "other", "version": 3}\n' + json.dumps(RELEASE).encode(),
            ARCHIVE: archive_of().getvalue(),
        }
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Serve what is there."""
        self.asked.append(request.path)
        body = self.bodies.get(request.path)
        return web.Response(status=404) if body is None else web.Response(body=body)


@pytest.fixture
async def ccp() -> AsyncIterator[Ccp]:
    """Serve CCP's static data on a free port."""
    host = Ccp()
    application = web.Application()
    application.router.add_get("/{path:.*}", host.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield host
    await runner.cleanup()


@pytest.fixture
def sde(database_url: str, ccp: Ccp, tmp_path: Path) -> Sde:
    """Return a function that runs `killreport sde` with the given arguments."""
    environment = {
        "PATH": os.environ["PATH"],
        "KILLREPORT_HOME": str(tmp_path / "home"),
        "KILLREPORT_DATABASE_URL": database_url,
        "KILLREPORT_STATIC_DATA_URL": f"{ccp.url}/static-data",
    }

    async def run(*arguments: str) -> Outcome:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "killreport", "sde", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Outcome(process.returncode, out.decode(), err.decode())

    return run


async def count_types(database_url: str) -> int:
    """Return how many types the database holds."""
    async with open_pool(database_url, 1, "test") as database, database.connection() as connection:
        count: int = await connection.fetchval("select count(*) from eve_type")
        return count


async def test_the_status_tells_the_build_and_where_it_came_from(sde: Sde) -> None:
    outcome = await sde("status", "--json")

    assert outcome.status == 0
    told = outcome.json
    assert told.pop("loaded_at").endswith("+00:00")
    assert told == {"build_number": 3650286, "released_at": "2026-10-26T11:08:19+00:00", "source": "seed"}


async def test_a_newer_build_is_loaded_once(sde: Sde, ccp: Ccp, database_url: str) -> None:
    first = await sde("update", "--json")
    second = await sde("update", "--json")

    assert first.json | {"loaded_at": ""} == {
        "updated": True,
        "build_number": 77,
        "released_at": "2026-01-02T03:04:05+00:00",
        "loaded_at": "",
        "source": f"{ccp.url}{ARCHIVE}",
    }
    assert second.json == {**first.json, "updated": False}
    assert ccp.asked == [LATEST, ARCHIVE, LATEST]
    assert await count_types(database_url) == 2


async def test_the_same_build_is_loaded_again_when_forced(sde: Sde, ccp: Ccp) -> None:
    first = await sde("update", "--json")
    second = await sde("update", "--force", "--json")

    assert second.json["updated"] is True
    assert second.json["loaded_at"] > first.json["loaded_at"]
    assert ccp.asked == [LATEST, ARCHIVE, LATEST, ARCHIVE]


async def test_a_file_is_loaded_without_asking_anybody(sde: Sde, ccp: Ccp, tmp_path: Path) -> None:
    path = tmp_path / "ccp.zip"
    path.write_bytes(archive_of().getvalue())

    outcome = await sde("update", "--from", str(path))

    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"Loaded build 77, released 2026-01-02, from {path}.\n"
    assert ccp.asked == []


async def test_a_url_of_ones_own_is_loaded(sde: Sde, ccp: Ccp) -> None:
    ccp.bodies["/mirror.zip"] = archive_of().getvalue()

    outcome = await sde("update", "--from", f"{ccp.url}/mirror.zip", "--json")

    assert (outcome.json["updated"], outcome.json["build_number"]) == (True, 77)
    assert ccp.asked == ["/mirror.zip"]


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        (LATEST, None, "There is no static data at"),
        (LATEST, b"<html>", "does not name the newest build in CCP's format"),
        (LATEST, b"[1]", "does not name the newest build in CCP's format"),
        (LATEST, b'{"_key": "sde"}', "does not name the newest build in CCP's format"),
        (LATEST, b"", "it has no line with the key sde"),
        (ARCHIVE, None, "There is no static data at"),
        (ARCHIVE, b"<html>", "not a zip archive"),
        (ARCHIVE, archive_of({"types.jsonl": None}).getvalue(), "lacks types.jsonl"),
        (ARCHIVE, archive_of({"types.jsonl": b"{"}).getvalue(), "types.jsonl line 1"),
    ],
)
async def test_whatever_fails_is_one_sentence_and_the_old_data_stays(
    sde: Sde, ccp: Ccp, database_url: str, *, path: str, body: bytes | None, sentence: str
) -> None:
    if body is None:
        del ccp.bodies[path]
    else:
        ccp.bodies[path] = body

    outcome = await sde("update")

    assert (outcome.status, outcome.out) == (1, "")
    assert sentence in outcome.err
    assert outcome.err.startswith("killreport: ")
    assert outcome.err.count("\n") == 1
    assert await count_types(database_url) == 53289


async def test_a_path_that_is_not_there_is_one_sentence(sde: Sde, tmp_path: Path) -> None:
    outcome = await sde("update", "--from", str(tmp_path / "none.zip"))

    assert (outcome.status, outcome.out) == (1, "")
    assert "There is no such file" in outcome.err


async def test_a_host_that_is_down_is_one_sentence(sde: Sde) -> None:
    outcome = await sde("update", "--from", "http://127.0.0.1:1/sde.zip")

    assert outcome.status == 1
    assert outcome.err == "killreport: 127.0.0.1:1 does not answer (Connection refused).\n"
