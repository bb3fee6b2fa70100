"""Resolvers of operations: entities asked for anew, jobs started now, dead letters read, put back and thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from killreport.api.context import Info
from killreport.api.engine.registry import Resolvers, RootResolver
from killreport.api.paging.pages import bad_request, checked_size
from killreport.api.state.processes import find_job
from killreport.entity.kind import EntityKind
from killreport.entity.refresh import RefreshRequest, RefreshState, claim_refresh, give_back_refresh
from killreport.errors import Unavailable
from killreport.fleet.table import find_queue
from killreport.queueing.broker import Broker, DeadLetter, Priority
from killreport.queueing.messages import (
    QUEUE_OF,
    AllianceMessage,
    CharacterMessage,
    CorporationMessage,
    Message,
    TypeMessage,
)
from killreport.supervisor.client import NoSupervisor, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import Request

FRESH_FOR = timedelta(minutes=10)
MAX_IDS = 1_000
# Of the supervisor, and of the queues for one message.
PATIENCE_SECONDS = 10.0
# All letters of a queue at once may be many.
LETTERS_PATIENCE_SECONDS = 30.0

_MESSAGES: dict[str, tuple[EntityKind, Callable[[int], Message]]] = {
    "CHARACTER": (EntityKind.CHARACTER, CharacterMessage),
    "CORPORATION": (EntityKind.CORPORATION, CorporationMessage),
    "ALLIANCE": (EntityKind.ALLIANCE, AllianceMessage),
    "TYPE": (EntityKind.SHIP_TYPE, TypeMessage),
}

resolvers = Resolvers()


async def resolve_refresh_entity(info: Info, *, kind: str, id: int) -> RefreshRequest:  # noqa: A002 - the schema's name
    """Queue the entity unless it is fresh or waits. Where no queue answers it waits on the ledger.

    Raises NotFound, and GraphQLError where visitors have used up their share.
    """
    context = info.context
    entity_kind, message_of = _MESSAGES[kind]
    # Before the ledger is written, for what is on it is asked for as well, only later.
    await context.refresh_budget.take(context.caller)
    is_asked_for = False
    try:
        async with context.database.connection() as connection:
            request = await claim_refresh(connection, entity_kind, id, fresh_for=FRESH_FOR)
        is_asked_for = request.state is RefreshState.QUEUED
    finally:
        if not is_asked_for:
            await context.refresh_budget.give_back(context.caller)
    if is_asked_for:
        # No connection is held meanwhile: the queues may need one, and the pool is small.
        message = message_of(id)
        try:
            await context.queues.ask(
                lambda broker: broker.publish_many(QUEUE_OF[type(message)], [message], priority=Priority.PERSON),
                PATIENCE_SECONDS,
            )
        except Unavailable:
            async with context.database.connection() as connection:
                await give_back_refresh(connection, entity_kind, id)
            return replace(request, state=RefreshState.WAITING)
    return request


async def resolve_trigger_job(info: Info, *, name: str) -> str:
    """Have the supervisor start the job, and return its name.

    Raises as `find_job`, Conflict where it runs already, Unavailable where no supervisor answers on this machine.
    """
    find_job(name)
    folder = FleetFolder.at(info.context.settings.home)
    try:
        await asyncio.to_thread(ask, folder, Request(verb="trigger", name=name), PATIENCE_SECONDS)
    except NoSupervisor:
        raise Unavailable(
            "No supervisor answers on the machine of the API, so nothing was started: start the job where its processes"
            f" are managed, or by `killreport run {name}`."
        ) from None
    return name


async def resolve_dead_letters(info: Info, *, queue: str, first: int) -> list[DeadLetter]:
    """Return the newest dead letters. Raises NotFound for a name that is no queue, Unavailable."""
    find_queue(queue)
    size = checked_size("first", first)
    return await info.context.queues.ask(lambda broker: broker.dead_list(queue, size))


def _with_letters(act: Callable[[Broker, str, list[str] | None], Awaitable[int]]) -> RootResolver:
    """Return the resolver of what is done to chosen letters; it returns how many they were.

    Raises NotFound for a name that is no queue, Unavailable.
    """

    async def resolve(info: Info, *, queue: str, all: bool, ids: list[str] | None = None) -> int:  # noqa: A002
        find_queue(queue)
        if all == (ids is not None):
            raise bad_request("Exactly one of `ids` and `all` is needed.")
        if ids is not None and not 1 <= len(ids) <= MAX_IDS:
            raise bad_request(f"`ids` may have from 1 to {MAX_IDS} ids, not {len(ids)}.")
        return await info.context.queues.ask(lambda broker: act(broker, queue, ids), LETTERS_PATIENCE_SECONDS)

    return resolve


resolvers.root("Mutation", "refreshEntity", resolve_refresh_entity)
resolvers.root("Mutation", "triggerJob", resolve_trigger_job)
resolvers.root("Query", "deadLetters", resolve_dead_letters)
resolvers.root("Mutation", "retryDeadLetters", _with_letters(lambda broker, *chosen: broker.dead_retry(*chosen)))
resolvers.root("Mutation", "purgeDeadLetters", _with_letters(lambda broker, *chosen: broker.dead_drop(*chosen)))
resolvers.columns(
    "DeadLetter", id="letter_id", queueName="queue", body=lambda letter: letter.body.decode(errors="replace")
)
