"""`killreport queue dead`: what was given up, why, and what becomes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from killreport.cli.output.options import AsJson, Yes
from killreport.cli.output.plain import body_fields, instant, print_table, shown
from killreport.cli.queue.broker import with_broker
from killreport.fleet.table import QUEUES, find_queue
from killreport.terminal import printable

if TYPE_CHECKING:
    from killreport.queueing.broker import Broker, DeadLetter

app = typer.Typer(no_args_is_help=True, help="List, retry and delete dead letters: messages that failed for good.")

QueueName = Annotated[str, typer.Argument(help="Name of the queue.", metavar="QUEUE")]
OptionalQueue = Annotated[str | None, typer.Argument(help="Name of the queue; none: all.", metavar="[QUEUE]")]
Letters = Annotated[list[str] | None, typer.Argument(help="Which, as `list` names them; none: all.", metavar="[ID]…")]


@app.command("list")
def list_letters(
    queue: OptionalQueue = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of each queue at the most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first. Example: killreport queue dead list --json | jq .[].reason"""
    names = [str(row.queue) for row in (QUEUES if queue is None else (find_queue(queue),))]

    async def work(broker: Broker) -> list[DeadLetter]:
        return [letter for name in names for letter in await broker.dead_list(name, limit)]

    letters = with_broker(work)
    if as_json:
        print(json.dumps([_fields(letter) for letter in letters]))
        return
    table = Table("queue", "id", "died", "attempts", "reason", "body", box=None)
    for letter in letters:
        died = instant(letter.died_at) or ""
        table.add_row(
            letter.queue, letter.letter_id, died, str(letter.attempts), printable(letter.reason), shown(letter.body)
        )
    print_table(table if letters else "There are no dead letters.")


@app.command()
def retry(queue: QueueName, letters: Letters = None, as_json: AsJson = False) -> None:
    """Retry dead letters as new messages. Example: killreport queue dead retry esi_character_info_queue 12 13"""
    find_queue(queue)
    retried = with_broker(lambda broker: broker.dead_retry(queue, letters or None))
    print(json.dumps({"retried": retried}) if as_json else f"{retried} put back into {queue}.")


@app.command()
def drop(
    queue: QueueName,
    letters: Letters = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters for good. Example: killreport queue dead drop esi_character_info_queue 12"""
    find_queue(queue)
    if not yes:
        which = f"{len(letters)} dead letter{'s' if len(letters) > 1 else ''}" if letters else "every dead letter"
        typer.confirm(f"Throw away {which} of {queue} for good?", abort=True)
    dropped = with_broker(lambda broker: broker.dead_drop(queue, letters or None))
    print(json.dumps({"dropped": dropped}) if as_json else f"{dropped} dropped.")


def _fields(letter: DeadLetter) -> dict[str, Any]:
    return {
        "queue": letter.queue,
        "id": letter.letter_id,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "published_at": instant(letter.published_at),
        "died_at": instant(letter.died_at),
        **body_fields(letter.body),
    }
