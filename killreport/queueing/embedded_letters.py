"""The SQL of the embedded queues' dead letters, for operators."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.db.database import Connection
from killreport.queueing.broker import DeadLetter
from killreport.queueing.embedded_store import notify


async def list_letters(connection: Connection, queue: str, limit: int) -> list[DeadLetter]:
    """Return dead letters of the queue, the newest first."""
    rows = await connection.fetch(
        """select letter_id, body, reason, attempts, published_at, died_at from dead_letter
           where queue = $1 order by letter_id desc limit $2""",
        *(queue, limit),
    )
    return [
        DeadLetter(
            str(row["letter_id"]),
            queue,
            *(row["body"], row["reason"], row["attempts"], row["published_at"], row["died_at"]),
        )
        for row in rows
    ]


async def retry_letters(connection: Connection, queue: str, letter_ids: Sequence[int] | None) -> int:
    """Make dead letters (None: all) new messages of the queue, the oldest first; return how many."""
    async with connection.transaction():
        done = await connection.execute(
            """with gone as (delete from dead_letter where queue = $1 and ($2::bigint[] is null or letter_id = any($2))
                             returning *)
               insert into queue_message (queue, priority, body)
               select queue, priority, body from gone order by letter_id""",
            *(queue, letter_ids),
        )
        await notify(connection, queue)
    return int(done.split()[-1])


async def drop_letters(connection: Connection, queue: str, letter_ids: Sequence[int] | None) -> int:
    """Delete dead letters (None: all) of the queue and return how many."""
    done = await connection.execute(
        "delete from dead_letter where queue = $1 and ($2::bigint[] is null or letter_id = any($2))", queue, letter_ids
    )
    return int(done.split()[-1])
