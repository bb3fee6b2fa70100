"""The examples in `docs/howto/use-the-api.md`, run against a board as a reader would run them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import arrival, store
from tests.integration.serving import GraphQL
from tests.npm import installed

PAGE = (Path(__file__).parents[3] / "docs/howto/use-the-api.md").read_text(encoding="utf-8")
HOST = "http://127.0.0.1:4000"
PYTHON, JAVASCRIPT = (
    re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for language in ("python", "javascript")
)
# What each of them prints, as a pattern.
PYTHON_SAYS = (
    r"\d+ killmails, then \w+",
    r"\d+ \['[a-z]+:\w+'",
    r"\{'id': \d+, 'labels': \['",
    r"\d+ \d+\.\d+",
)
JAVASCRIPT_SAYS = ("id: 93184672,", r"id: \d+,")
# Node.js has a WebSocket of its own from version 22 on only.
OLD_NODE = 'import WebSocket from "ws"; globalThis.WebSocket ??= WebSocket;\n'


def requests() -> list[tuple[str, str | None]]:
    """Return the address and the posted body of every curl command but those that ask EVE's API."""
    found = []
    for line in re.findall(r"^curl .*$", PAGE, re.MULTILINE):
        words = shlex.split(line)
        if "-X" in words:
            continue  # adding a killmail: `test_rest_doors` has it, with an EVE's API of its own
        address = next(word for word in words if word.startswith(HOST)).removeprefix(HOST)
        body = words[words.index("-d") + 1] if "-d" in words else None
        if "--data-urlencode" in words:
            name, _, value = words[words.index("--data-urlencode") + 1].partition("=")
            address = f"{address}?{name}={quote(value)}"
        found.append((address, body))
    return found


async def test_every_curl_command_of_the_page_is_answered(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1), arrival(2))
    assert len(requests()) == 22

    for address, body in requests():
        method = "GET" if body is None else "POST"
        headers = {"Content-Type": "application/json"}
        async with api.session.request(method, f"{api.address}{address}", data=body, headers=headers) as response:
            text = await response.text()
            assert response.status == 200, (address, text)
            assert '"error' not in text, (address, text)


def of_board(api: GraphQL, example: str) -> str:
    """Return the example, asking the test's board."""
    assert HOST.partition(":")[2] in example
    return example.replace(HOST.partition(":")[2], api.address.partition(":")[2])


async def run_until(words: str, *command: str, writer: KillmailWriter, database: Database, cwd: Path) -> None:
    """Run the command, storing killmails meanwhile, until it has printed what matches; fails where it never does."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    said, number = "", 1
    try:
        async with asyncio.timeout(60):
            while not re.search(words, said):
                await store(writer, database, arrival(number))
                number += 1
                with contextlib.suppress(TimeoutError):
                    chunk = await asyncio.wait_for(process.stdout.read(4096), 0.2)
                    assert chunk, said
                    said += chunk.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", range(len(PYTHON_SAYS)))
async def test_every_python_example_prints_killmails(
    api: GraphQL, writer: KillmailWriter, database: Database, tmp_path: Path, number: int
) -> None:
    assert len(PYTHON) == len(PYTHON_SAYS)
    await store(writer, database, arrival(1000))
    command = (sys.executable, "-u", "-c", of_board(api, PYTHON[number]))
    await run_until(PYTHON_SAYS[number], *command, writer=writer, database=database, cwd=tmp_path)


@pytest.mark.parametrize("number", range(len(JAVASCRIPT_SAYS)))
async def test_every_javascript_example_prints_a_killmail(
    api: GraphQL, writer: KillmailWriter, database: Database, pytestconfig: pytest.Config, number: int
) -> None:
    assert len(JAVASCRIPT) == len(JAVASCRIPT_SAYS)
    await store(writer, database, arrival(93184672))
    modules = await asyncio.to_thread(installed, pytestconfig)
    command = ("node", "--input-type=module", "-e", OLD_NODE + of_board(api, JAVASCRIPT[number]))
    await run_until(JAVASCRIPT_SAYS[number], *command, writer=writer, database=database, cwd=modules.parent)
