"""The SQL of the embedded queues: what publishers, operators and consumers say to the tables of migration 3."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from killreport.db.database import Connection
from killreport.queueing.broker import Priority, QueueCounts, Waiting

# No message is ever held back for longer (`handling.MAX_RETRY_AFTER` and its spread): what is to come later was
# held back by a clock that was ahead, and is ready.
MAX_DELAY = timedelta(hours=2)

CHANNEL = "killreport_queue"
# First half of the key of a consumer's advisory lock; spells "kque" in ASCII.
LOCK_CLASS = 0x6B717565
# After a restart of the server every consumer has lost its lock, and the living get this long to come back.
RESTART_GRACE = timedelta(seconds=15)
# From here on COPY, at four times the speed, is worth its additional round trips.
COPY_FROM = 500


async def insert_messages(connection: Connection, queue: str, bodies: Sequence[bytes], priority: Priority) -> None:
    """Put bodies into the queue, in their order, and wake its consumers at the commit. Needs a transaction."""
    if len(bodies) < COPY_FROM:
        await connection.execute(
            "insert into queue_message (queue, priority, body) select $1, $2, body from unnest($3::bytea[]) body",
            *(queue, priority, bodies),
        )
    else:
        records = ((queue, int(priority), body) for body in bodies)
        await connection.copy_records_to_table("queue_message", records=records, columns=("queue", "priority", "body"))
    await notify(connection, queue)


async def notify(connection: Connection, queue: str) -> None:
    """Wake the queue's consumers."""
    await connection.execute("select pg_notify($1, $2)", CHANNEL, queue)


async def attach(connection: Connection, queue: str, before: int | None, in_hand: Collection[int]) -> tuple[int, int]:
    """Make this connection a consumer of the queue; return its id and how many messages in hand it has taken over.

    before: its id on the connection it lost, None for a new one. In hand it keeps what it had leased and what is ready
    again (the lease was undone by a crash of the server, or by whoever missed the connection first), but not what
    somebody else has by now. What it had leased and is not in hand (the answer was lost) is ready again.
    """
    async with connection.transaction():
        # On disk, or a server that crashes now would give the same number out again, to somebody else.
        await connection.execute("set local synchronous_commit = on")
        consumer_id = await connection.fetchval(
            "insert into queue_consumer (queue) values ($1) returning consumer_id", queue
        )
        await connection.execute("select pg_advisory_lock($1, $2)", LOCK_CLASS, consumer_id)
        if before is None:
            return consumer_id, 0
        kept = await connection.fetch(
            """update queue_message set leased_by = $1
               where message_id = any($3) and (leased_by = $2 or (leased_by is null and ready_at is null))
               returning 1""",
            *(consumer_id, before, list(in_hand)),
        )
        await release_all(connection, queue, before)
        return consumer_id, len(kept)


async def release_all(connection: Connection, queue: str, consumer_id: int) -> None:
    """Make everything the consumer has leased ready again, uncounted, and forget the consumer."""
    async with connection.transaction():
        await connection.execute("update queue_message set leased_by = null where leased_by = $1", consumer_id)
        await connection.execute("delete from queue_consumer where consumer_id = $1", consumer_id)
        await notify(connection, queue)


async def take(connection: Connection, queue: str, consumer_id: int, limit: int) -> list[Any]:
    """Lease the first ready messages to the consumer and return their rows in the order to be handed out."""
    rows = await connection.fetch(
        """with next as (
                select message_id from queue_message where queue = $1 and leased_by is null and ready_at is null
                order by priority desc, message_id limit $3 for update skip locked)
            update queue_message message set leased_by = $2 from next where message.message_id = next.message_id
            returning message.message_id, priority, attempt, losses, published_at, body""",
        *(queue, consumer_id, limit),
    )
    return sorted(rows, key=lambda row: (-row["priority"], row["message_id"]))


async def delete_done(connection: Connection, consumer_id: int, message_ids: Sequence[int]) -> int:
    """Delete messages the consumer has leased and return how many it still had."""
    done = await connection.execute(
        "delete from queue_message where message_id = any($1) and leased_by = $2", message_ids, consumer_id
    )
    return int(done.split()[-1])


async def give_back(connection: Connection, consumer_id: int, returned: Sequence[tuple[int, int, timedelta]]) -> int:
    """Return messages (id, attempt that is next, delay) to the queue; return how many the consumer still had."""
    message_ids, attempts, delays = zip(*returned, strict=True)
    done = await connection.execute(
        """update queue_message message set leased_by = null, attempt = back.attempt,
               ready_at = clock_timestamp() + back.delay
           from unnest($1::bigint[], $2::smallint[], $3::interval[]) back (message_id, attempt, delay)
           where message.message_id = back.message_id and leased_by = $4""",
        *(message_ids, attempts, delays, consumer_id),
    )
    return int(done.split()[-1])


