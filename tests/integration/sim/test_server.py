"""The simulator as a whole: control, restarts, kill -9, the command."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from killreport.errors import Conflict
from killreport.sim.publishing.publisher import KillmailPublisher
from killreport.sim.world.generator import Generator
from tests.integration.sim.conftest import FIRST, Client, Clock, Running


async def test_the_status_counts_what_was_published_and_asked(client: Client) -> None:
    await client.publish(7)
    await client.get(f"/ephemeral/{FIRST}.json")
    await client.get("/ephemeral/sequence.json")
    await client.get("/nowhere")

    status = (await client.get("/control/status")).body

    assert (status["head"], status["published"], status["remaining"], status["paused"]) == (FIRST + 6, 7, None, False)
    assert status["requests_by_route"] == {
        "(unknown)": 1,
        "/ephemeral/sequence.json": 1,
        "/ephemeral/{sequence}.json": 1,
    }
    assert status["requests"] == 3


async def test_pause_and_resume_are_remembered_until_the_end(client: Client) -> None:
    await client.post("/control/pause", {})
    assert (await client.get("/control/status")).body["paused"] is True
    await client.post("/control/resume", {})
    assert (await client.get("/control/status")).body["paused"] is False


@pytest.mark.parametrize("body", [{"count": -1}, {"count": 100_001}, {"count": "five"}, []])
async def test_what_cannot_be_published_is_refused_and_nothing_is(client: Client, body: object) -> None:
    assert (await client.post("/control/publish", body)).status == 400
    assert (await client.get("/control/status")).body["published"] == 0


async def test_a_mail_that_cannot_be_made_is_said_by_the_control_and_by_the_log(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise IndexError("list index out of range")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(Generator, "generate", fail)
        answer = await client.post("/control/publish", {"count": 1})

    assert (answer.status, answer.body) == (500, {"error": "The simulator failed: IndexError: list index out of range"})
    assert [(line["event"], line["path"]) for line in logs] == [("request_failed", "/control/publish")]
    assert await client.publish(1) == FIRST


async def test_publishing_by_the_clock_outlives_what_it_fails_with(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, goes_on, turns = KillmailPublisher.run, asyncio.Event(), iter([True])

    async def fail_at_first(publisher: KillmailPublisher, mails_per_minute: float) -> None:
        if next(turns, False):
            raise IndexError("list index out of range")
        goes_on.set()
        await run(publisher, mails_per_minute)

    monkeypatch.setattr(KillmailPublisher, "run", fail_at_first)
    with capture_logs() as logs:
        async with running(mails_per_minute=60), asyncio.timeout(30):
            await goes_on.wait()

    assert [(line["event"], line["task"], line["reason"]) for line in logs] == [
        ("task_failed", "publishing", "IndexError: list index out of range")
    ]


async def test_a_restart_goes_on_where_it_was_and_serves_the_past_unchanged(running: Running, clock: Clock) -> None:
    async with running(opening=60) as client:
        before = [await client.package(FIRST + n) for n in range(60)]
    clock.now += 600
    async with running(opening=60) as client:
        after = [await client.package(FIRST + n) for n in range(60)]
        assert await client.publish(1) == FIRST + 60

    assert after == before


async def test_the_opening_is_spread_over_the_last_hours(running: Running, clock: Clock) -> None:
    async with running(opening=90) as client:
        packages = [await client.package(FIRST + n) for n in range(90)]
    # A package that was rewritten has the time of that.
    uploads = [package["uploaded_at"] for package in packages if "ganked" not in package["zkb"]["labels"]]

    assert uploads == sorted(uploads)
    assert uploads[-1] == clock.now
    assert uploads[0] == clock.now - 3 * 3600 + 120


async def test_a_home_cannot_be_run_twice_at_once(running: Running, client: Client) -> None:
    with pytest.raises(Conflict, match="Another simulator is running"):
        async with running():
            pass


async def test_a_home_keeps_its_seed(running: Running) -> None:
    async with running(seed=4):
        pass

    with pytest.raises(Conflict, match="begun with seed 4, not 5"):
        async with running(seed=5):
            pass


async def test_a_port_in_use_is_told_in_a_sentence(running: Running, client: Client, tmp_path: Path) -> None:
    port = int(client.url.rsplit(":", 1)[1])

    with pytest.raises(Conflict, match=rf"^Port {port} of 127.0.0.1 cannot be used"):
        async with running(home=tmp_path / "other", port=port):
            pass


async def start(home: Path, *options: str) -> tuple[asyncio.subprocess.Process, str]:
    """Run the command; return the process and its URL."""
    environment = {**os.environ, "KILLREPORT_HOME": str(home)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killreport", "sim", "--port", "0", *options),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found is not None, line
    return process, found.group()


async def test_after_kill_minus_nine_every_published_package_is_still_there(tmp_path: Path) -> None:
    process, url = await start(tmp_path, "--rate", "0", "--no-limits")
    async with aiohttp.ClientSession() as session:
        client = Client(session, url)
        head = await client.publish(50)
        before = [await client.package(n) for n in range(head - 60, head + 1)]
        process.send_signal(signal.SIGKILL)
        await process.wait()

    process, url = await start(tmp_path, "--rate", "0", "--no-limits")
    async with aiohttp.ClientSession() as session:
        client = Client(session, url)
        after = [await client.package(n) for n in range(head - 60, head + 1)]
        assert (await client.get("/control/status")).body["head"] == head
    process.send_signal(signal.SIGTERM)

    assert after == before
    assert await process.wait() == 0


async def test_the_clock_publishes_at_the_rate_asked_for(tmp_path: Path) -> None:
    process, url = await start(tmp_path, "--rate", "60000", "--no-limits", "--opening", "0")
    async with aiohttp.ClientSession() as session:
        client = Client(session, url)
        # Not how fast, only that it does: the listener's long poll ends when a mail is there.
        answer = await client.get("/listen.php?queueID=mine&ttw=10")
        assert answer.status == 302
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
