"""A walk through every address of both services: each place of each path, each parameter, each header, each method.

Nothing here names a route: a new one is walked as soon as it exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.routing import Route

from killreport.answering import Answering
from killreport.api.rest.table import endpoints
from killreport.config import Settings
from tests.security.hostile import TEXTS
from tests.security.walking import Answer, Step, names_read, paths_of, plain, walk

ALWAYS = (
    "content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy",
    "cross-origin-resource-policy",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW")
# Sent raw where an encoding would hide them.
RAW = [text if text.startswith("%") or "%" in text else quote(text) for text in TEXTS]


def guarded(answers: list[tuple[Step, Answer]]) -> None:
    """Check what holds for every answer: the headers, and a sentence where something is refused."""
    for step, answer in answers:
        if answer.status == 0:
            continue
        assert [name for name in ALWAYS if answer.header(name) is None] == [], (step, answer)
        if answer.status >= 400 and step.method != "HEAD" and (answer.header("content-type") or "").startswith("app"):
            said = plain(answer)
            assert isinstance(said, dict)
            sentence = said.get("error") or said["errors"][0]["message"]
            assert len(sentence) > 10, (step, answer)
            assert "Traceback" not in sentence


def ways(app: Answering) -> Iterator[str]:
    """Yield every path with ordinary values."""
    yield from paths_of(app.routes, "1")


@pytest.fixture(params=["api", "site"])
def service(request: pytest.FixtureRequest) -> Answering:
    """Return one of the two services."""
    app: Answering = request.getfixturevalue(request.param)
    return app


async def test_every_place_of_every_path_takes_anything(service: Answering) -> None:
    paths = [path for text in RAW for path in paths_of(service.routes, text)]
    guarded(await walk(service, map(Step, dict.fromkeys(paths))))


async def test_every_parameter_of_every_path_takes_anything(service: Answering, settings: Settings) -> None:
    is_site = hasattr(service.state, "site")
    known, _ = names_read("web" if is_site else "api")
    assert ("after" if is_site else "queueID") in known
    own = {endpoint.path: [p.name for p in endpoint.parameters if p.place == "query"] for endpoint in endpoints()}
    steps = [
        Step(f"{path}?{name}={text}")
        for route in service.routes
        if isinstance(route, Route)
        for path in dict.fromkeys(paths_of([route], "1"))
        for name in own.get(route.path, known)
        for text in RAW
    ]
    assert len(steps) > 1_000
    guarded(await walk(service, steps))


async def test_every_parameter_may_come_twice(service: Answering) -> None:
    known, _ = names_read("api", "web")
    guarded(await walk(service, [Step(f"{path}?{name}=1&{name}=2") for path in ways(service) for name in known]))


async def test_every_header_takes_anything_and_may_come_twice(service: Answering) -> None:
    _, known = names_read("api", "web")
    assert {"if-none-match", "accept", "last-event-id", "authorization"} <= set(known)
    values = [text.encode().decode("latin-1") for text in TEXTS if "\r" not in text]
    steps = [
        Step(path, headers)
        for path in ways(service)
        for name in (*known, "cookie", "range", "x-forwarded-host", "content-length")
        for headers in (
            *([((name, value),) for value in values] if path == "/" or path.startswith("/graphql") else []),
            ((name, "1"), (name, "2")),
            ((name, "\xff\xfe"),),
        )
    ]
    guarded(await walk(service, steps))


async def test_every_method_is_answered(service: Answering) -> None:
    answers = await walk(service, [Step(path, method=method) for path in ways(service) for method in METHODS])
    guarded(answers)
    assert {answer.status for step, answer in answers if step.method == "TRACE"} <= {405}


async def test_an_address_that_nobody_has_is_answered_with_the_headers(service: Answering) -> None:
    paths = ["/nothing", "/nothing/", "//evil.example/", "/%2f%2fevil.example/", "/.git/config", "/a%00b"]
    answers = await walk(service, map(Step, paths))
    guarded(answers)
    assert {answer.status for _, answer in answers} <= {400, 404}


async def test_a_slash_too_many_leads_to_the_address_without_and_names_no_host(api: Answering, site: Answering) -> None:
    for app, path in ((api, "/healthz"), (site, "/status")):
        ((_, answer),) = await walk(app, [Step(f"{path}/?a=1", (("x-forwarded-host", "evil.example"),))])
        assert (answer.status, answer.header("location")) == (307, f"{path}?a=1")
