"""Brings the stored static data up to CCP's newest build."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from killreport.config import Settings
from killreport.db.database import Database
from killreport.decoding import decode_json
from killreport.errors import KillreportError, Malformed, NotFound
from killreport.eve.importer import (
    RELEASE_KEY,
    StaticDataRelease,
    StoredRelease,
    read_static_data,
    store_static_data,
    stored_release,
)
from killreport.eve.official import ReleaseLine
from killreport.http import HttpClient, Pacer, open_session

LATEST = "tranquility/latest.jsonl"
ARCHIVE = "eve-online-static-data-latest-jsonl.zip"
# CCP's archive is below 100 MB.
MAX_ARCHIVE_BYTES = 1 << 30


class _Keyed(msgspec.Struct, rename={"key": "_key"}):
    key: str | int


async def update_static_data(
    settings: Settings,
    database: Database,
    *,
    source: str | None = None,
    force: bool = False,
    on_bytes: Callable[[int], None] = lambda _size: None,
) -> tuple[StoredRelease, bool]:
    """Load the static data unless its build is there already; return what is stored then, and whether that is new.

    A build of which a former release kept less than this one does is loaded again.

    source: a path or URL of an archive of CCP's instead of the newest one. force: load the stored build again, too.
    on_bytes: called with the size of each piece of a download. Whatever fails, the present data stays.
    Raises NotFound where the host has no such file, KillreportError for what is not CCP's, and as the client does.
    """
    async with _open_http(settings) as http:
        stored = await get_release(database)
        if source is None:
            source = f"{settings.static_data_url}/{ARCHIVE}"
            latest = await _latest_build(http, f"{settings.static_data_url}/{LATEST}")
            if latest == stored.build_number and stored.is_complete and not force:
                return stored, False
        if source.startswith(("http://", "https://")):
            with tempfile.TemporaryDirectory(prefix="killreport-sde-") as folder:
                path = Path(folder) / ARCHIVE
                await _download(http, source, path, on_bytes)
                data = await _read(path, source)
        else:
            data = await _read(Path(source), source)
    if data.build_number == stored.build_number and stored.is_complete and not force:
        return stored, False
    async with database.connection() as connection:
        await store_static_data(connection, data, source)
    return await get_release(database), True


async def get_release(database: Database) -> StoredRelease:
    """Return which build is stored. Raises NotFound before the first."""
    async with database.connection() as connection:
        release = await stored_release(connection)
    if release is None:
        raise NotFound("The database has no static data.")
    return release


@asynccontextmanager
async def _open_http(settings: Settings) -> AsyncIterator[HttpClient]:
    async with open_session(settings) as session:
        yield HttpClient(session, Pacer(1.0))


async def _latest_build(http: HttpClient, url: str) -> int:
    try:
        body = await http.get(url)
    except NotFound as error:
        raise NotFound(f"There is no static data at {url}: {error}.") from None
    try:
        for line in body.splitlines():
            # Other keys may have other fields, so the key is looked at before the rest.
            if decode_json(line, _Keyed).key == RELEASE_KEY:
                return decode_json(line, ReleaseLine).build_number
    except Malformed as error:
        raise KillreportError(f"{url} does not name the newest build in CCP's format: {error}.") from None
    raise KillreportError(f"{url} does not name the newest build: it has no line with the key {RELEASE_KEY}.")


async def _download(http: HttpClient, url: str, path: Path, on_bytes: Callable[[int], None]) -> None:
    try:
        with path.open("wb") as out:
            async for piece in http.stream(url, max_bytes=MAX_ARCHIVE_BYTES):
                out.write(piece)
                on_bytes(len(piece))
    except NotFound as error:
        raise NotFound(f"There is no static data at {url}: {error}.") from None
    except Malformed as error:
        raise KillreportError(f"{url} is not CCP's archive: {error.reason}.") from None


async def _read(path: Path, source: str) -> StaticDataRelease:
    try:
        return await asyncio.to_thread(read_static_data, path, source)
    except Malformed as error:
        raise KillreportError(f"{error}; the static data in the database is unchanged.") from None
