"""The curl commands in `docs/howto/use-the-api.md`, run against a board."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import quote

from killreport.db.database import Database
from killreport.killmail.store import KillmailWriter
from tests.integration.kills import arrival, store
from tests.integration.serving import GraphQL

PAGE = (Path(__file__).parents[3] / "docs/howto/use-the-api.md").read_text(encoding="utf-8")
HOST = "http://127.0.0.1:4000"


def requests() -> list[tuple[str, str | None]]:
    """Return the address and the posted body of every curl command."""
    found = []
    for line in re.findall(r"^curl .*$", PAGE, re.MULTILINE):
        words = shlex.split(line)
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
    assert len(requests()) == 15

    for address, body in requests():
        method = "GET" if body is None else "POST"
        headers = {"Content-Type": "application/json"}
        async with api.session.request(method, f"{api.address}{address}", data=body, headers=headers) as response:
            text = await response.text()
            assert response.status == 200, (address, text)
            assert '"error' not in text, (address, text)
