"""Which queues RabbitMQ holds for a queue of the fleet table, and with which arguments; making them.

Derived, never configured:

<queue>              what is ready; on quorum queues, which know no priority, a lane each: <queue>, .seen and .person
<queue>.retry.<n>s   what waits for its next attempt; each goes back by itself when its time is over
<queue>.dead         what was given up, with the reason in its headers
<queue>.hands        a card for each consumer, in its hand; where it lies with nobody, its consumer died:
<queue>.crashed      the cards of consumers that died lately (`rabbit_session`)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pamqp.commands import Queue

from killreport.errors import Conflict, Unavailable
from killreport.fleet.table import ProcessRow
from killreport.queueing.broker import Priority
from killreport.queueing.rabbit_channel import NOT_FOUND, PRECONDITION_FAILED, Arguments, Channel, Lost

QueueType = Literal["classic", "quorum"]

# RabbitMQ looks only at the head of a queue for what has expired, so one queue of all delays would hold up the short
# ones for hours. In each of these a delay lies between its step and four times that: nothing can be later than that.
RETRY_STEP_SECONDS = (2, 8, 32, 128, 512, 2048)
# RabbitMQ 4 throws a message away after 20 returns unless told otherwise; what is given up is our decision.
DELIVERY_LIMIT = 1_000_000
# Longer than the longest pause before a process that crashed is started again.
CRASH_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Topology:
    """The names on the wire of one queue of the fleet table. lanes: of the priorities, the lowest first.

    lanes: one for all on classic queues, one each on quorum queues. retries: by the seconds of the step.
    """

    row: ProcessRow
    lanes: tuple[str, ...]
    retries: dict[int, str]
    dead: str
    hands: str
    crashed: str
    queue_type: QueueType

    @property
    def queue(self) -> str:
        """Return the name in the fleet table."""
        return str(self.row.queue)

    @property
    def visible_retries(self) -> list[str]:
        """Return the queues of retries that one may look into: on quorum queues none.

        A look takes a message and puts it back. Of a thousand retries that were looked at all the time, RabbitMQ 3.10.8
        sent three on minutes after their time, which it does with none that is left alone.
        """
        return [] if self.queue_type == "quorum" else list(self.retries.values())

    def lane(self, priority: Priority) -> str:
        """Return where messages of this priority wait."""
        return self.lanes[min(priority, len(self.lanes) - 1)]

    def retry(self, delay_seconds: float) -> str:
        """Return the queue that keeps a message for that long."""
        fitting = [step for step in RETRY_STEP_SECONDS if step <= delay_seconds]
        return self.retries[fitting[-1] if fitting else RETRY_STEP_SECONDS[0]]

    def declarations(self) -> dict[str, Arguments]:
        """Return every queue that holds messages, with its arguments; lanes first, since retries point to them."""
        is_quorum = self.queue_type == "quorum"
        kind: Arguments = {"x-queue-type": self.queue_type}
        kept: Arguments = {"x-delivery-limit": DELIVERY_LIMIT} if is_quorum else {}
        levels: Arguments = {} if is_quorum else {"x-max-priority": max(Priority)}
        # The last lane: a person's message that failed must not queue up behind the batch, and the consumer moves what
        # does not belong there.
        back: Arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.lanes[-1]}
        if is_quorum:
            # Without these two a message is dropped that comes back while its lane has no leader. The second is a
            # condition for the first.
            back |= {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
        return (
            dict.fromkeys(self.lanes, kind | kept | levels)
            | dict.fromkeys(self.retries.values(), kind | kept | back)
            | {self.dead: kind | kept}
        )

    def card_declarations(self) -> dict[str, Arguments]:
        """Return the queues of the consumers' cards. Classic: a lost card is a crash that is not counted, no more."""
        return {
            self.crashed: {"x-queue-type": "classic", "x-message-ttl": CRASH_SECONDS * 1000},
            self.hands: {
                "x-queue-type": "classic",
                # Either it is handed over at once, or there is nobody any more.
                "x-message-ttl": 0,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": self.crashed,
            },
        }


def topology_of(row: ProcessRow, queue_type: QueueType, prefix: str = "") -> Topology:
    """Return the queues behind a worker's queue. prefix: put before every name, for installations side by side."""
    name = f"{prefix}{row.queue}"
    lanes = (name,) if queue_type == "classic" else (name, f"{name}.seen", f"{name}.person")
    retries = {step: f"{name}.retry.{step}s" for step in RETRY_STEP_SECONDS}
    return Topology(
        row=row,
        lanes=lanes,
        retries=retries,
        dead=f"{name}.dead",
        hands=f"{name}.hands",
        crashed=f"{name}.crashed",
        queue_type=queue_type,
    )


async def declare(channel: Channel, wanted: dict[str, Arguments]) -> dict[str, Queue.DeclareOk]:
    """Make the queues, by name with their arguments, where they are missing, and return how each stands.

    Raises Conflict where one is there with other arguments, Unavailable, Lost: the channel is gone.
    """
    found = {}
    for name, arguments in wanted.items():
        try:
            found[name] = await channel.declare(name, arguments)
        except Lost as error:
            if error.code == PRECONDITION_FAILED:
                raise Conflict(conflict_sentence(name, str(error))) from None
            if error.code == NOT_FOUND:
                raise Unavailable(f"The node of RabbitMQ that holds the queue {name} is down.") from None
            raise
    return found


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
