"""A RabbitMQ of a test's own, which it may stop and start: name, ports and folder are nobody else's."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import REQUIRES_SERVICES
from tests.ports import free_port

READY_SECONDS = 90.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.1


class Node:
    """A RabbitMQ below a folder, stopped at first. url: where it listens while it runs; the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self._name = f"killreport_{secrets.token_hex(4)}@localhost"
        self._folder = folder
        self._port = free_port()
        self._distribution_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/"

    async def start(self) -> None:
        """Start it and return when it takes connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "enabled_plugins").write_text("[].\n")
        (self._folder / "rabbitmq.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{self._port}\n")
        log = (self._folder / "console.log").open("ab")
        # Not Debian's own script, which gives up root, cannot then write here, and serves one node a machine.
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it is not waited for
            [_server_program()],
            env=self._environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        async with asyncio.timeout(READY_SECONDS):
            while not await self._answers():
                assert self._process.poll() is None, (self._folder / "console.log").read_text()[-2000:]
                await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """Stop it as its operator would: connections end, what is durable stays."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it without a word, as a power cut would."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # Its session: the program that was started is a shell around the node.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                # Polled, because the process that ends last is not our child.
                while process.poll() is None or await self._answers():  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": os.environ["PATH"],
            # Of the cookie.
            "HOME": str(folder),
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            # One scheduler is enough, and leaves the processor to the tests.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }


def _server_program() -> str:
    """Return RabbitMQ's own starting script; skips the test where there is none."""
    for candidate in ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server")):
        if candidate and Path(candidate).exists():
            return candidate
    assert not REQUIRES_SERVICES, "KILLREPORT_TEST_REQUIRE_SERVICES is set, and RabbitMQ is not installed"
    pytest.skip("RabbitMQ is not installed")


@asynccontextmanager
async def own_node(folder: Path) -> AsyncIterator[Node]:
    """Lend a running RabbitMQ of one's own; it is killed at the end, and nothing but the folder stays."""
    node = Node(folder)
    try:
        await node.start()
        yield node
    finally:
        await node.kill()
