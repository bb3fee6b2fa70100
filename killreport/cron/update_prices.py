"""Reads the prices of the day and the market days that killmails lack, and values those killmails again.

Input: ESI's prices, one call for all types; EVE Ref's market history, a file a day. Effect: `price_*`, and through
`killreport.killmail.writing.revalue` everything that follows from a killmail's value. What a run does not come to, the
next does: it says how much that is. Where one of the two hosts does not answer, the rest is done before the run fails.
"""

from __future__ import annotations

from datetime import date

import structlog

from killreport.clock import monotonic, utc_now
from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.db.database import Connection, Database
from killreport.errors import KillreportError, Malformed, NotFound, Unavailable
from killreport.esi.client import open_esi
from killreport.http import HttpClient, Pacer, open_session
from killreport.ingest.everef import SOURCE, fetch_market_day
from killreport.killmail.writing.revalue import Revalued, load_revaluer
from killreport.killmail.writing.revalue_due import Left, is_basis_new, list_kill_days, revalue_due
from killreport.market.loading import list_days_to_read, store_market_day
from killreport.market.reference import average_references
from killreport.market.store import store_references

# A new board needs the window of its first day in the first run; an imported year takes four.
MAX_DAYS = 100
# Minutes of work; a day of the game has 15,000 to 20,000. Passes follow each other for this long.
MAX_KILLMAILS = 400_000
REVALUE_SECONDS = 2400.0
EVEREF_PER_SECOND = 2.0

log = structlog.get_logger()


async def is_urgent(connection: Connection) -> bool:
    """Tell whether the job is due whatever its schedule says.

    That is so where no price was ever read, or none of the market for killmails that are there, and where stored
    killmails were valued by the rules of an older release.
    """
    lacks_prices: bool = await connection.fetchval(
        """select (select version = 0 from price_version)
                  or (not exists (select from price_day) and exists (select from daily_total))"""
    )
    return lacks_prices or await is_basis_new(connection)


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Bring the prices and the values up to date and return a sentence about it. Raises the first trouble it had."""
    today = utc_now().date()
    troubles: list[KillreportError] = []
    try:
        await _read_references(settings, database, today, progress)
    except KillreportError as error:
        log.warning("references_not_read", reason=str(error))
        troubles.append(error)
    unread = await _read_market_days(settings, database, today, progress, troubles)
    left = await _revalue(database, progress)
    if troubles:
        raise troubles[0]
    counts = progress.counts
    done = (
        f"{counts['references']} references and {counts['market_days']} market days read, "
        f"{counts['killmails_changed']} of {counts['killmails_examined']} killmails have another value."
    )
    return " ".join([done, *_what_is_left(unread, left)])


async def _read_references(settings: Settings, database: Database, today: date, progress: JobProgress) -> None:
    async with open_esi(settings, database) as esi:
        prices = await esi.market_prices()
    references = average_references(prices, today)
    async with database.transaction() as connection:
        changed = await store_references(connection, references)
    progress.count("references", len(references))
    progress.count("references_changed", changed)


async def _read_market_days(
    settings: Settings, database: Database, today: date, progress: JobProgress, troubles: list[KillreportError]
) -> int:
    """Read up to MAX_DAYS files and return how many are still to be read."""
    async with database.connection() as connection:
        days = await list_days_to_read(connection, await list_kill_days(connection), today)
    read = 0
    async with open_session(settings) as session:
        http = HttpClient(session, Pacer(EVEREF_PER_SECOND))
        for day in days[:MAX_DAYS]:
            try:
                rows = await fetch_market_day(http, settings.everef_url, day)
            except NotFound:
                rows = []
            except Malformed as error:
                # One bad file must not keep the others away; it is asked for again tomorrow.
                log.warning("market_day_malformed", day=day.isoformat(), reason=str(error))
                troubles.append(Unavailable(f"EVE Ref's market history of {day} cannot be read: {error}."))
                continue
            except KillreportError as error:
                log.warning("market_day_not_read", day=day.isoformat(), reason=str(error))
                troubles.append(error)
                break
            async with database.connection() as connection:
                changed = await store_market_day(connection, day, rows, SOURCE)
            read += 1
            progress.count("market_days", int(bool(rows)))
            progress.count("market_prices_changed", changed)
    return len(days) - read


async def _revalue(database: Database, progress: JobProgress) -> Left:
    repriced = 0

    def on_batch(done: Revalued) -> None:
        nonlocal repriced
        repriced += done.repriced
        progress.count("killmails_examined", done.examined)
        progress.count("killmails_changed", done.changed)

    revaluer = await load_revaluer(database)
    until = monotonic() + REVALUE_SECONDS
    while True:
        before = repriced
        left = await revalue_due(database, revaluer, most=MAX_KILLMAILS, on_batch=on_batch)
        # What cannot be stored stays due: a pass that gets nowhere is the last.
        if not left or monotonic() > until or repriced == before:
            return left


def _what_is_left(unread: int, left: Left) -> list[str]:
    parts = []
    if unread:
        parts.append(f"{unread} market days")
    if left.days:
        parts.append(f"the killmails of {left.days} days")
    if left.killmails:
        parts.append(f"{left.killmails} killmails that were valued by older rules")
    if left.has_priceless:
        parts.append("killmails with a type that has a first price")
    return [f"Left for the next run: {', '.join(parts)}."] if parts else []
