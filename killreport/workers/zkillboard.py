"""worker-zkillboard: stores a character's whole killmail history from zKillboard.

Input: a character and a page of its list; page 1 begins. Effect: the killmails of that page, then a message for the
next one; an empty page ends it. Retry: a page at a time, so a kill costs a page and never the history; what the page
has without a body is read from ESI only where it is not stored yet. Hazard: the list is cut at the host's last page,
which is said; and it shifts while it is read, so a killmail of the same minutes may be on two pages, never on none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from killreport.background import wait_or_end
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import Permanent, Unavailable
from killreport.fleet.table import ProcessRow
from killreport.http import HttpClient, Pacer, open_session
from killreport.ingest.reading import load_writer, read_package
from killreport.killmail.writing.store import KillmailWriter
from killreport.queueing.messages import QUEUE_OF, CharacterHistoryMessage
from killreport.workers.consuming import Tools, run_worker
from killreport.workers.storing import StoreTally, store_bodiless, store_entries
from killreport.zkillboard.character_list import ENDPOINT, LAST_PAGE, CharacterList
from killreport.zkillboard.character_progress import is_page_done, note_page
from killreport.zkillboard.pacing import MAX_WAIT, obeying_pauses, reserve_request
from killreport.zkillboard.package import Package, UnreadablePackage

SOURCE = "zkillboard"

log = structlog.get_logger()


async def run(
    settings: Settings, database: Database, *, stop: asyncio.Event, once: bool = False, row: ProcessRow | None = None
) -> None:
    """Consume until `stop` is set, or with `once` until every history asked for is stored."""
    async with open_session(settings) as session:
        http = HttpClient(session, Pacer(1 / settings.zkillboard_seconds))
        reader = _HistoryReader(CharacterList(http, settings.zkillboard_url), await load_writer(database, settings))
        await run_worker(CharacterHistoryMessage, reader.handle, settings, database, stop=stop, once=once, row=row)


class _HistoryReader:
    def __init__(self, lists: CharacterList, writer: KillmailWriter) -> None:
        self._lists = lists
        self._writer = writer

    async def handle(self, message: CharacterHistoryMessage, tools: Tools) -> None:
        character_id, page = message.character_id, message.page
        if page > LAST_PAGE:
            raise Permanent(f"zKillboard lists {LAST_PAGE} pages at most, this asks for page {page}.")
        async with tools.database.connection() as connection:
            if await is_page_done(connection, character_id, page):
                log.info("history_page_again", character_id=character_id, page=page)
                return
        listed = await self._ask(message, tools)
        tally = await self._store(listed, tools)
        is_last = not listed or page == LAST_PAGE
        if not is_last:
            follower = CharacterHistoryMessage(character_id, page + 1)
            await tools.broker.publish_many(QUEUE_OF[type(follower)], [follower], priority=tools.priority)
        async with tools.database.connection() as connection:
            await note_page(connection, character_id, page, is_last=is_last)
        log.info(
            "history_page_stored",
            character_id=character_id,
            page=page,
            listed=len(listed),
            new=tally.new,
            quarantined=tally.quarantined,
            is_last=is_last,
        )
        if is_last and listed:
            log.warning("history_cut", character_id=character_id, pages=LAST_PAGE)

    async def _ask(self, message: CharacterHistoryMessage, tools: Tools) -> Sequence[Package | UnreadablePackage]:
        """Return the page, asked for when its turn has come."""
        interval = timedelta(seconds=tools.settings.zkillboard_seconds)
        async with tools.database.connection() as connection:
            wait = await reserve_request(connection, ENDPOINT, interval, interval + MAX_WAIT)
        if await wait_or_end(tools.stop, wait):
            raise Unavailable("The worker was stopped while it waited for the rate limit.")
        async with obeying_pauses(tools.database, ENDPOINT):
            return await self._lists.page(message.character_id, message.page)

    async def _store(self, listed: Sequence[Package | UnreadablePackage], tools: Tools) -> StoreTally:
        bodiless = [entry for entry in listed if isinstance(entry, Package) and bytes(entry.esi) == b"null"]
        whole = [entry for entry in listed if isinstance(entry, UnreadablePackage) or bytes(entry.esi) != b"null"]
        tally = await store_entries(tools.database, self._writer, [read_package(entry, SOURCE) for entry in whole])
        if bodiless:
            tally.add(await store_bodiless(tools.database, self._writer, tools.esi, bodiless, SOURCE))
        return tally
