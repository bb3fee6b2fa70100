"""The page a browser gets at `/graphql`: a place to try queries and to read the schema.

Everything it needs comes from here, no CDN. What the API answers goes into the page as text only; the policy in the
headers forbids every other script and every way to turn text into markup.
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from importlib import resources
from itertools import takewhile

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from killreport.answering import content_tag, tagged

MODULES = (
    "explorer.js",
    "address.js",
    "answer.js",
    "completion.js",
    "context.js",
    "dom.js",
    "editor.js",
    "live.js",
    "panel.js",
    "request.js",
    "schema.js",
    "tokens.js",
)
EXAMPLES = "examples.json"
_MEDIA_TYPES = {
    "explorer.css": "text/css",
    "mark.svg": "image/svg+xml",
    EXAMPLES: "application/json",
    **dict.fromkeys(MODULES, "text/javascript"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {hosts}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")


def explorer_page(request: Request) -> Response:
    """Return the page; its headers say what it may load, whom it may ask, and that it tells nobody where it was."""
    headers = {
        "Content-Security-Policy": _POLICY.format(hosts=_hosts(request.headers.get("host", ""))),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(_page(), headers=headers)


def _hosts(host: str) -> str:
    # Older browsers do not count the WebSocket of the same host as 'self'; a name that is none is left out. The page
    # is kept by nobody, so that what one request named is read by nobody else.
    return f"'self' ws://{host} wss://{host}" if _HOST.fullmatch(host) else "'self'"


async def explorer_file(request: Request) -> Response:
    """Serve a file of the explorer by its name; any other name is 404."""
    name = request.path_params["name"]
    if name not in _MEDIA_TYPES:
        return Response("There is no such file.", 404, media_type="text/plain")
    content, tag = _file(name)
    headers = {
        # Asked about each time, so that modules of two releases never meet in one page.
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
    return tagged(request, Response(content, headers=headers, media_type=_MEDIA_TYPES[name]), tag)


def examples() -> list[dict[str, str]]:
    """Return the examples in the order of the menu, each with its title, a note on it, and the document."""
    folder = resources.files("killreport.api.explorer").joinpath("examples")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".graphql")), key=lambda file: file.name)
    return [_example(file.read_text(encoding="utf-8")) for file in files]


def _example(document: str) -> dict[str, str]:
    title, *note = (
        line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("# "), document.splitlines())
    )
    return {"title": title, "note": " ".join(note), "query": document}


@cache
def _file(name: str) -> tuple[bytes, str]:
    content = (json.dumps(examples()) if name == EXAMPLES else _read(name)).encode()
    return content, content_tag(content)


@cache
def _page() -> str:
    preloads = "\n".join(f'<link rel="modulepreload" href="/explorer/{name}">' for name in MODULES[1:])
    page = _read("explorer.html").replace("<!-- modules -->", preloads)
    return page.replace("<!-- query -->", html.escape(examples()[0]["query"]))


def _read(name: str) -> str:
    return resources.files("killreport.api.explorer").joinpath(name).read_text(encoding="utf-8")
