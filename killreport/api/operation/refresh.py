"""Asking for news of one entity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from killreport.api.context import Info
from killreport.entity.kind import EntityKind
from killreport.entity.refresh import RefreshRequest, RefreshState, claim_refresh, give_back_refresh
from killreport.errors import Unavailable
from killreport.queueing.broker import Priority
from killreport.queueing.messages import (
    QUEUE_OF,
    AllianceMessage,
    CharacterMessage,
    CorporationMessage,
    Message,
    TypeMessage,
)

FRESH_FOR = timedelta(minutes=10)
# Refresh requests are published one after the other.
PATIENCE_SECONDS = 10.0

_MESSAGES: dict[str, tuple[EntityKind, Callable[[int], Message]]] = {
    "CHARACTER": (EntityKind.CHARACTER, CharacterMessage),
    "CORPORATION": (EntityKind.CORPORATION, CorporationMessage),
    "ALLIANCE": (EntityKind.ALLIANCE, AllianceMessage),
    "TYPE": (EntityKind.SHIP_TYPE, TypeMessage),
}


async def resolve_refresh_entity(info: Info, *, kind: str, id: int) -> RefreshRequest:  # noqa: A002 - the schema's name
    """Queue the entity unless it is fresh or waits. Where no queue answers it waits on the ledger.

    Raises NotFound, and GraphQLError where visitors have used up their share.
    """
    entity_kind, message_of = _MESSAGES[kind]
    # Before the ledger is written, for what is on it is asked for as well, only later.
    await info.context.refresh_budget.take(info.context.caller)
    is_asked_for = False
    try:
        async with info.context.database.connection() as connection:
            request = await claim_refresh(connection, entity_kind, id, fresh_for=FRESH_FOR)
        is_asked_for = request.state is RefreshState.QUEUED
    finally:
        if not is_asked_for:
            await info.context.refresh_budget.give_back(info.context.caller)
    if is_asked_for:
        # No connection is held meanwhile: the queues may need one, and the pool is small.
        message = message_of(id)
        try:
            await info.context.queues.ask(
                lambda broker: broker.publish_many(QUEUE_OF[type(message)], [message], priority=Priority.PERSON),
                PATIENCE_SECONDS,
            )
        except Unavailable:
            async with info.context.database.connection() as connection:
                await give_back_refresh(connection, entity_kind, id)
            return replace(request, state=RefreshState.WAITING)
    return request
