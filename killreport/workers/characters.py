"""worker-characters: fills in characters from ESI.

Input: a character's id. Effect: name, affiliation with its period, birthday, security status and title are stored, and
the ledger's row goes; a corporation or alliance nobody knows yet is queued. Retry: all of it again, idempotent.
Hazard: a field ESI does not send any more is emptied, so who left an alliance has none; a character that ESI
does not have is noted as gone, keeps its name, and is asked for again after a pause (`killreport.entity.store`).
"""

from __future__ import annotations

import asyncio

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import store_character
from killreport.esi.model import EsiCharacter
from killreport.fleet.table import ProcessRow
from killreport.queueing.messages import CharacterMessage
from killreport.workers.consuming import Tools, run_worker
from killreport.workers.refreshing import Named, refresh


async def run(
    settings: Settings, database: Database, *, stop: asyncio.Event, once: bool = False, row: ProcessRow | None = None
) -> None:
    """Consume until `stop` is set, or with `once` until nothing is left."""
    await run_worker(CharacterMessage, handle, settings, database, stop=stop, once=once, row=row)


async def handle(message: CharacterMessage, tools: Tools) -> None:
    """Fill in one character. Raises as the ESI client and the database do."""
    await refresh(
        tools,
        EntityKind.CHARACTER,
        message.character_id,
        read=tools.esi.character,
        store=store_character,
        named=_named,
    )


def _named(character: EsiCharacter) -> Named:
    return {EntityKind.CORPORATION: [character.corporation_id], EntityKind.ALLIANCE: [character.alliance_id]}
