"""CCP's static data: which build is the newest, and its archive. The packaged one, under a newer number if told."""

from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import UTC, datetime
from importlib import resources

import msgspec
from aiohttp import web

from killreport.eve import seed
from killreport.eve.importer import RELEASE, RELEASE_KEY
from killreport.eve.official import ReleaseLine
from killreport.sim.answers import etag_of, route
from killreport.sim.simulator import Simulator

_MIN_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class Ccp:
    """The routes below /static-data."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._made: tuple[int, bytes] = (0, b"")
        self._making = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            route("GET", "/static-data/tranquility/latest.jsonl", self._latest),
            route("GET", "/static-data/eve-online-static-data-latest-jsonl.zip", self._archive),
        ]

    def _latest(self, _request: web.Request) -> web.Response:
        return web.Response(body=_release_line(self._build_number()), content_type="application/jsonl")

    async def _archive(self, request: web.Request) -> web.Response:
        build_number = self._build_number()
        async with self._making:
            if self._made[0] != build_number:
                self._made = build_number, await asyncio.to_thread(_make_archive, build_number)
        body = self._made[1]
        tag = etag_of(body)
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=body, content_type="application/zip", headers={"ETag": tag})

    def _build_number(self) -> int:
        return self._simulator.build_number or self._simulator.universe.build_number


def _release_line(build_number: int) -> bytes:
    # The number counts up with time, so the date follows from it.
    released_at = datetime.fromtimestamp(1_700_000_000 + build_number, UTC)
    return msgspec.json.encode(ReleaseLine(RELEASE_KEY, build_number, released_at)) + b"\n"


def _make_archive(build_number: int) -> bytes:
    out = io.BytesIO()
    with (
        (resources.files(seed) / seed.ARCHIVE).open("rb") as stream,
        zipfile.ZipFile(stream) as packaged,
        zipfile.ZipFile(out, "w") as made,
    ):
        for name in packaged.namelist():
            content = _release_line(build_number) if name == RELEASE else packaged.read(name)
            made.writestr(zipfile.ZipInfo(name, _MIN_ZIP_TIME), content, zipfile.ZIP_DEFLATED, compresslevel=1)
    return out.getvalue()
