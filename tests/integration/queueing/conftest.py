"""The message layer three times over: tables in PostgreSQL, RabbitMQ's classic queues, RabbitMQ's quorum queues."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

import aiormq
import pytest
import structlog

from killreport.config import Settings
from killreport.db.database import Database
from killreport.fleet.table import QUEUES
from killreport.queueing import handling
from killreport.queueing.broker import Broker
from killreport.queueing.rabbit_topology import topology_of
from tests.conftest import REQUIRES_SERVICES
from tests.integration.queueing.victim import open_place

TRANSPORTS = ("embedded", "classic", "quorum")


@dataclass(frozen=True)
class Place:
    """Where a test's queues are. broker_url: None for the database. prefix: of every queue's name in RabbitMQ."""

    broker_url: str | None
    prefix: str = ""


MakeBroker = Callable[[], AbstractAsyncContextManager[Broker]]


def _rabbitmqctl(*arguments: str) -> None:
    subprocess.run(["rabbitmqctl", "--quiet", *arguments], check=True, capture_output=True, timeout=60)


@pytest.fixture(autouse=True)
def _few_lines() -> Iterator[None]:
    """Log as in production: drawing the tracebacks of thousands of failures made on purpose takes seconds."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    yield
    structlog.configure(**before)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Return which transport the test is run over."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def virtual_host() -> Iterator[str | None]:
    """Yield the URL of a virtual host of this run's own; None where RabbitMQ's tool cannot make one."""
    if shutil.which("rabbitmqctl") is None:
        yield None
        return
    url = os.environ["KILLREPORT_TEST_BROKER_URL"]
    name = f"killreport_test_{secrets.token_hex(6)}"
    user = url.partition("://")[2].partition(":")[0]
    _rabbitmqctl("add_vhost", name)
    try:
        _rabbitmqctl("set_permissions", "--vhost", name, user, ".*", ".*", ".*")
        yield f"{url.rstrip('/')}/{name}"
    finally:
        _rabbitmqctl("delete_vhost", name)


@pytest.fixture
async def place(transport: str, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """Yield where the test's queues are: tables of its own, or RabbitMQ with a prefix of its own."""
    if transport == "embedded":
        yield Place(None)
        return
    url = os.environ.get("KILLREPORT_TEST_BROKER_URL")
    if url is None:
        assert not REQUIRES_SERVICES, "KILLREPORT_TEST_REQUIRE_SERVICES is set, and KILLREPORT_TEST_BROKER_URL is not"
        pytest.skip("KILLREPORT_TEST_BROKER_URL names no RabbitMQ to test with")
    prefix = f"killreport_test_{secrets.token_hex(6)}."
    own: str | None = request.getfixturevalue("virtual_host")
    yield Place(own or url, prefix)
    # Each quorum queue takes a file or two of the thousand that RabbitMQ may open by default; without any left it
    # does not even answer a connection.
    await _delete_queues(own or url, prefix)


async def _delete_queues(url: str, prefix: str) -> None:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    for row in QUEUES:
        topology = topology_of(row, "quorum", prefix)  # has the names of both types
        for name in topology.declarations() | topology.card_declarations():
            await channel.queue_delete(name)
    await connection.close()


@pytest.fixture
def queue_settings(settings: Settings, transport: str, place: Place) -> Settings:
    """Return settings that choose the transport."""
    queue_type = "classic" if transport == "embedded" else transport
    return settings.replace(broker_url=place.broker_url, broker_queue_type=queue_type)


@pytest.fixture
def make_broker(queue_settings: Settings, database: Database, place: Place) -> MakeBroker:
    """Return what opens a connection to the test's queues."""
    return lambda: open_place(queue_settings, database, place.prefix)


@pytest.fixture
async def broker(make_broker: MakeBroker) -> AsyncIterator[Broker]:
    """Yield a connection to the test's queues."""
    async with make_broker() as broker:
        yield broker


@pytest.fixture
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every pause before a further attempt a tenth of a second."""
    monkeypatch.setattr(handling, "retry_delay", lambda *_: timedelta(seconds=0.1))
    monkeypatch.setattr(handling, "BACK_DELAY", timedelta(seconds=0.1))
    monkeypatch.setattr(handling, "MAX_BACK_DELAY", timedelta(seconds=0.1))
