"""Many requests to one URL: wrk makes them where it is installed, else clients of our own in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from killreport.errors import KillreportError

_SCRIPT = Path(__file__).with_name("post.lua")
_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Load:
    """What one run counted. cpu_ms: of the server's process for one request; hardly moved by what else runs."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float = 0.0


def generator() -> str:
    """Return what makes the requests here."""
    return "wrk" if shutil.which("wrk") else f"asyncio, {_PROCESSES} processes"


async def press(url: str, bodies: Sequence[bytes], clients: int, seconds: float, pid: int) -> Load:
    """Post the bodies in turns over so many kept connections. Raises KillreportError where an answer was not 200.

    pid: the server's process.
    """
    before, begun = _cpu_seconds(pid), time.perf_counter()
    if shutil.which("wrk"):
        load = await _wrk(url, bodies, clients, seconds)
    else:
        load = await asyncio.to_thread(_own, url, tuple(bodies), clients, seconds)
    taken = time.perf_counter() - begun
    return replace(load, cpu_ms=round((_cpu_seconds(pid) - before) * 1000 / max(1.0, load.per_second * taken), 3))


def _cpu_seconds(pid: int) -> float:
    """Return how long the process has computed. Linux only; 0 elsewhere. Source: proc(5), utime and stime."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _wrk(url: str, bodies: Sequence[bytes], clients: int, seconds: float) -> Load:
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as lines:
        lines.write(b"\n".join(bodies))
        lines.flush()
        # wrk takes whole seconds only.
        process = await asyncio.create_subprocess_exec(
            *("wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}", "--timeout", "30", "-s", str(_SCRIPT)),
            *(url, "--", lines.name),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
    found = json.loads(output.decode().splitlines()[-1])
    if found["failed"]:
        raise KillreportError(f"{url} failed {found['failed']} of {found['requests']} requests.")
    return Load(round(found["requests"] / found["seconds"], 1), round(found["p50_ms"], 2), round(found["p99_ms"], 2))


def _own(url: str, bodies: Sequence[bytes], clients: int, seconds: float) -> Load:
    shares = [clients // _PROCESSES + (number < clients % _PROCESSES) for number in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES) as pool:
        parts = [pool.submit(_process, url, bodies, share, seconds) for share in shares if share]
        waits = [wait for part in parts for wait in part.result()]
    percents = quantiles(waits, n=100)
    return Load(round(len(waits) / seconds, 1), round(percents[49], 2), round(percents[98], 2))


def _process(url: str, bodies: Sequence[bytes], clients: int, seconds: float) -> list[float]:
    async def everybody() -> list[float]:
        until = time.perf_counter() + seconds
        # Everybody begins elsewhere, so that no two ask the same at the same time.
        begins = [(number * len(bodies)) // clients for number in range(clients)]
        turned = [[*bodies[begin:], *bodies[:begin]] for begin in begins]
        waits = await asyncio.gather(*(_client(url, one, until) for one in turned))
        return [wait for part in waits for wait in part]

    return asyncio.run(everybody())


async def _client(url: str, bodies: Sequence[bytes], until: float) -> list[float]:
    """Ask until then, and return the waits. Speaks HTTP itself: a client library would cost more than the server."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    waits: list[float] = []
    for body in cycle(bodies):
        begun = time.perf_counter()
        if begun >= until:
            break
        writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        status, _, rest = answer.lower().partition(b"\r\n")
        if b" 200 " not in status:
            raise KillreportError(f"{url} answered {status.decode()}.")
        _, _, length = rest.partition(b"content-length:")
        await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
        waits.append((time.perf_counter() - begun) * 1000)
    writer.close()
    return waits
