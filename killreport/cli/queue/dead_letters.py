"""`killreport queue dead`: what was given up, why, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from killreport.cli.output.columns import TableColumn, print_rows
from killreport.cli.output.options import AsJson, Yes
from killreport.cli.output.plain import body_fields, confirm, instant, print_answer, shown
from killreport.cli.queue.broker import with_broker
from killreport.fleet.table import QUEUES, find_queue

if TYPE_CHECKING:
    from killreport.queueing.broker import Broker, DeadLetter

app = typer.Typer(
    no_args_is_help=True, help="List, retry and delete dead letters. These are messages that failed for good."
)

QueueName = Annotated[str, typer.Argument(help="Name of the queue.", metavar="QUEUE")]
OptionalQueue = Annotated[str | None, typer.Argument(help="Name of the queue; all if omitted.", metavar="[QUEUE]")]
Letters = Annotated[
    list[str] | None, typer.Argument(help="Ids, as `list` shows them; all if omitted.", metavar="[ID]…")
]


_COLUMNS: tuple[TableColumn[DeadLetter], ...] = (
    TableColumn("queue", lambda letter: letter.queue),
    TableColumn("id", lambda letter: letter.letter_id),
    TableColumn("died", lambda letter: instant(letter.died_at)),
    TableColumn("attempts", lambda letter: letter.attempts),
    TableColumn("reason", lambda letter: letter.reason, is_text=True),
    TableColumn("body", lambda letter: shown(letter.body), is_text=True),
)


@app.command("list")
def list_letters(
    queue: OptionalQueue = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of each queue at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first. Example: killreport queue dead list --json | jq .[].reason"""
    names = [str(row.queue) for row in (QUEUES if queue is None else (find_queue(queue),))]

    async def work(broker: Broker) -> list[DeadLetter]:
        return [letter for name in names for letter in await broker.dead_list(name, limit)]

    print_rows(_COLUMNS, with_broker(work), _fields, as_json=as_json, empty="There are no dead letters.")


@app.command()
def retry(queue: QueueName, letters: Letters = None, as_json: AsJson = False) -> None:
    """Retry dead letters as new messages. Example: killreport queue dead retry esi_character_info_queue 12 13"""
    find_queue(queue)
    retried = with_broker(lambda broker: broker.dead_retry(queue, letters or None))
    print_answer({"retried": retried}, f"{retried} put back into {queue}.", as_json=as_json)


@app.command()
def drop(
    queue: QueueName,
    letters: Letters = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters for good. Example: killreport queue dead drop esi_character_info_queue 12"""
    find_queue(queue)
    which = f"{len(letters)} dead letter{'s' if len(letters) > 1 else ''}" if letters else "every dead letter"
    confirm(f"Throw away {which} of {queue} for good?", yes=yes)
    dropped = with_broker(lambda broker: broker.dead_drop(queue, letters or None))
    print_answer({"dropped": dropped}, f"{dropped} dropped.", as_json=as_json)


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
