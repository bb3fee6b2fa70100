"""worker-user-killmails: stores the recent killmails of players who logged in.

Input: an account's id; the token is asked for when the message is handled. Effect: the killmails of ESI's list that
are not stored yet, and when the account was last read. Retry: from the first page, where what is stored costs nothing.
Hazard: a list may be read in part when the worker dies, so "all of this page is stored" alone ends nothing: only a
page that reaches what the last complete reading saw does. Pages that ESI made at different times are read again from
the first, twice at most: new killmails push older ones to later pages. ESI gives 15 pages in 15 minutes to a player.
"""

from __future__ import annotations

import asyncio

import msgspec
import structlog

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import NotFound
from killreport.esi.client import EsiClient
from killreport.esi.model import KillmailPage, KillmailRef
from killreport.fleet.table import ProcessRow
from killreport.ingest.reading import load_writer
from killreport.killmail.mail.zkb import ZkbBlock
from killreport.killmail.stored.sync import KillmailSync, find_sync, save_sync
from killreport.killmail.writing.store import KillmailWriter
from killreport.queueing.messages import UserKillmailsMessage
from killreport.workers.consuming import Tools, run_worker
from killreport.workers.storing import StoreTally, store_bodiless
from killreport.workers.tokens import AccountToken, NoTokens, TokenSource
from killreport.zkillboard.package import Package

SOURCE = "esi"
MAX_BEGINNINGS = 3

log = structlog.get_logger()


async def run(
    settings: Settings,
    database: Database,
    *,
    stop: asyncio.Event,
    once: bool = False,
    row: ProcessRow | None = None,
    tokens: TokenSource | None = None,
) -> None:
    """Consume until `stop` is set, or with `once` until nothing is left. tokens: none are to be had by default."""
    reader = _RecentReader(tokens or NoTokens(), await load_writer(database, settings))
    await run_worker(UserKillmailsMessage, reader.handle, settings, database, stop=stop, once=once, row=row)


class _RecentReader:
    def __init__(self, tokens: TokenSource, writer: KillmailWriter) -> None:
        self._tokens = tokens
        self._writer = writer

    async def handle(self, message: UserKillmailsMessage, tools: Tools) -> None:
        account_id, began_at = message.account_id, utc_now()
        token = await self._tokens.token_of(account_id)
        async with tools.database.connection() as connection:
            last = await find_sync(connection, account_id)
        if last is not None and last.character_id != token.character_id:
            last = None  # the account shows another character now, whose list nobody has read
        tally, newest = await self._read(token, tools, last.newest_killmail_id if last else None)
        async with tools.database.connection() as connection:
            await save_sync(connection, KillmailSync(account_id, token.character_id, began_at, newest))
        log.info("user_killmails_read", account_id=account_id, character_id=token.character_id, new=tally.new)

    async def _read(self, token: AccountToken, tools: Tools, last_newest: int | None) -> tuple[StoreTally, int | None]:
        """Store page after page, the newest first; return what became of them and the newest id there is."""
        tally = StoreTally()
        newest = last_newest
        page = pages = 1
        modified, beginnings = None, 1
        while page <= pages:
            found = await _page(tools.esi, token, page)
            if page > 1 and found.modified != modified and beginnings < MAX_BEGINNINGS:
                # ESI made the list anew meanwhile: what moved between its pages may be on none of those read.
                page, beginnings = 1, beginnings + 1
                continue
            pages, modified = found.pages, found.modified
            ids = [ref.killmail_id for ref in found.refs]
            packages = [_package(ref) for ref in found.refs]
            stored = await store_bodiless(tools.database, self._writer, tools.esi, packages, SOURCE)
            tally.add(stored)
            newest = max([*ids, newest or 0]) or None
            if not ids or (last_newest is not None and min(ids) <= last_newest and not stored.new):
                break
            page += 1
        return tally, newest


async def _page(esi: EsiClient, token: AccountToken, page: int) -> KillmailPage:
    try:
        return await esi.character_killmails(token.character_id, token.access_token, page)
    except NotFound:
        if page == 1:
            raise
        # The list has become shorter since its first page said how many there are.
        return KillmailPage(refs=[], pages=page, modified=None)


def _package(ref: KillmailRef) -> Package:
    """Return what ESI's list says as a package that has no body yet."""
    return Package(
        killmail_id=ref.killmail_id,
        hash=ref.killmail_hash,
        esi=msgspec.Raw(b"null"),
        zkb=ZkbBlock(),
        raw=msgspec.json.encode({"killmail_id": ref.killmail_id, "killmail_hash": ref.killmail_hash}),
    )
