"""What the API refuses, and what it tells of its own failures."""

from __future__ import annotations

import structlog.testing

from killreport.db.database import Database
from tests.integration.serving import GraphQL

GRAPHQL = "/graphql"


async def test_a_failure_inside_is_told_by_an_id_that_the_log_has(api: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("alter table killmail rename to elsewhere")

    with structlog.testing.capture_logs() as logs:
        error = await api.error("{ killmails { nodes { id } } }")

    (entry,) = [entry for entry in logs if entry["event"] == "api_query_failed"]
    assert error["message"] == f"Something failed here; the log has it as {entry['error_id']}."
    assert error["extensions"] == {"code": "INTERNAL"}
    assert error["path"] == ["killmails"]
    assert 'relation "killmail" does not exist' in str(entry["exc_info"])


async def test_mistakes_of_a_query_are_told_in_full(api: GraphQL) -> None:
    error = await api.error("{ killmails { nodes { nonsense } } }")
    assert error["message"].startswith("Cannot query field 'nonsense' on type 'Killmail'")
    assert error["locations"] == [{"line": 1, "column": 23}]
    assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_body_that_is_no_json_or_no_object_is_refused(api: GraphQL) -> None:
    for body, status, message in (
        (b"{", 400, "The body is not valid JSON."),
        (b"\xff", 400, "The body is not valid JSON."),
        (b"[" * 50_000, 400, "The body is not valid JSON."),
        (b"[]", 400, "A request may have 1 to 10 operations; this one has 0."),
        (b"5", 400, "Operation data should be a JSON object"),
        (b"{}", 400, "The query must be a string."),
        (b'{"query": "{status{killmailCount}}", "variables": 5}', 400, "Query variables must be a null or an object."),
        (b" " * 100_001, 413, "A request may have 100000 bytes."),
    ):
        headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
        async with api.session.post(api.address + GRAPHQL, data=body, headers=headers) as response:
            assert response.status == status
            assert [error["message"] for error in (await response.json())["errors"]] == [message]


async def test_forms_are_refused_so_that_foreign_pages_cannot_post(api: GraphQL) -> None:
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        headers = {"Content-Type": content_type}
        async with api.session.post(api.address + GRAPHQL, data=b"query=x", headers=headers) as response:
            assert response.status == 415
            assert (await response.json())["errors"][0]["message"] == "Post the query as application/json."


async def test_queries_can_be_asked_by_get(api: GraphQL) -> None:
    parameters = {"query": "query($id: Int!) { killmail(id: $id) { id } }", "variables": '{"id": 1}'}
    async with api.session.get(api.address + GRAPHQL, params=parameters) as response:
        assert await response.json() == {"data": {"killmail": None}}
    async with api.session.get(api.address + GRAPHQL, params={"query": "{x}", "variables": "{"}) as response:
        assert response.status == 400


async def test_a_browser_gets_a_page_without_foreign_hosts_and_a_program_does_not(api: GraphQL) -> None:
    async with api.session.get(api.address + GRAPHQL, headers={"Accept": "text/html"}) as response:
        page = await response.text()
        assert (response.status, response.content_type) == (200, "text/html")
    assert "://" not in page
    for name in ("explorer.js", "explorer.css"):
        assert f"/explorer/{name}" in page
        async with api.session.get(f"{api.address}/explorer/{name}") as response:
            assert response.status == 200
    async with api.session.get(api.address + GRAPHQL, headers={"Accept": "application/json"}) as response:
        assert response.status == 405


async def test_the_schema_can_be_read_with_its_descriptions(api: GraphQL) -> None:
    async with api.session.get(f"{api.address}/schema.graphql") as response:
        text = await response.text()
    assert '"""Damage taken, in hit points."""' in text


async def test_healthz_answers_while_the_database_does(api: GraphQL) -> None:
    async with api.session.get(f"{api.address}/healthz") as response:
        first, *rest = (await response.text()).splitlines()
        # What is wrong outside is said, and is no reason to take the API away.
        assert (response.status, first, len(rest)) == (200, "ok", 1)
        assert rest[0].startswith("The feed: worker-redisq, which follows the feed, is not running")


async def test_an_oversized_query_runs_nothing(api: GraphQL) -> None:
    roots = " ".join(f"r{number}: killmails {{ nodes {{ id }} }}" for number in range(11))
    error = await api.error(f"{{ {roots} }}")
    assert (
        error["message"] == "A query may have 10 fields at its root; this one has 11. Spread them over several queries."
    )
    assert error["extensions"] == {"code": "QUERY_TOO_LARGE", "limit": 10, "value": 11}
