"""Lists of killmails below places and types, and the counts of their whole lives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from killreport.api.context import ApiContext
from killreport.api.cursor import decode_cursor
from killreport.api.engine.info import FieldInfo
from killreport.api.killmail.views import KillmailView, load_views
from killreport.api.pages import Connection, PageArguments, PageRequest
from killreport.entity.kind import EntityKind
from killreport.killmail.place_lists import Shelf, list_shelves
from killreport.leaderboard.statistics import Totals
from killreport.leaderboard.types import find_totals


class WithId(Protocol):
    """A view of anything that has an id."""

    @property
    def id(self) -> int:
        """EVE's id."""


@dataclass(frozen=True, slots=True)
class KillTotalsView:
    """Counts over all stored killmails; money is in hundredths of an ISK."""

    kills: int
    losses: int
    solo_kills: int
    final_blows: int
    isk_destroyed: int
    isk_lost: int
    npc_losses: int


def totals_view(totals: Totals) -> KillTotalsView:
    """Return counts as the schema shows them."""
    return KillTotalsView(
        totals.kills,
        totals.losses,
        totals.solo_kills,
        totals.final_blows,
        totals.isk_destroyed_cents,
        totals.isk_lost_cents,
        totals.npc_losses,
    )


KillmailLists = Callable[..., Awaitable[list[Connection[KillmailView]]]]
TotalsOf = Callable[[Sequence[WithId], FieldInfo], Awaitable[list[KillTotalsView]]]


def killmails_of(shelf: Shelf) -> KillmailLists:
    """Return a resolver of the killmails of its parents: one statement for all, and one for all names."""

    async def resolve(parents: Sequence[WithId], info: FieldInfo, **arguments: Any) -> list[Connection[KillmailView]]:
        context: ApiContext = info.context
        asked = PageArguments(**arguments).read(lambda cursor, argument: decode_cursor(cursor, argument=argument))
        ids = [parent.id for parent in parents]
        async with context.database.connection() as connection:
            pages = await list_shelves(
                connection, shelf, ids, size=asked.size, cursor=asked.cursor, is_forward=asked.is_forward
            )
        rows = [row for page in pages.values() for row in page.rows]
        views = {view.id: view for view in await load_views(context.database, context.views, rows)}
        found = {
            one: _connection([views[row.killmail_id] for row in page.rows], asked, has_more=page.has_more)
            for one, page in pages.items()
        }
        return [found[id_] for id_ in ids]

    return resolve


def totals_of(kind: EntityKind) -> TotalsOf:
    """Return a resolver of the counts of its parents: one statement for all."""

    async def resolve(parents: Sequence[WithId], info: FieldInfo) -> list[KillTotalsView]:
        context: ApiContext = info.context
        async with context.database.connection() as connection:
            found = await find_totals(connection, kind, {parent.id for parent in parents})
        return [totals_view(found.get(parent.id, Totals())) for parent in parents]

    return resolve


def _connection(nodes: Sequence[KillmailView], asked: PageRequest[Any], *, has_more: bool) -> Connection[KillmailView]:
    return Connection(nodes, asked.info([node.cursor for node in (*nodes[:1], *nodes[-1:])], has_more=has_more))
