"""What needs no socket of the HTTP client: its pace, what it calls itself, how it reads a request to wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from killreport import __version__, http
from killreport.http import Pacer, retry_after, user_agent
from tests.unit.zkillboard.hosts import Clock


async def test_requests_start_at_least_an_interval_apart() -> None:
    clock = Clock()
    pacer = Pacer(8.0, clock=clock, sleep=clock.sleep)
    started = []
    for _ in range(4):
        await pacer.turn()
        started.append(clock.now)

    assert started == [1000.0, 1000.125, 1000.25, 1000.375]


async def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    clock = Clock()
    pacer = Pacer(8.0, clock=clock, sleep=clock.sleep)
    await pacer.turn()
    clock.now += 60
    await pacer.turn()
    await pacer.turn()

    assert clock.slept == [0.125]


def test_the_user_agent_names_the_product_and_whom_to_reach() -> None:
    assert user_agent("ops@example.org") == f"killreport/{__version__} (+ops@example.org)"
    assert user_agent("") == f"killreport/{__version__}"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "86400"}, 3600.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"X-ESI-Error-Limit-Reset": "42"}, 42.0),
    ],
)
def test_the_seconds_to_wait_are_read_and_bounded(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(http, "utc_now", lambda: now)

    assert retry_after({"Retry-After": format_datetime(now + timedelta(seconds=90), usegmt=True)}) == 90.0
    assert retry_after({"Retry-After": format_datetime(now - timedelta(seconds=90), usegmt=True)}) == 0.0


async def test_who_gives_up_waiting_leaves_no_turn_unused() -> None:
    clock = Clock()
    slept: list[float] = []
    stuck = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await stuck.wait()

    pacer = Pacer(0.5, clock=clock, sleep=sleep)
    await pacer.turn()
    for _ in range(100):
        waiting = asyncio.create_task(pacer.turn())
        await asyncio.wait({waiting}, timeout=0)
        waiting.cancel()
        await asyncio.wait({waiting})
    stuck.set()
    await pacer.turn()
    assert set(slept) == {2.0}
