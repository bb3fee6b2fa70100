"""RabbitMQ itself is stopped for some seconds, with work under way.

Each test starts a node of its own twice, which takes some 20 s: done on demand, with KILLREPORT_TEST_BROKER_RESTART=1.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from killreport.config import Settings
from killreport.queueing.broker import Broker, Delivery
from killreport.queueing.messages import Message
from killreport.queueing.rabbit import open_rabbit
from tests.integration.queueing.consumers import QUEUE, characters, consuming, number_of, until_gone
from tests.integration.queueing.node import Node, own_node

IN_QUEUE = 2_000
PUBLISHED_MEANWHILE = 5_000
# More than the node needs to start on a busy machine.
PATIENCE_SECONDS = 60.0

pytestmark = [
    pytest.mark.parametrize("queue_type", ["classic", "quorum"]),
    pytest.mark.skipif(
        os.environ.get("KILLREPORT_TEST_BROKER_RESTART") != "1", reason="KILLREPORT_TEST_BROKER_RESTART is not 1"
    ),
]


class Counter:
    """A handler that notes what it was given, and after half of the queue waits until told to go on."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.deliveries: list[Delivery] = []
        self.half = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, message: Message, delivery: Delivery) -> None:
        """Handle one message."""
        if len(self.numbers) >= IN_QUEUE // 2:
            self.half.set()
            await self.go_on.wait()
        self.numbers.append(number_of(message))
        self.deliveries.append(delivery)


async def _work_through(broker: Broker, node: Node, *, kill: bool) -> Counter:
    """Consume and publish while the node goes down and comes back; return what was handled, and how."""
    counter = Counter()
    await broker.publish_many(QUEUE, characters(*range(IN_QUEUE)))
    async with consuming(broker, counter, prefetch=10):
        await counter.half.wait()
        publishing = asyncio.create_task(
            broker.publish_many(QUEUE, characters(*range(IN_QUEUE, IN_QUEUE + PUBLISHED_MEANWHILE)))
        )
        await (node.kill() if kill else node.stop())
        counter.go_on.set()
        await node.start()
        await publishing
        await until_gone(broker)
    return counter


async def test_over_a_restart_of_rabbitmq_nothing_is_lost(tmp_path: Path, queue_type: str) -> None:
    async with own_node(tmp_path / "node") as node:
        settings = Settings.model_validate({"broker_url": node.url, "broker_queue_type": queue_type})
        async with open_rabbit(settings, patience_seconds=PATIENCE_SECONDS) as broker:
            counter = await _work_through(broker, node, kill=False)
            assert (await broker.counts(QUEUE)).dead == 0

    assert set(counter.numbers) == set(range(IN_QUEUE + PUBLISHED_MEANWHILE))
    # Nobody's fault: neither an attempt nor a loss is counted.
    assert {(delivery.attempt, delivery.losses) for delivery in counter.deliveries} == {(1, 0)}


async def test_over_a_rabbitmq_that_is_killed_nothing_confirmed_is_lost(tmp_path: Path, queue_type: str) -> None:
    async with own_node(tmp_path / "node") as node:
        settings = Settings.model_validate({"broker_url": node.url, "broker_queue_type": queue_type})
        async with open_rabbit(settings, patience_seconds=PATIENCE_SECONDS) as broker:
            counter = await _work_through(broker, node, kill=True)
            assert (await broker.counts(QUEUE)).dead == 0

    assert set(counter.numbers) == set(range(IN_QUEUE + PUBLISHED_MEANWHILE))