async def bury(connection: Connection, consumer_id: int, dead: Sequence[tuple[int, str]]) -> int:
    """Make messages (id, reason) dead letters; return how many the consumer still had."""
    message_ids, reasons = zip(*dead, strict=True)
    done = await connection.execute(
        """with gone as (delete from queue_message where message_id = any($1::bigint[]) and leased_by = $3 returning *)
           insert into dead_letter (queue, priority, attempts, reason, published_at, body)
           select queue, priority, attempt, reason, published_at, body
           from gone join unnest($1::bigint[], $2::text[]) why (message_id, reason) using (message_id)
           order by message_id""",
        *(message_ids, reasons, consumer_id),
    )
    return int(done.split()[-1])


async def promote(connection: Connection, queue: str) -> float | None:
    """Make what is due ready; return in how many seconds the next one is due, None where none is delayed."""
    await connection.execute(
        """update queue_message set ready_at = null where message_id in (
                select message_id from queue_message where queue = $1 and leased_by is null
                and (ready_at <= now() or ready_at > now() + $2)
                order by ready_at for update skip locked)""",
        queue,
        MAX_DELAY,
    )
    seconds = await connection.fetchval(
        """select extract(epoch from min(ready_at) - clock_timestamp())::float8
            from queue_message where queue = $1 and leased_by is null and ready_at is not null""",
        queue,
    )
    return None if seconds is None else max(0.0, seconds)


async def return_lost(connection: Connection, queue: str, consumer_id: int = 0) -> int:
    """Make ready again what consumers that are no more had leased, one loss more on each; return how many.

    consumer_id: of this connection, where it is a consumer itself.
    """
    # First seen without a transaction: this runs every other second, and mostly there is nothing.
    if not await _list_lost(connection, queue, consumer_id):
        return 0
    async with connection.transaction():
        lost = await _list_lost(connection, queue, consumer_id)
        # A statement of its own, with the locks held: the one before may have read the leases before the last was
        # taken by a consumer that died between.
        returned = await connection.fetch(
            "update queue_message set leased_by = null, losses = losses + 1 where leased_by = any($1) returning 1", lost
        )
        await connection.execute("delete from queue_consumer where consumer_id = any($1)", lost)
        await notify(connection, queue)
    return len(returned)


async def _list_lost(connection: Connection, queue: str, consumer_id: int) -> list[int]:
    """Return the other consumers whose lock nobody held; in a transaction it is ours until the end."""
    rows = await connection.fetch(
        """select consumer_id from queue_consumer
           where queue = $1 and consumer_id <> $2 and pg_try_advisory_xact_lock($3, consumer_id)
             and (attached_at > pg_postmaster_start_time() or now() > pg_postmaster_start_time() + $4::interval)""",
        *(queue, consumer_id, LOCK_CLASS, RESTART_GRACE),
    )
    return [row["consumer_id"] for row in rows]


async def count(connection: Connection, queue: str) -> QueueCounts:
    """Return how the queue stands."""
    row = await connection.fetchrow(
        """select
            (select count(*) from queue_message where queue = $1 and leased_by is null and ready_at is null) as ready,
            (select count(*) filter (where ready_at > now()) from queue_message
             where queue = $1 and leased_by is null and ready_at is not null) as delayed,
            (select count(*) filter (where ready_at <= now()) from queue_message
             where queue = $1 and leased_by is null and ready_at is not null) as due,
            (select count(*) from queue_message
             where leased_by in (select consumer_id from queue_consumer where queue = $1)) as unacked,
            (select count(*) from queue_consumer join pg_locks
                 on locktype = 'advisory' and classid = $2::oid and objid = consumer_id::oid and objsubid = 2
                 and database = (select oid from pg_database where datname = current_database())
             where queue = $1) as consumers,
            (select count(*) from dead_letter where queue = $1) as dead,
            least(
                -- The ids are in the order of publication: three looks at the index instead of all messages.
                (select min(published_at) from unnest($3::smallint[]) level, lateral (
                     select published_at from queue_message
                     where queue = $1 and leased_by is null and ready_at is null and priority = level
                     order by message_id limit 1) first),
                (select min(published_at) from queue_message
                 where queue = $1 and leased_by is null and ready_at is not null)) as oldest""",
        *(queue, LOCK_CLASS, [int(priority) for priority in Priority]),
    )
    return QueueCounts(
        queue=queue,
        ready=row["ready"] + row["due"],
        delayed=row["delayed"],
        unacked=row["unacked"],
        consumers=row["consumers"],
        dead=row["dead"],
        oldest=row["oldest"],
    )


async def list_waiting(connection: Connection, queue: str, limit: int) -> list[Waiting]:
    """Return what waits: the ready ones as they would be handed out, then the delayed ones as they come due."""
    rows = await connection.fetch(
        """select body, priority, attempt, published_at from queue_message where queue = $1 and leased_by is null
            order by greatest(ready_at, now()), priority desc, message_id limit $2""",
        *(queue, limit),
    )
    return [Waiting(row["body"], Priority(row["priority"]), row["attempt"], row["published_at"]) for row in rows]


async def delete_waiting(connection: Connection, queue: str) -> int:
    """Delete what waits and return how many."""
    done = await connection.execute("delete from queue_message where queue = $1 and leased_by is null", queue)
    return int(done.split()[-1])
