"""Static files under addresses that carry a hash of their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"
_HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file in memory."""

    body: bytes
    media_type: str


class Assets:
    """All static files of a folder, read once."""

    def __init__(self, folder: Path) -> None:
        self._by_address: dict[str, Asset] = {}
        self._addresses: dict[str, str] = {}
        for path in sorted(folder.iterdir()):
            body = path.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:_HASH_DIGITS]
            address = f"{path.stem}.{digest}{path.suffix}"
            self._by_address[address] = Asset(body, _MEDIA_TYPES[path.suffix])
            self._addresses[path.name] = f"/static/{address}"

    def address(self, name: str) -> str:
        """Return the address of the file with this name. Raises KeyError where there is none."""
        return self._addresses[name]

    async def serve(self, request: Request) -> Response:
        """Answer for `/static/{name}`."""
        return self._response(request.path_params["name"], _FOREVER)

    async def serve_favicon(self, _request: Request) -> Response:
        """Answer for `/favicon.ico`, which some ask without reading the page."""
        return self._response(self._addresses["favicon.svg"].rpartition("/")[2], "public, max-age=86400")

    def _response(self, name: str, caching: str) -> Response:
        asset = self._by_address.get(name)
        if asset is None:
            return Response("There is no such file.", 404, media_type="text/plain")
        return Response(asset.body, headers={"Cache-Control": caching}, media_type=asset.media_type)
