"""Which killmails are to be derived again, and the pass that does it.

A type or system of which the static data says other things than before is due (`killreport.eve.changes`). Its killmails
are gone through by index, a few hundred a transaction, and how far that is goes with each: a pass that is broken off
anywhere is gone on with, by whoever comes next, and several side by side do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from killreport.db.database import Connection, Database
from killreport.entity.kind import EntityKind
from killreport.eve.changes import hold_static
from killreport.eve.keeping import UniverseKeeper, keep_universe
from killreport.killmail.filters.plan import Plan
from killreport.killmail.lists.newest import read_by_time
from killreport.killmail.lists.rows import RowWindow
from killreport.killmail.postings.codes import ITEM_KIND, Side, code_of
from killreport.killmail.postings.sets import AnyOf
from killreport.killmail.stored.queries import KillmailRow
from killreport.killmail.writing.rederive import rederive
from killreport.killmail.writing.revalue import Revaluer
from killreport.market.price import load_price_book

BATCH_KILLMAILS = 200
BECAME_KNOWN = "the static data changed"

# The ways to the killmails of a type: as the victim's hull, a killer's, an item. Nothing is derived from a weapon.
_WAYS = {
    "type": (
        (int(EntityKind.SHIP_TYPE), int(Side.VICTIM)),
        (int(EntityKind.SHIP_TYPE), int(Side.KILLER)),
        (ITEM_KIND, int(Side.KILLER)),
    ),
    "system": ((int(EntityKind.SOLAR_SYSTEM), int(Side.KILLER)),),
}
_DUE = "select kind, id, version, phase, at, after_id from derive_due order by version, kind, id limit 1"

OnBatch = Callable[[int, int], None]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Page:
    """The next killmails of what is due, and where that stood when they were listed."""

    due: Any
    rows: Sequence[KillmailRow]

    @property
    def mail_ids(self) -> list[int]:
        return [row.killmail_id for row in self.rows]


async def count_due(connection: Connection) -> int:
    """Return how many types and systems have killmails that are still to be derived again."""
    found: int = await connection.fetchval("select count(*) from derive_due")
    return found


async def rederive_due(database: Database, *, on_batch: OnBatch = lambda _examined, _changed: None) -> int:
    """Derive and value again all killmails that are due, and return how many of them changed.

    on_batch: called after each transaction with how many killmails it examined and changed. Loads the static data only
    where something is due. Raises as the database does; what was done by then is done.
    """
    async with database.connection() as connection:
        if not await count_due(connection):
            return 0
        deriver = _Deriver(await keep_universe(connection))
    changed = 0
    while (done := await deriver.next_batch(database)) is not None:
        on_batch(*done)
        changed += done[1]
    log.info("killmails_derived_again", changed=changed)
    return changed


class _Deriver:
    def __init__(self, static: UniverseKeeper) -> None:
        self._static = static
        self._revaluer: Revaluer | None = None

    async def next_batch(self, database: Database) -> tuple[int, int] | None:
        """Do the next killmails and return how many were examined and changed; None where nothing is due."""
        async with database.connection() as connection:
            if await self._static.refresh(connection) or self._revaluer is None:
                prices = await load_price_book(connection, self._static.universe)
                self._revaluer = Revaluer(self._static.universe, prices)
            page = await _next_page(connection)
        if page is None:
            return None
        changed = 0
        if page.rows:
            # First, and idempotent: what is cut off here is done again, because the mark has not moved.
            changed = (await self._revaluer.revalue(database, page.mail_ids, BECAME_KNOWN)).changed
        async with database.transaction() as connection:
            # In this order: who changes the static data waits for us before it touches what is due.
            if await hold_static(connection) != self._static.version or not await _take(connection, page):
                return 0, 0
            changed = max(changed, len(await rederive(connection, page.mail_ids, self._static.universe)))
            await _move_on(connection, page)
        return len(page.rows), changed


async def _next_page(connection: Connection) -> _Page | None:
    due = await connection.fetchrow(_DUE)
    if due is None:
        return None
    kind, side = _WAYS[due["kind"]][due["phase"]]
    key = (code_of(kind, due["id"]), side)
    plan = Plan(AnyOf((key,)), (key,), None, None, ())
    after = (due["at"], due["after_id"])
    window = RowWindow.by_time(BATCH_KILLMAILS, is_descending=False, cursor=after)
    return _Page(due, await read_by_time(connection, plan, window))


async def _take(connection: Connection, page: _Page) -> bool:
    """Lock the mark, and tell whether it is still where the page was listed from."""
    now = await connection.fetchrow(
        "select kind, id, version, phase, at, after_id from derive_due where kind = $1 and id = $2 for update",
        page.due["kind"],
        page.due["id"],
    )
    return now is not None and tuple(now) == tuple(page.due)


async def _move_on(connection: Connection, page: _Page) -> None:
    kind, due_id, phase = page.due["kind"], page.due["id"], page.due["phase"]
    if len(page.rows) == BATCH_KILLMAILS:
        last = page.rows[-1]
        await connection.execute(
            "update derive_due set at = $3, after_id = $4 where kind = $1 and id = $2",
            kind,
            due_id,
            last.killmail_time,
            last.killmail_id,
        )
    elif phase + 1 < len(_WAYS[kind]):
        await connection.execute(
            "update derive_due set phase = $3, at = default, after_id = 0 where kind = $1 and id = $2",
            kind,
            due_id,
            phase + 1,
        )
    else:
        await connection.execute("delete from derive_due where kind = $1 and id = $2", kind, due_id)
