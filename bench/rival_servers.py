"""Other GraphQL servers over the same database, for comparison: each one process on a port of this machine.

They are installed into folders of the run, never into the project's environment.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import free_port, running
from killreport.clock import monotonic
from killreport.config import Settings
from killreport.environment import child_environment
from killreport.errors import KillreportError

_RIVALS = Path(__file__).with_name("rivals")
_STRAWBERRY = ("strawberry-graphql", "starlette", "uvicorn", "uvloop", "httptools", "asyncpg", "orjson")
_NODE = (
    *("graphql", "pg", "dataloader"),
    *("graphql-yoga", "@graphql-yoga/plugin-response-cache", "@envelop/graphql-jit"),
    *("fastify", "mercurius", "mercurius-cache"),
)
_SCRIPTS = ("killmails.mjs", "yoga.mjs", "mercurius.mjs")
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """One running server and how it is called in the results."""

    name: str
    url: str
    pid: int


async def install(folder: Path) -> None:
    """Put what the rivals need into the folder; what is there is used again. Raises KillreportError."""
    python, modules = folder / "python", folder / "node_modules"
    if not python.exists():
        await _done(sys.executable, "-m", "venv", str(python))
        await _done(str(python / "bin" / "python"), "-m", "pip", "install", "--quiet", *_STRAWBERRY)
    if shutil.which("npm") and not modules.exists():
        await _done("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *_NODE)
    for script in _SCRIPTS:
        shutil.copy(_RIVALS / script, folder)


@asynccontextmanager
async def killreport_server(settings: Settings, name: str, cache_bytes: int) -> AsyncIterator[Server]:
    """Lend the product's API. cache_bytes: 0 for none."""
    port = free_port()
    own = settings.replace(api_port=port, api_cache_bytes=cache_bytes)
    async with running("run", "killreport-backend", environment=child_environment(own)) as process:
        await _listening(port)
        yield Server(name, f"http://127.0.0.1:{port}/graphql", process.pid)


@asynccontextmanager
async def rival(folder: Path, name: str, database_url: str) -> AsyncIterator[Server]:
    """Lend `strawberry`, `yoga` or `mercurius`; the last two with `, jit` or `, cache` or both behind the name.

    mercurius always compiles documents. The database has plain rows (`bench.plain_rows`).
    """
    port = free_port()
    kind, *extras = name.split(", ")
    command = (
        (str(folder / "python" / "bin" / "python"), str(_RIVALS / "strawberry_app.py"))
        if kind == "strawberry"
        else ("node", str(folder / f"{kind}.mjs"))
    )
    others = {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "NODE_ENV": "production",
        "CACHE": str(int("cache" in extras)),
        "JIT": str(int("jit" in extras)),
    }
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **others})
    try:
        await _listening(port)
        yield Server(name, f"http://127.0.0.1:{port}/graphql", process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _done(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=sys.stderr)
    if await process.wait() != 0:
        raise KillreportError(f"`{' '.join(command)}` failed; see above.")


async def _listening(port: int) -> None:
    until = monotonic() + _START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if monotonic() > until:
                raise KillreportError(f"Nothing listens on port {port} after {_START_SECONDS} s.") from None
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
