"""A real browser (Debian's chromium), driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def find_chromium() -> str | None:
    """Return the browser's path; None where none is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One tab. Every call waits for the browser's answer."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.problems: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the browser and return its result; console errors on the way are collected in `problems`."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.problems.append(message["params"]["entry"]["text"])
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(str(message["params"]["exceptionDetails"]))

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited. Raises AssertionError where it throws."""
        answer = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def open(self, address: str) -> None:
        """Go to the address and wait until it has loaded."""
        answer = await self.call("Page.navigate", url=address)
        assert "errorText" not in answer, answer
        await self.wait_for(f"location.href === {address!r} && document.readyState === 'complete'")

    async def wait_for(self, condition: str, seconds: float = 20) -> None:
        """Wait until the JavaScript condition holds. Raises TimeoutError."""
        poll = (
            "new Promise((done) => { const look = () => {"
            f" let holds = false; try {{ holds = {condition}; }} catch {{ holds = false; }}"
            " if (holds) done(true); else requestAnimationFrame(look); }; look(); })"
        )
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await self.evaluate(poll)
                except AssertionError:
                    # Navigation ends the script that waits; the next page is asked again.
                    continue
                return

    async def resize(self, width: int, height: int, scheme: str = "dark") -> None:
        """Give the page a size in pixels and a colour scheme."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700
        )
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def screenshot(self) -> bytes:
        """Return a PNG of what is visible."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def open_browser(profile: Path) -> AsyncIterator[Page]:
    """Lend a tab of a new browser with an empty profile in the folder `profile`; it is closed afterwards."""
    chromium = find_chromium()
    assert chromium is not None
    # Killed, it would leave what it keeps beside its profile; a name short enough for a socket's address.
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as scratch:
        process = await asyncio.create_subprocess_exec(
            chromium,
            *FLAGS,
            f"--user-data-dir={profile}",
            env={**os.environ, "TMPDIR": scratch},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with _new_tab(await _debugger_address(process)) as page:
                yield page
        finally:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def _new_tab(address: str) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        host = address.split("/")[2]
        async with session.put(f"http://{host}/json/new?about:blank") as answer:
            tab = (await answer.json())["webSocketDebuggerUrl"]
        async with session.ws_connect(tab, max_msg_size=0) as socket:
            page = Page(socket)
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.call(f"{domain}.enable")
            yield page


async def _debugger_address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while line := (await process.stderr.readline()).decode():
            if line.startswith("DevTools listening on "):
                return line.removeprefix("DevTools listening on ").strip()
    raise AssertionError("chromium ended before it listened")
