"""Dead letters: reading them, putting them back, throwing them away."""

from __future__ import annotations

from typing import Any

from killreport.api.context import Info
from killreport.api.paging.pages import bad_request, checked_size
from killreport.fleet.table import find_queue
from killreport.queueing.broker import DeadLetter

MAX_IDS = 1_000
# All letters of a queue at once may be many.
PATIENCE_SECONDS = 30.0


async def resolve_dead_letters(info: Info, *, queue: str, first: int) -> list[DeadLetter]:
    """Return the newest dead letters. Raises NotFound for a name that is no queue, Unavailable."""
    find_queue(queue)
    size = checked_size("first", first)
    return await info.context.queues.ask(lambda broker: broker.dead_list(queue, size))


async def resolve_retry(info: Info, *, queue: str, **which: Any) -> int:
    """Put the letters back and return how many. Raises NotFound for a name that is no queue, Unavailable."""
    chosen = _chosen(queue, **which)
    return await info.context.queues.ask(lambda broker: broker.dead_retry(queue, chosen), PATIENCE_SECONDS)


async def resolve_purge(info: Info, *, queue: str, **which: Any) -> int:
    """Throw the letters away and return how many. Raises NotFound for a name that is no queue, Unavailable."""
    chosen = _chosen(queue, **which)
    return await info.context.queues.ask(lambda broker: broker.dead_drop(queue, chosen), PATIENCE_SECONDS)


def _chosen(queue: str, *, all: bool, ids: list[str] | None = None) -> list[str] | None:  # noqa: A002 - the schema's
    """Return the ids of the letters that are meant, None for all."""
    find_queue(queue)
    if all == (ids is not None):
        raise bad_request("Exactly one of `ids` and `all` is needed.")
    if ids is not None and not 1 <= len(ids) <= MAX_IDS:
        raise bad_request(f"`ids` may have from 1 to {MAX_IDS} ids, not {len(ids)}.")
    return ids
