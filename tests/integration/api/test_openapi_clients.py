"""The OpenAPI document in the hands of the tools that others read it with, and their clients against a board."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import NOON, PILOT, arrival, name_everybody, store
from tests.integration.serving import GraphQL
from tests.npm import CLIENTS, clients_installed
from tests.venvs import programs_of

REST = CLIENTS / "rest"
KILLMAILS = 5
# How many requests schemathesis makes of each address beyond those that cover its schema; more by hand.
EXAMPLES = os.environ.get("KILLREPORT_TEST_SCHEMATHESIS_EXAMPLES", "5")


async def run(*command: str | Path, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """Return status, output and errors of a program."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(270):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(), errors.decode()


@pytest.fixture
async def modules(pytestconfig: pytest.Config) -> Path:
    """Return the folder with the packages of npm."""
    return await asyncio.to_thread(clients_installed, pytestconfig, "rest")


@pytest.fixture
async def programs(pytestconfig: pytest.Config) -> Path:
    """Return the folder with the programs of Python."""
    return await asyncio.to_thread(programs_of, pytestconfig, REST / "requirements.txt")


@pytest.fixture
async def board(api: GraphQL, writer: KillmailWriter, database: Database, tmp_path: Path) -> str:
    """Return the address of a board with killmails of one day, whose document lies in `openapi.json`."""
    killmails = [arrival(1 + number, NOON + timedelta(hours=number), attackers=2) for number in range(KILLMAILS)]
    await store(writer, database, *killmails)
    await name_everybody(database)
    async with api.session.get(f"{api.address}/openapi.json") as response:
        (tmp_path / "openapi.json").write_bytes(await response.read())
    return api.address


@pytest.mark.usefixtures("board")
async def test_linters_find_nothing(modules: Path, tmp_path: Path) -> None:
    programs = modules / ".bin"
    assert (await run(programs / "swagger-cli", "validate", "openapi.json", cwd=tmp_path))[0] == 0
    silent = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    status, output, errors = await run(
        programs / "redocly", "lint", "openapi.json", "--format=json", cwd=tmp_path, **silent
    )
    assert status == 0, errors
    assert json.loads(output)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}, output


async def test_a_client_in_typescript_compiles_strictly_and_gets_every_row(
    board: str, modules: Path, tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(REST / "read.ts", tmp_path)
    made = await run(modules / ".bin/openapi-typescript", "openapi.json", "--output", "api.d.ts", cwd=tmp_path)
    assert made[0] == 0, made
    options = ("--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom")
    compiled = await run(modules / ".bin/tsc", *options, "read.ts", cwd=tmp_path)
    assert compiled[0] == 0, compiled[1]
    status, output, errors = await run("node", "read.js", board, cwd=tmp_path)
    assert status == 0, errors

    assert json.loads(output) == {
        **rows(),
        "packages": 2,
        "error": "a whole number from 1 to 1000 is needed at limit",
    }


async def test_a_client_in_python_gets_every_row(board: str, programs: Path, tmp_path: Path) -> None:
    options = ("--config", REST / "openapi-python-client.yaml", "--meta", "none", "--fail-on-warning")
    made = await run(programs / "openapi-python-client", "generate", "--path", "openapi.json", *options, cwd=tmp_path)
    assert made[0] == 0, made
    shutil.copy(REST / "read.py", tmp_path)
    status, output, errors = await run(programs / "python", "read.py", board, cwd=tmp_path)
    assert status == 0, errors

    assert json.loads(output) == {**rows(), "lost": [KILLMAILS]}


def rows() -> dict[str, Any]:
    """Return what is to be read of maps, of which nothing may be lost."""
    return {
        "totals": {f"{NOON:%Y%m%d}": KILLMAILS},
        "hashes": [str(1 + number) for number in range(KILLMAILS)],
        "victims": [PILOT] * KILLMAILS,
        "months": [f"{NOON:%Y%m}"],
    }


async def test_what_schemathesis_thinks_of_is_answered_as_the_document_says(
    board: str, programs: Path, tmp_path: Path
) -> None:
    status, output, errors = await run(
        *(programs / "schemathesis", "--config-file", REST / "schemathesis.toml", "run", f"{board}/openapi.json"),
        *("--checks", "all", "--max-examples", EXAMPLES, "--generation-deterministic", "--workers", "2"),
        # The three feeds read one filter, whose forty conditions make most of the requests: one of them is tried.
        *("--exclude-path", "/feeds/killmails.rss", "--exclude-path", "/feeds/killmails.csv"),
        # Adding asks EVE's API, which no test reaches.
        *("--exclude-path-regex", "^/api/killmail/add"),
        cwd=tmp_path,
    )

    assert status == 0, output + errors
