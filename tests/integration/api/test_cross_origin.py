"""Pages of other origins: what they may send, and what they can read, through every door and of every refusal."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
import pytest
from starlette.routing import Route

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.door.client import Clients
from killreport.door.connection_limit import ConnectionLimit
from tests.integration.api.guarding import FOLLOW, PAGE, guarded, post
from tests.integration.serving import GraphQL, serving
from tests.security.raw import said, status

PAGE_OF = {"Origin": "https://tool.example"}
# What Apollo, urql, OpenTelemetry, jQuery and zKillboard's manners make programs send.
ASKED = (
    "authorization",
    "apollographql-client-name",
    "apollographql-client-version",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-user-agent",
    "traceparent",
    "tracestate",
    "x-requested-with",
    "cache-control",
    "content-type",
    "if-none-match",
    "if-modified-since",
    "last-event-id",
    "x-show-cost",
)
# Readable without being exposed. Source: Fetch, "CORS-safelisted response-header name".
ALWAYS_READ = {
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
}
# Of the transport and for the browser alone: no page has a use for them.
OF_NO_PAGE = {"connection", "keep-alive", "transfer-encoding", "date", "vary", "content-encoding", "x-accel-buffering"}
OF_NO_PAGE |= {"content-security-policy", "x-content-type-options", "referrer-policy"}
OF_NO_PAGE |= {"cross-origin-opener-policy", "cross-origin-resource-policy"}


def assert_readable(headers: Mapping[str, str], *named: str) -> None:
    """Assert that a page of any origin reads this answer, and each of the headers it came with."""
    found = {name.lower(): value for name, value in headers.items()}
    assert found["access-control-allow-origin"] == "*", found
    assert "access-control-allow-credentials" not in found
    exposed = {name.strip().lower() for name in found["access-control-expose-headers"].split(",")}
    own = {name for name in found if not name.startswith("access-control-")} - ALWAYS_READ - OF_NO_PAGE
    assert own <= exposed, own - exposed
    assert set(named) <= own | ALWAYS_READ, (named, own)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/graphql", "/api/killmails", "/feeds/killmails.atom", "/listen.php", "/nothing"])
async def test_a_page_may_send_what_libraries_send(api: GraphQL, path: str, method: str) -> None:
    for names in (*((name,) for name in ASKED), ASKED):
        asked = {**PAGE_OF, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": ",".join(names)}
        async with api.session.options(f"{api.address}{path}", headers=asked) as response:
            assert response.status == 200, (names, await response.text())
            headers = response.headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert method in headers["Access-Control-Allow-Methods"].split(", ")
        allowed = {name.strip().lower() for name in headers["Access-Control-Allow-Headers"].split(",")}
        assert set(names) <= allowed
        assert "Access-Control-Allow-Credentials" not in headers


async def test_a_method_that_nothing_takes_is_refused_before_it_is_sent(api: GraphQL) -> None:
    asked = {**PAGE_OF, "Access-Control-Request-Method": "DELETE"}
    async with api.session.options(f"{api.address}/graphql", headers=asked) as response:
        assert response.status == 400


async def test_every_address_answers_a_page(settings: Settings, database: Database) -> None:
    app = create_app(settings, database)
    paths = {route.path.split("{")[0].rstrip("/") or "/" for route in app.routes if isinstance(route, Route)}
    assert len(paths) > 15
    quick = aiohttp.ClientTimeout(total=30)
    async with serving(app) as address, aiohttp.ClientSession(timeout=quick) as session:
        for path in sorted(paths - {"/listen.php"}):
            async with session.get(f"{address}{path}", headers=PAGE_OF) as response:
                assert_readable(response.headers)
        async with session.get(f"{address}/listen.php?ttw=1", headers=PAGE_OF) as response:
            assert_readable(response.headers)


async def test_answers_and_events_are_read_with_their_headers(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, api_unlimited_networks="", api_cache_bytes=2**20) as api:
        code, headers, _ = await post(api, {"query": "{ type(id: 587) { id name } }"}, PAGE_OF)
        assert code == 200
        assert_readable(headers, "etag", "cache-control", "ratelimit", "ratelimit-policy")
        code, headers, _ = await post(
            api, {"query": "{ type(id: 587) { id name } }"}, {**PAGE_OF, "If-None-Match": headers["etag"]}
        )
        assert code == 304
        assert_readable(headers, "etag")
        async with api.session.get(f"{api.address}/feed?format=ndjson", headers=PAGE_OF) as response:
            assert_readable(response.headers, "x-next-after", "ratelimit")
        events = {**PAGE_OF, "Accept": "text/event-stream"}
        async with api.session.post(f"{api.address}/graphql", json={"query": FOLLOW}, headers=events) as response:
            assert response.status == 200
            assert_readable(response.headers)


async def test_refusals_are_read_with_their_reason(settings: Settings, database: Database) -> None:
    limits = {"api_unlimited_networks": "", "api_rate_burst": 1, "api_rate_per_second": 0.01}
    async with guarded(settings, database, **limits) as api:
        code, headers, _ = await post(api, {"query": PAGE}, PAGE_OF)
        assert code == 429
        assert_readable(headers, "retry-after", "ratelimit")
        async with api.session.get(f"{api.address}/api/kills/", headers=PAGE_OF) as response:
            assert response.status == 429
            assert_readable(response.headers, "retry-after")
    async with guarded(settings, database, api_sockets=0, api_unlimited_networks="") as api:
        events = {**PAGE_OF, "Accept": "text/event-stream"}
        async with api.session.post(f"{api.address}/graphql", json={"query": FOLLOW}, headers=events) as response:
            assert response.status == 503
            assert_readable(response.headers, "retry-after")


REFUSED = {
    "a body too long for GraphQL": (
        413,
        b"POST /graphql HTTP/1.1\r\n%sContent-Length: 900000\r\n\r\n" + bytes(900_000),
    ),
    "a body too long for anybody": (
        413,
        b"POST /graphql HTTP/1.1\r\n%sContent-Length: 3000000\r\n\r\n" + bytes(3_000_000),
    ),
    "a head too long": (431, b"GET / HTTP/1.1\r\n%s" + b"A: b\r\n" * 200 + b"\r\n"),
    "what is no HTTP": (400, b"GET / HTTP/1.1\r\n%sA\r\n\r\n"),
    "what is not UTF-8": (400, b"GET /%%ff HTTP/1.1\r\n%sConnection: close\r\n\r\n"),
    "two of what is one": (
        400,
        b"GET /healthz HTTP/1.1\r\n%sConnection: close\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
    ),
    "another method": (405, b"PUT /graphql HTTP/1.1\r\n%sConnection: close\r\n\r\n"),
    "what is not there": (404, b"GET /nothing HTTP/1.1\r\n%sConnection: close\r\n\r\n"),
}
ORIGIN = b"Host: x\r\nContent-Type: application/json\r\nOrigin: https://tool.example\r\n"


def headers_of(answer: bytes) -> dict[str, str]:
    """Return the headers of a raw answer."""
    lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_unread_is_read_by_the_page(api: GraphQL, name: str) -> None:
    code, request = REFUSED[name]
    answer = await said(api.address, request.replace(b"%s", ORIGIN).replace(b"%%", b"%"))
    assert status(answer) == code, answer[:200]
    assert_readable(headers_of(answer))


async def test_a_service_that_is_full_or_broken_says_so_to_pages(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(settings, database)

    async def fail(*_given: object) -> None:
        raise RuntimeError("by this test")

    app.router.routes.insert(0, Route("/broken", fail))
    get = b"GET /broken HTTP/1.1\r\n%sConnection: close\r\n\r\n" % ORIGIN
    connection_limit = ConnectionLimit(16, Clients(settings.replace(api_unlimited_networks="")))
    async with serving(app, connection_limit=connection_limit) as address:
        answer = await said(address, get)
        assert status(answer) == 500
        assert_readable(headers_of(answer))
        for number in range(14):
            connection_limit.enter(f"192.0.2.{number}")
        answer = await said(address, get)
        assert status(answer) == 503
        assert_readable(headers_of(answer), "retry-after")


async def test_refusals_name_a_page_s_origin_only_where_it_may_read(settings: Settings, database: Database) -> None:
    head = b"GET / HTTP/1.1\r\n%s" + b"A: b\r\n" * 200 + b"\r\n"
    async with guarded(settings, database, api_allowed_origins="https://tool.example") as api:
        shown = headers_of(await said(api.address, head % ORIGIN))
        assert shown["access-control-allow-origin"] == "https://tool.example"
        assert "Origin" in shown["vary"]
        hidden = headers_of(await said(api.address, head % ORIGIN.replace(b"tool", b"evil")))
        assert "access-control-allow-origin" not in hidden
        assert "Origin" in hidden["vary"]
