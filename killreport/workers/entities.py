"""The workers that fill in characters, corporations and alliances from ESI, and the one that finds corporations.

worker-characters, -corporations, -alliances: Input: an id. Effect: what ESI says of it is stored, with the period of
its affiliation, and the ledger's row goes; whom it names and nobody knows yet is queued. Retry: all of it again,
idempotent. Hazard: a field ESI does not send any more is emptied, so who left an alliance has none, and a closed
corporation has no CEO; a character that ESI does not have is noted as gone, keeps its name, and is asked for again
after a pause (`killreport.entity.store`); old killmails name a faction where an alliance should be, which is none.

worker-alliance-corporations: Input: an alliance's id. Effect: every corporation of it is on
`esi_corporation_info_queue`, confirmed, before the message is done; an alliance that has no list is queued itself.
Retry: all of them again, which the ESI client's cache answers. Hazard: the largest alliances have a thousand
corporations, so a few hundred of these messages fill that queue with the whole game.
"""

from __future__ import annotations

import structlog

from killreport.entity.kind import EntityKind
from killreport.errors import NotFound
from killreport.esi.model import EsiAlliance, EsiCharacter, EsiCorporation
from killreport.queueing.messages import (
    QUEUE_OF,
    AllianceCorporationsMessage,
    AllianceMessage,
    CharacterMessage,
    CorporationMessage,
)
from killreport.workers.consuming import Tools, worker_of
from killreport.workers.refreshing import Named, is_askable, refresh

log = structlog.get_logger()


async def _refresh_character(message: CharacterMessage, tools: Tools) -> None:
    def named(found: EsiCharacter) -> Named:
        return {EntityKind.CORPORATION: [found.corporation_id], EntityKind.ALLIANCE: [found.alliance_id]}

    await refresh(tools, EntityKind.CHARACTER, message.character_id, read=tools.esi.character, named=named)


async def _refresh_corporation(message: CorporationMessage, tools: Tools) -> None:
    def named(found: EsiCorporation) -> Named:
        return {EntityKind.ALLIANCE: [found.alliance_id], EntityKind.CHARACTER: [found.ceo_id]}

    await refresh(tools, EntityKind.CORPORATION, message.corporation_id, read=tools.esi.corporation, named=named)


async def _refresh_alliance(message: AllianceMessage, tools: Tools) -> None:
    def named(found: EsiAlliance) -> Named:
        return {EntityKind.CORPORATION: [found.executor_corporation_id]}

    await refresh(tools, EntityKind.ALLIANCE, message.alliance_id, read=tools.esi.alliance, named=named)


async def _queue_corporations(message: AllianceCorporationsMessage, tools: Tools) -> None:
    alliance_id = message.alliance_id
    if not is_askable(EntityKind.ALLIANCE, alliance_id):
        return
    try:
        found = await tools.esi.alliance_corporation_ids(alliance_id)
    except NotFound:
        # Another question's 404 is no word about the alliance: its own worker asks for that.
        await tools.broker.publish_many(QUEUE_OF[AllianceMessage], [AllianceMessage(alliance_id)])
        return
    corporations = [CorporationMessage(i) for i in found if is_askable(EntityKind.CORPORATION, i)]
    if corporations:
        await tools.broker.publish_many(QUEUE_OF[CorporationMessage], corporations, priority=tools.priority)
    log.info("corporations_queued", alliance_id=alliance_id, count=len(corporations))


characters = worker_of(CharacterMessage, _refresh_character)
corporations = worker_of(CorporationMessage, _refresh_corporation)
alliances = worker_of(AllianceMessage, _refresh_alliance)
alliance_corporations = worker_of(AllianceCorporationsMessage, _queue_corporations)
