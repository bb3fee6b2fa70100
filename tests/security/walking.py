"""A walk's steps: every request goes to the application as a server hands it over, every answer is looked at."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
import structlog.testing
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Scope

import killreport

PATIENCE_SECONDS = 30.0
# Of long polls and streams, which say nothing for longer, what they began with is looked at.
STREAM_SECONDS = 0.2
TOGETHER = 16
_READ = re.compile(
    r"(?:query_params(?:\.get\(|\.getlist\(|\[)|\.(?:given|number)\()\"([\w-]+)\"|one_of\(request, \"([\w-]+)\""
)
_IN_LOOPS = ("variables", "extensions")
_HEADER = re.compile(r"headers(?:\.get\(|\.getlist\(|\[)\"([\w-]+)\"|\"([\w-]+)\" in \w+\.headers")


@dataclass(frozen=True, slots=True)
class Step:
    """One request. target: path and query as they come over the wire."""

    target: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where nothing did in time."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the only header of this name."""
        found = [value for known, value in self.headers if known == name]
        assert len(found) <= 1, (name, found)
        return found[0] if found else None


async def ask(app: ASGIApp, step: Step, patience: float = PATIENCE_SECONDS) -> Answer:
    """Return the answer to one request, as much of it as came in time."""
    sent: list[Message] = []
    gone = asyncio.Event()
    bodies = [{"type": "http.request", "body": step.body, "more_body": False}]

    async def receive() -> Message:
        if bodies:
            return bodies.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.create_task(_called(app, scope_of(step), receive, send))
    done, _ = await asyncio.wait({task}, timeout=patience)
    gone.set()
    if not done:
        task.cancel()
        await asyncio.wait({task})
    elif (error := task.exception()) is not None and not sent:
        raise error
    return _answer(sent)


async def _called(app: ASGIApp, scope: Scope, receive: object, send: object) -> None:
    await app(scope, receive, send)  # type: ignore[arg-type]


def scope_of(step: Step) -> Scope:
    """Return the scope that uvicorn makes of the request."""
    raw_path, _, query = step.target.encode("utf-8").partition(b"?")
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "method": step.method, "root_path": "", "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path, "query_string": query, "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80),
        "headers": [(b"host", b"127.0.0.1"), *((n.lower().encode(), v.encode("latin-1")) for n, v in step.headers)],
        "state": {},
    }  # fmt: skip


def _answer(sent: list[Message]) -> Answer:
    if not sent:
        return Answer(0)
    headers = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in sent[0]["headers"])
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


async def walk(app: ASGIApp, steps: Iterable[Step], patience: float = PATIENCE_SECONDS) -> list[tuple[Step, Answer]]:
    """Return every answer, several asked for at a time. Fails where one was a fault of ours, or was logged as one."""
    places = asyncio.Semaphore(TOGETHER)

    async def go(step: Step) -> tuple[Step, Answer]:
        async with places:
            return step, await ask(app, step, STREAM_SECONDS if is_slow(step) else patience)

    with structlog.testing.capture_logs() as logs:
        answers = await asyncio.gather(*map(go, steps))
    faults = [
        f"{step.target[:120]} {answer.status} {answer.body[:200]!r}" for step, answer in answers if is_fault(answer)
    ]
    assert not faults, "\n".join(faults)
    assert not (noted := [entry for entry in logs if entry["log_level"] in ("error", "critical")]), noted
    return answers


def is_slow(step: Step) -> bool:
    """Whether a good request to this address is not answered at once."""
    return step.target.startswith(("/live", "/listen.php"))


def is_fault(answer: Answer) -> bool:
    """Whether the answer says that we failed: by its status, or by a code of GraphQL."""
    return answer.status >= 500 or b'"INTERNAL"' in answer.body or b'"UNAVAILABLE"' in answer.body


def paths_of(routes: Iterable[BaseRoute], value: str, ordinary: str = "1") -> Iterator[str]:
    """Yield the path of every route with this value in one of its places, and ordinary ones in the others."""
    for route in routes:
        if not isinstance(route, Route):
            continue
        names = list(route.param_convertors)
        for hostile in names or [""]:
            path = route.path_format
            for name in names:
                path = path.replace("{" + name + "}", value if name == hostile else ordinary)
            yield path


def names_read(*packages: str) -> tuple[list[str], list[str]]:
    """Return the names of query parameters and of headers that the sources of these packages read anywhere.

    What holds for every answer reads some of them for all.
    """
    folder = Path(killreport.__file__).parent
    paths = [path for part in packages for path in sorted((folder / part).rglob("*.py"))]
    texts = [path.read_text("utf-8") for path in (folder / "answering.py", *paths)]
    found = [
        sorted({name for text in texts for match in pattern.findall(text) for name in match if name})
        for pattern in (_READ, _HEADER)
    ]
    return [*found[0], *_IN_LOOPS], found[1]


def batched(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield the values in lists of so many."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def plain(answer: Answer) -> object:
    """Return the answer's JSON."""
    return msgspec.json.decode(answer.body)
