"""`killreport queue`: how the queues stand, what waits in them, and what to do about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from killreport.cli.output.columns import TableColumn, print_rows
from killreport.cli.output.options import AsJson, Yes
from killreport.cli.output.plain import body_fields, confirm, instant, print_answer, print_fields, shown
from killreport.cli.queue import dead_letters
from killreport.cli.queue.broker import with_broker
from killreport.errors import Malformed
from killreport.fleet.table import QUEUES, find_queue

if TYPE_CHECKING:
    from killreport.queueing.broker import Broker, QueueCounts, Waiting

app = typer.Typer(no_args_is_help=True, help="Inspect, publish to and purge queues; manage dead letters.")
app.add_typer(dead_letters.app, name="dead")

QueueName = Annotated[
    str, typer.Argument(help="Name of the queue; `killreport queue list` shows all.", metavar="QUEUE")
]
PriorityName = Literal["batch", "seen", "person"]

_COLUMNS: tuple[TableColumn[QueueCounts], ...] = (
    TableColumn("queue", lambda counts: counts.queue),
    TableColumn("process", lambda counts: find_queue(counts.queue).name, 1),
    TableColumn("ready", lambda counts: counts.ready, is_right=True),
    TableColumn("delayed", lambda counts: counts.delayed, 2, is_right=True),
    TableColumn("in hand", lambda counts: counts.unacked, 4, is_right=True),
    TableColumn("consumers", lambda counts: counts.consumers, 5, is_right=True),
    TableColumn("dead", lambda counts: counts.dead, is_right=True),
    TableColumn("oldest", lambda counts: instant(counts.oldest), 3),
)
_WAITING_COLUMNS: tuple[TableColumn[Waiting], ...] = (
    TableColumn("priority", lambda waiting: waiting.priority.name.lower()),
    TableColumn("attempt", lambda waiting: waiting.attempt),
    TableColumn("published", lambda waiting: instant(waiting.published_at)),
    TableColumn("body", lambda waiting: shown(waiting.body), is_text=True),
)


@app.command("list")
def list_queues(as_json: AsJson = False) -> None:
    """List queues and their messages. Example: killreport queue list --json | jq '.[] | select(.dead > 0)'"""

    async def work(broker: Broker) -> list[QueueCounts]:
        return [await broker.counts(str(row.queue)) for row in QUEUES]

    print_rows(_COLUMNS, with_broker(work), _count_fields, as_json=as_json)


@app.command()
def show(queue: QueueName, as_json: AsJson = False) -> None:
    """Show one queue and the settings of its worker. Example: killreport queue show esi_character_info_queue"""
    row = find_queue(queue)
    fields = _count_fields(with_broker(lambda broker: broker.counts(queue))) | {
        "prefetch": row.prefetch,
        "attempts": row.attempts,
        "retry_delay_seconds": row.retry_delay.total_seconds(),
    }
    print_fields(fields, as_json=as_json)


@app.command()
def peek(
    queue: QueueName,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the next messages without taking them. Example: killreport queue peek esi_type_info_queue --limit 3"""
    find_queue(queue)
    found = with_broker(lambda broker: broker.peek(queue, limit))
    print_rows(_WAITING_COLUMNS, found, _waiting_fields, as_json=as_json, empty=f"Nothing waits in {queue}.")


@app.command()
def publish(
    queue: QueueName,
    bodies: Annotated[
        list[str],
        typer.Argument(help="Message bodies; - reads them from standard input, one per line.", metavar="BODY…"),
    ],
    priority: Annotated[
        PriorityName, typer.Option(help="Who is waiting: person comes before seen, seen before batch.")
    ] = "person",
    raw: Annotated[bool, typer.Option("--raw", help="Send bodies unchecked, as they are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put messages on a queue. Example: killreport queue publish esi_character_info_queue '{"character_id": 95465499}'

    All bodies are checked first; if one does not fit the queue, none is sent.
    """
    from killreport.queueing.broker import Priority

    find_queue(queue)
    contents = [body for argument in bodies for body in _read_bodies(argument)]
    if not raw:
        contents = [_checked(queue, number, body) for number, body in enumerate(contents, start=1)]
    level = Priority[priority.upper()]
    with_broker(lambda broker: broker.publish_bodies(queue, contents, priority=level))
    print_answer({"published": len(contents)}, f"{len(contents)} published.", as_json=as_json)


@app.command()
def purge(
    queue: QueueName,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete all waiting messages of a queue; dead letters stay. Example: killreport queue purge esi_type_info_queue"""
    find_queue(queue)
    confirm(f"Throw away everything that waits in {queue}?", yes=yes)
    purged = with_broker(lambda broker: broker.purge(queue))
    print_answer({"purged": purged}, f"{purged} purged.", as_json=as_json)


def _read_bodies(argument: str) -> list[bytes]:
    if argument != "-":
        return [argument.encode("utf-8", "surrogateescape")]
    return [line for line in sys.stdin.buffer.read().splitlines() if line.strip()]


def _checked(queue: str, number: int, body: bytes) -> bytes:
    """Return the body as the product writes it. Raises Malformed, with the number of the body."""
    from killreport.queueing.messages import decode, encode

    try:
        return encode(decode(queue, body))
    except Malformed as error:
        raise Malformed(f"Body {number} does not fit {queue}: {error.reason}", error.path) from None


def _count_fields(counts: QueueCounts) -> dict[str, Any]:
    return {
        "queue": counts.queue,
        "process": find_queue(counts.queue).name,
        "ready": counts.ready,
        "delayed": counts.delayed,
        "unacked": counts.unacked,
        "consumers": counts.consumers,
        "dead": counts.dead,
        "oldest": instant(counts.oldest),
    }


def _waiting_fields(waiting: Waiting) -> dict[str, Any]:
    return {
        "priority": waiting.priority.name.lower(),
        "attempt": waiting.attempt,
        "published_at": instant(waiting.published_at),
        **body_fields(waiting.body),
    }
