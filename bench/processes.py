"""Processes of the product that a bench starts, and what it asks of them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from killreport.config import Settings
from killreport.environment import child_environment


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(*arguments: str, environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Lend a process of the product; it is told to stop at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "killreport", *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ask(session: aiohttp.ClientSession, url: str, body: object | None = None) -> Any:
    """Return the JSON a URL answers."""
    async with session.request("GET" if body is None else "POST", url, json=body) as answer:
        return await answer.json()


async def wait_for(session: aiohttp.ClientSession, url: str) -> None:
    """Return once the URL answers 200. Raises TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with session.get(url) as answer:
                    if answer.status == HTTPStatus.OK:
                        return
            await asyncio.sleep(0.05)


def memory_mb(pid: int) -> dict[str, float]:
    """Return the resident and the proportional memory of a process in MB. Linux only."""
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name in ("Rss", "Pss"):
            sizes[name.lower() + "_mb"] = round(int(value.split()[0]) / 1024, 1)
    return sizes


@asynccontextmanager
async def simulator(
    settings: Settings, session: aiohttp.ClientSession, *, has_limits: bool = False
) -> AsyncIterator[str]:
    """Lend the URL of a simulator, which refuses nobody for asking too often but with `has_limits`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ("--rate", "0", *(() if has_limits else ("--no-limits",)))
    async with running("sim", "--port", str(port), *options, environment=child_environment(settings)):
        await wait_for(session, f"{url}/control/status")
        yield url
