"""Making the queues of a topology, and saying how they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiormq import exceptions
from aiormq.abc import AbstractChannel

from killreport.errors import Conflict, Unavailable
from killreport.queueing.rabbit_link import Link, telling_loss
from killreport.queueing.rabbit_topology import Arguments, Topology

ANSWER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Declared:
    """What RabbitMQ says of a queue."""

    ready: int
    consumers: int


async def declare(link: Link, topology: Topology) -> dict[str, Declared]:
    """Make the queues that hold messages, where they are missing, and return how each stands.

    Raises Conflict where one is there with other arguments, Unavailable, Lost.
    """
    async with link.channel() as channel:
        return {
            name: await declare_queue(channel, name, arguments) for name, arguments in topology.declarations().items()
        }


async def declare_queue(channel: AbstractChannel, name: str, arguments: Arguments) -> Declared:
    """Make one durable queue or find it as it should be. Raises Conflict, Unavailable, Lost: the channel is gone."""
    with telling_loss():
        try:
            found = await channel.queue_declare(name, durable=True, arguments=dict(arguments), timeout=ANSWER_SECONDS)
        except exceptions.ChannelPreconditionFailed as error:
            raise Conflict(conflict_sentence(name, str(error))) from None
        except exceptions.ChannelNotFoundEntity:
            raise Unavailable(f"The node of RabbitMQ that holds the queue {name} is down.") from None
    return Declared(found.message_count or 0, found.consumer_count or 0)


def conflict_sentence(name: str, told: str) -> str:
    """Return what to do about a queue that RabbitMQ has with other arguments. told: RabbitMQ's words."""
    argument = re.search(r"inequivalent arg '([^']+)'", told)
    what = f"another {argument[1]}" if argument else "other arguments"
    virtual_host = re.search(r"in vhost '([^']+)'", told)
    where = f" --vhost {virtual_host[1]}" if virtual_host else ""
    return (
        f"The queue {name} exists in RabbitMQ with {what}: set KILLREPORT_BROKER_QUEUE_TYPE to the type it was made "
        f"with, or let it run empty and delete it (rabbitmqctl delete_queue{where} {name}); it is made anew."
    )
