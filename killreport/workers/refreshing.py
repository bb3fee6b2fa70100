"""What the workers of entities share: ask ESI about one, store it, and queue whom it names and nobody knows yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import mark_queued, note_seen, stale_limits
from killreport.entity.naming import has_name, store_names
from killreport.entity.store import mark_gone, settle, store_entity
from killreport.errors import Incomplete, NotFound
from killreport.esi.model import EsiAlliance, EsiCharacter, EsiCorporation
from killreport.eve.ranges import is_faction, is_player_character, is_player_corporation
from killreport.workers.consuming import Tools
from killreport.workers.handover import publish_entities
from killreport.workers.naming import read_names

_FOUND = TypeVar("_FOUND", EsiCharacter, EsiCorporation, EsiAlliance)

Named = Mapping[EntityKind, Sequence[int | None]]


async def refresh(
    tools: Tools,
    kind: EntityKind,
    entity_id: int,
    *,
    read: Callable[[int], Awaitable[_FOUND]],
    named: Callable[[_FOUND], Named],
) -> None:
    """Store what ESI says of an entity, in one transaction, and after it tell what changed and queue whom it names.

    An id of the game itself is static data: it leaves the ledger and ESI is not asked. One that ESI does not have is
    noted as gone, with the name that ESI may still tell; and so is the name of an answer that lacks the rest, which is
    raised. Raises as the client and the database do; nothing else is stored then.
    """
    if not is_askable(kind, entity_id):
        async with tools.database.transaction() as connection:
            await settle(connection, kind, [entity_id])
        return
    try:
        found = await read(entity_id)
    except NotFound:
        await _note_gone(tools, kind, entity_id)
        return
    except Incomplete as error:
        async with tools.database.transaction() as connection:
            tools.entities.publish(await store_names(connection, kind, {entity_id: error.name}))
        raise
    async with tools.database.transaction() as connection:
        # Before the store, and by kind: the order in which every writer locks the ledger.
        unknown = await _note(connection, named(found), tools.settings)
        is_changed = await store_entity(kind, connection, entity_id, found, at=utc_now())
    tools.entities.publish([entity_id] if is_changed else [])
    if unknown:
        # Where this fails or is cut off, the ledger has them, and the next sweep hands them over.
        await publish_entities(tools.broker, unknown, tools.priority)
        async with tools.database.transaction() as connection:
            await mark_queued(connection, unknown)


async def _note_gone(tools: Tools, kind: EntityKind, entity_id: int) -> None:
    """Note that ESI has nothing about the entity, and keep the name that its list of names may still have."""
    async with tools.database.connection() as connection:
        is_named = await has_name(connection, kind, entity_id)
    names = {} if is_named else await read_names(tools.esi, kind, [entity_id])
    async with tools.database.transaction() as connection:
        is_changed = await mark_gone(connection, kind, entity_id)
        named = await store_names(connection, kind, names) if names else []
    tools.entities.publish([entity_id] if is_changed or named else [])


def is_askable(kind: EntityKind, entity_id: int) -> bool:
    """Return whether ESI is to be asked about this entity: about players' ones, not about the game's own."""
    match kind:
        case EntityKind.CHARACTER:
            return is_player_character(entity_id)
        case EntityKind.CORPORATION:
            return is_player_corporation(entity_id)
        case _:
            return not is_faction(entity_id)


async def _note(connection: Connection, named: Named, settings: Settings) -> list[tuple[EntityKind, int]]:
    """Note who is unknown or stale, and return those nobody had noted before."""
    limits = stale_limits(settings)
    noted: list[tuple[EntityKind, int]] = []
    for kind in sorted(named):
        ids = [entity_id for entity_id in named[kind] if entity_id is not None and is_askable(kind, entity_id)]
        if ids:
            noted += [(kind, entity_id) for entity_id in await note_seen(connection, kind, ids, limits.of(kind))]
    return noted
