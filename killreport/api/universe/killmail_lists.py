"""Lists of killmails below places and types, and the counts of their whole lives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.killmail.pages import ConnectionView, load_connections, read_page
from killreport.entity.kind import EntityKind
from killreport.killmail.filters.tree import Condition, Every, KillmailFilter
from killreport.killmail.lists.of_places import IndexedColumn, list_by_column
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


KillmailLists = Callable[..., Awaitable[list[ConnectionView]]]
TotalsOf = Callable[[Sequence[WithId], FieldInfo], Awaitable[list[KillTotalsView]]]
# The condition of a filter that asks for the same list.
_FILTERS = {
    IndexedColumn.SOLAR_SYSTEM: "system",
    IndexedColumn.CONSTELLATION: "constellation",
    IndexedColumn.REGION: "region",
    IndexedColumn.SHIP_TYPE: "victimShipType",
    IndexedColumn.SHIP_GROUP: "victimShipGroup",
}


def killmails_of(column: IndexedColumn) -> KillmailLists:
    """Return a resolver of the killmails of its parents: one statement for all, and one for all names."""

    def wanted(one: int) -> KillmailFilter:
        # Not read from plain data: the static data has a type and a group 0, which nobody may ask a filter for.
        return KillmailFilter(Every((Condition(_FILTERS[column], (one,)),)))

    async def resolve(parents: Sequence[WithId], info: FieldInfo, **arguments: Any) -> list[ConnectionView]:
        context: ApiContext = info.context
        asked = read_page(**arguments)
        ids = [parent.id for parent in parents]
        async with context.database.connection() as connection:
            pages = await list_by_column(
                connection, column, ids, size=asked.size, cursor=asked.cursor, is_forward=asked.is_forward
            )
        connections = await load_connections(context, asked, pages, wanted)
        return [connections[id_] for id_ in ids]

    return resolve


def totals_of(kind: EntityKind) -> TotalsOf:
    """Return a resolver of the counts of its parents: one statement for all."""

    async def resolve(parents: Sequence[WithId], info: FieldInfo) -> list[KillTotalsView]:
        context: ApiContext = info.context
        async with context.database.connection() as connection:
            found = await find_totals(connection, kind, {parent.id for parent in parents})
        return [totals_view(found.get(parent.id, Totals())) for parent in parents]

    return resolve
