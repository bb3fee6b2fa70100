"""Publishing with confirms and consuming, on each transport, beside the plainest loop that does the same.

The plain loop on RabbitMQ is one channel of the client library with confirms and a window of 1,000 in flight; in
PostgreSQL it is `executemany` into the same table. RabbitMQ is measured where KILLREPORT_TEST_BROKER_URL names one
whose `rabbitmqctl` can make a virtual host for the measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import aiormq
import structlog

from bench.databases import bench_database, bench_server
from killreport.config import Settings
from killreport.db.database import Database, open_database
from killreport.queueing.broker import Broker, Delivery, Priority
from killreport.queueing.messages import CharacterMessage, Message, encode
from killreport.queueing.open import open_broker

QUEUE = "esi_character_info_queue"
WINDOW = 1000
PREFETCHES = (10, 100)


@asynccontextmanager
async def virtual_host() -> AsyncIterator[str | None]:
    """Lend the URL of a virtual host of this run's own; None where there is no RabbitMQ to be had."""
    url = os.environ.get("KILLREPORT_TEST_BROKER_URL")
    if url is None or shutil.which("rabbitmqctl") is None:
        yield None
        return
    name, user = f"killreport_bench_{secrets.token_hex(4)}", url.partition("://")[2].partition(":")[0]
    rabbitmqctl("add_vhost", name)
    try:
        rabbitmqctl("set_permissions", "--vhost", name, user, ".*", ".*", ".*")
        yield f"{url.rstrip('/')}/{name}"
    finally:
        rabbitmqctl("delete_vhost", name)


def rabbitmqctl(*arguments: str) -> None:
    """Run RabbitMQ's own tool. Raises CalledProcessError."""
    subprocess.run(["rabbitmqctl", "--quiet", *arguments], check=True, capture_output=True)


async def plain_rabbitmq(url: str, bodies: Sequence[bytes], queue_type: str) -> float:
    """Publish the bodies over one channel, a window in flight, and return the seconds until all were confirmed."""
    connection = await aiormq.connect(url)
    channel = await connection.channel(publisher_confirms=True)
    arguments: dict[str, str | int] = {"x-queue-type": queue_type}
    if queue_type == "classic":
        arguments["x-max-priority"] = max(Priority)
    await channel.queue_declare("plain", durable=True, arguments=cast(Any, arguments))
    room = asyncio.Semaphore(WINDOW)
    properties = aiormq.spec.Basic.Properties(delivery_mode=2, priority=0)

    async def publish(body: bytes) -> None:
        await channel.basic_publish(body, routing_key="plain", properties=properties)
        room.release()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for body in bodies:
            await room.acquire()
            group.create_task(publish(body))
    seconds = time.perf_counter() - began
    await channel.queue_delete("plain")
    await connection.close()
    return seconds


async def plain_postgresql(database: Database, bodies: Sequence[bytes]) -> float:
    """Insert the bodies one by one in one transaction, pipelined, and return the seconds until it committed."""
    began = time.perf_counter()
    async with database.transaction() as connection:
        await connection.executemany(
            "insert into queue_message (queue, priority, body) values ($1, $2, $3)",
            [(QUEUE, 0, body) for body in bodies],
        )
    seconds = time.perf_counter() - began
    async with database.connection() as connection:
        await connection.execute("truncate queue_message")
    return seconds


async def consume(broker: Broker, prefetch: int, count: int) -> float:
    """Consume so many messages with a handler that does nothing and return how many a second."""
    stop, left = asyncio.Event(), count

    async def note(_message: Message, _delivery: Delivery) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            stop.set()

    began = time.perf_counter()
    await broker.consume(QUEUE, note, prefetch=prefetch, stop=stop)
    return count / (time.perf_counter() - began)


async def measure(settings: Settings, messages: Sequence[CharacterMessage]) -> dict[str, object]:
    """Return the figures of one transport."""
    bodies = [encode(message) for message in messages]
    async with open_database(settings) as database, open_broker(settings, database) as broker:
        if settings.broker_url is None:
            plain = await plain_postgresql(database, bodies)
        else:
            plain = await plain_rabbitmq(settings.broker_url.get_secret_value(), bodies, settings.broker_queue_type)
        began = time.perf_counter()
        await broker.publish_many(QUEUE, messages, priority=Priority.BATCH)
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        counts = await broker.counts(QUEUE)
        count_seconds = time.perf_counter() - began
        assert counts.ready == len(messages)
        consumed = {prefetch: await consume(broker, prefetch, len(messages) // 5) for prefetch in PREFETCHES}
        await broker.purge(QUEUE)
    return {
        "publish_seconds": round(seconds, 2),
        "plain_loop_seconds": round(plain, 2),
        "times_as_fast": round(plain / seconds, 1),
        "published_per_second": round(len(messages) / seconds),
        **{f"consumed_per_second_prefetch_{prefetch}": round(rate) for prefetch, rate in consumed.items()},
        "count_ms": round(count_seconds * 1000, 1),
    }


async def measure_all(count: int) -> dict[str, object]:
    """Return the figures of every transport there is here."""
    messages = [CharacterMessage(90_000_000 + number) for number in range(count)]
    report: dict[str, object] = {"messages": count}
    async with bench_server() as server, bench_database(server) as url:
        settings = Settings.model_validate({"database_url": url})
        report["postgresql"] = await measure(settings, messages)
        for queue_type in ("classic", "quorum"):
            async with virtual_host() as broker_url:
                if broker_url is not None:
                    chosen = settings.replace(broker_url=broker_url, broker_queue_type=queue_type)
                    report[f"rabbitmq_{queue_type}"] = await measure(chosen, messages)
    return report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=93_000, help="messages; the default is every character there is")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asyncio.run(measure_all(options.count)), indent=1))


if __name__ == "__main__":
    main()
