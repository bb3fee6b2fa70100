"""Every list that is read by the page is read the same from either end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from killreport.coordination.job_runs import begin_run, note_skipped
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import NOON, arrival, store
from tests.integration.serving import GraphQL

# What is asked of the API, with the page's arguments and what is asked of the page left open; of an entry; a size.
LISTS = {
    "attackers": ("killmail(id: 1) {{ list: attackersPage({}) {} }}", "ordinal", 3),
    "related": ("killmail(id: 1) {{ list: related({}) {} }}", "id", 3),
    "runs": ("list: jobRuns({}) {}", "id", 3),
    "runs of a job": ('list: jobRuns(job: "queue-alliances", {}) {}', "id", 2),
    "types": ("group(id: 25) {{ list: types({}) {} }}", "id", 20),
    "killmails": ("list: killmails({}) {}", "id", 3),
    "killmails in a system": ("system(id: 30000142) {{ list: killmails({}) {} }}", "id", 3),
}
INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

pytestmark = pytest.mark.parametrize("name", LISTS)


@pytest.fixture
async def _stored(writer: KillmailWriter, database: Database) -> None:
    """Store eight killmails of one fight, the first with eight attackers, and eight runs of two jobs."""
    fight = (arrival(1 + at, NOON + timedelta(minutes=at), attackers=8) for at in range(8))
    await store(writer, database, *fight)
    async with database.transaction() as connection:
        for _ in range(4):
            await begin_run(connection, "queue-alliances", "hand")
            await note_skipped(connection, "update-prices", "hand", "it runs already")


def asking(name: str, arguments: str) -> str:
    """Return the query of a page of the list."""
    question, entry, _ = LISTS[name]
    return f"{{ {question.format(arguments, f'{{ nodes {{ {entry} }} {INFO} }}')} }}"


async def read(api: GraphQL, name: str, arguments: str) -> dict[str, Any]:
    """Return a page of the list, of the entries what was asked."""
    found = await api.data(asking(name, arguments))
    page: dict[str, Any] = found["list"] if "list" in found else next(iter(found.values()))["list"]
    page["nodes"] = [node[LISTS[name][1]] for node in page["nodes"]]
    return page


async def read_all(api: GraphQL, name: str, first: str, following: Callable[[dict[str, Any]], str | None]) -> list[Any]:
    """Return the pages from one end to the other."""
    pages = [await read(api, name, first)]
    while (arguments := following(pages[-1])) is not None:
        pages.append(await read(api, name, f"{first}, {arguments}"))
    return pages


@pytest.mark.usefixtures("_stored")
async def test_a_list_is_the_same_from_either_end(api: GraphQL, name: str) -> None:
    size = LISTS[name][2]

    def on(page: dict[str, Any]) -> str | None:
        info = page["pageInfo"]
        return f'after: "{info["endCursor"]}"' if info["hasNextPage"] else None

    def back(page: dict[str, Any]) -> str | None:
        info = page["pageInfo"]
        return f'before: "{info["startCursor"]}"' if info["hasPreviousPage"] else None

    forward = await read_all(api, name, f"first: {size}", on)
    backward = (await read_all(api, name, f"last: {size}", back))[::-1]

    assert len(forward) > 1
    assert [one for page in forward for one in page["nodes"]] == [one for page in backward for one in page["nodes"]]
    assert {len(page["nodes"]) for page in (*forward[:-1], *backward[1:])} == {size}
    for pages in (forward, backward):
        for earlier, later in pairwise(pages):
            assert (earlier["pageInfo"]["hasNextPage"], later["pageInfo"]["hasPreviousPage"]) == (True, True)
        assert pages[0]["pageInfo"]["hasPreviousPage"] is False
        assert pages[-1]["pageInfo"]["hasNextPage"] is False
    # A step on and a step back end where they began.
    there = await read(api, name, f'first: {size}, after: "{forward[0]["pageInfo"]["endCursor"]}"')
    again = await read(api, name, f'last: {size}, before: "{there["pageInfo"]["startCursor"]}"')
    assert again["nodes"] == forward[0]["nodes"]


@pytest.mark.usefixtures("_stored")
async def test_edges_are_the_nodes_with_cursors_from_which_the_list_goes_on(api: GraphQL, name: str) -> None:
    question, entry, size = LISTS[name]

    async def ask(arguments: str, of_page: str) -> dict[str, Any]:
        found = await api.data(f"{{ {question.format(arguments, of_page)} }}")
        page: dict[str, Any] = found["list"] if "list" in found else next(iter(found.values()))["list"]
        return page

    both = f"{{ nodes {{ {entry} }} edges {{ cursor node {{ {entry} }} }} {INFO} }}"
    page = await ask(f"first: {2 * size}", both)
    edges = page["edges"]
    assert [edge["node"] for edge in edges] == page["nodes"]
    assert len({edge["cursor"] for edge in edges}) == len(edges) > size
    assert (edges[0]["cursor"], edges[-1]["cursor"]) == (page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"])
    for at in (0, len(edges) // 2):
        after = await ask(f'first: 1, after: "{edges[at]["cursor"]}"', f"{{ edges {{ cursor node {{ {entry} }} }} }}")
        assert after["edges"] == edges[at + 1 : at + 2]
        before = await ask(f'last: 1, before: "{edges[at + 1]["cursor"]}"', f"{{ edges {{ node {{ {entry} }} }} }}")
        assert before["edges"] == [{"node": edges[at]["node"]}]


@pytest.mark.usefixtures("_stored")
async def test_both_ends_at_once_and_sizes_that_cannot_be_are_refused(api: GraphQL, name: str) -> None:
    for arguments, code, words in (
        ("first: 2, last: 2", "BAD_REQUEST", "to read back, not both"),
        ('last: 2, after: "x"', "BAD_REQUEST", "to read back, not both"),
        ("last: 0", "BAD_REQUEST", "`last` must be from 1 to 200, not 0."),
        ("last: 201", "BAD_REQUEST", "`last` must be from 1 to 200, not 201."),
        ('last: 2, before: "nonsense"', "BAD_CURSOR", "`before` is not a cursor of this list"),
    ):
        error = await api.error(asking(name, arguments))
        assert words in error["message"]
        assert error["extensions"] == {"code": code}
