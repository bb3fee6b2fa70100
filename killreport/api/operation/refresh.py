"""Asking for news of one entity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import mark_queued
from killreport.entity.refresh import RefreshState, Wish, begin_refresh
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

_MESSAGES: dict[str, tuple[EntityKind, Callable[[int], Message]]] = {
    "CHARACTER": (EntityKind.CHARACTER, CharacterMessage),
    "CORPORATION": (EntityKind.CORPORATION, CorporationMessage),
    "ALLIANCE": (EntityKind.ALLIANCE, AllianceMessage),
    "TYPE": (EntityKind.SHIP_TYPE, TypeMessage),
}


async def resolve_refresh_entity(
    _root: Sequence[None],
    info: FieldInfo,
    *,
    kind: str,
    id: int,  # noqa: A002 - the schema's name
) -> list[Wish]:
    """Queue the entity unless it is fresh or queued. Raises Unavailable, and queues nothing, where no queue answers."""
    context: ApiContext = info.context
    entity_kind, message_of = _MESSAGES[kind]
    async with context.database.transaction() as connection:
        wish = await begin_refresh(connection, entity_kind, id, fresh_for=FRESH_FOR)
        if wish.state is RefreshState.QUEUED:
            message = message_of(id)
            await context.queues.ask(
                lambda broker: broker.publish_many(QUEUE_OF[type(message)], [message], priority=Priority.PERSON)
            )
            await mark_queued(connection, [(entity_kind, id)])
    return [wish]
