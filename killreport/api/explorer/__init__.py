"""The page a browser gets at `/graphql`: a form to try queries. Everything it needs comes from here, no CDN."""

from __future__ import annotations

from importlib import resources
from typing import Any

from ariadne.explorer import Explorer
from starlette.requests import Request
from starlette.responses import Response

_MEDIA_TYPES = {"explorer.js": "text/javascript", "explorer.css": "text/css"}
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


class FormExplorer(Explorer):
    """Ariadne's own explorers load their code from a CDN; this one is a page, a script and a style sheet of ours."""

    def html(self, request: Any) -> str | None:
        """Return the page, or None (Ariadne answers 405) for a client that did not ask for HTML."""
        if "text/html" not in request.headers.get("accept", ""):
            return None
        return _read("explorer.html")


def _read(name: str) -> str:
    return resources.files("killreport.api.explorer").joinpath(name).read_text(encoding="utf-8")


async def explorer_file(request: Request) -> Response:
    """Serve the explorer's script and style sheet."""
    name = request.path_params["name"]
    if name not in _MEDIA_TYPES:
        return Response("There is no such file.", 404, media_type="text/plain")
    headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": _POLICY}
    return Response(_read(name), headers=headers, media_type=_MEDIA_TYPES[name])
