"""Dead letters: reading them, putting them back, throwing them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql import GraphQLError

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.paging.pages import checked_size
from killreport.fleet.table import find_queue

MAX_IDS = 1_000
# All letters of a queue at once may be many.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """A message that was given up."""

    id: str
    queue_name: str
    body: str
    reason: str
    attempts: int
    published_at: datetime | None
    died_at: datetime | None


async def resolve_dead_letters(
    _root: Sequence[None], info: FieldInfo, *, queue: str, first: int
) -> list[list[DeadLetterView]]:
    """Return the newest dead letters. Raises NotFound for a name that is no queue, Unavailable."""
    context: ApiContext = info.context
    find_queue(queue)
    size = checked_size("first", first)
    letters = await context.queues.ask(lambda broker: broker.dead_list(queue, size))
    return [
        [
            DeadLetterView(
                letter.letter_id,
                letter.queue,
                letter.body.decode(errors="replace"),
                letter.reason,
                letter.attempts,
                letter.published_at,
                letter.died_at,
            )
            for letter in letters
        ]
    ]


async def resolve_retry(
    _root: Sequence[None],
    info: FieldInfo,
    *,
    queue: str,
    all: bool,  # noqa: A002 - the schema's name
    ids: list[str] | None = None,
) -> list[int]:
    """Put the letters back and return how many. Raises NotFound for a name that is no queue, Unavailable."""
    context: ApiContext = info.context
    chosen = _chosen(queue, ids, is_all=all)
    return [await context.queues.ask(lambda broker: broker.dead_retry(queue, chosen), PATIENCE_SECONDS)]


async def resolve_purge(
    _root: Sequence[None],
    info: FieldInfo,
    *,
    queue: str,
    all: bool,  # noqa: A002 - the schema's name
    ids: list[str] | None = None,
) -> list[int]:
    """Throw the letters away and return how many. Raises NotFound for a name that is no queue, Unavailable."""
    context: ApiContext = info.context
    chosen = _chosen(queue, ids, is_all=all)
    return [await context.queues.ask(lambda broker: broker.dead_drop(queue, chosen), PATIENCE_SECONDS)]


def _chosen(queue: str, ids: list[str] | None, *, is_all: bool) -> list[str] | None:
    """Return the ids of the letters that are meant, None for all."""
    find_queue(queue)
    if is_all == (ids is not None):
        raise GraphQLError("Exactly one of `ids` and `all` is needed.", extensions={"code": "BAD_REQUEST"})
    if ids is not None and not 1 <= len(ids) <= MAX_IDS:
        message = f"`ids` may have from 1 to {MAX_IDS} ids, not {len(ids)}."
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    return ids
