"""Lists of killmails below places and types, and the counts of their whole lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from killreport.api.context import Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.killmail.pages import ConnectionView, load_connections, read_page
from killreport.entity.kind import EntityKind
from killreport.killmail.filters.tree import Condition, Every, KillmailFilter
from killreport.killmail.lists.of_many import Sides, list_killmails_of
from killreport.leaderboard.statistics import Totals
from killreport.leaderboard.types import find_totals

resolvers = Resolvers()


class WithId(Protocol):
    """A view of anything that has an id."""

    @property
    def id(self) -> int:
        """EVE's id."""


def killmails_of(kind: EntityKind, side: Sides, condition: str) -> BatchResolver:
    """Return a resolver of the killmails of its parents: as many statements as for one, and one for all names.

    condition: of a filter that asks for the same list.
    """

    def wanted(one: int) -> KillmailFilter:
        # Not read from plain data: the static data has a type and a group 0, which nobody may ask a filter for.
        return KillmailFilter(Every((Condition(condition, (one,)),)))

    async def resolve(parents: Sequence[WithId], info: Info, **arguments: Any) -> list[ConnectionView]:
        asked = read_page(**arguments)
        ids = [parent.id for parent in parents]
        async with info.context.database.connection() as connection:
            pages = await list_killmails_of(
                connection, kind, ids, side, size=asked.size, cursor=asked.cursor, is_forward=asked.is_forward
            )
        return await load_connections(info.context, asked, pages, ids, wanted)

    return resolve


def totals_of(kind: EntityKind) -> BatchResolver:
    """Return a resolver of the counts of its parents: one statement for all."""

    async def resolve(parents: Sequence[WithId], info: Info) -> list[Totals]:
        async with info.context.database.connection() as connection:
            found = await find_totals(connection, kind, {parent.id for parent in parents})
        return [found.get(parent.id, Totals()) for parent in parents]

    return resolve


for _name, _field, _kind, _side, _condition in (
    ("SolarSystem", "killmails", EntityKind.SOLAR_SYSTEM, Sides.KILLS, "system"),
    ("Constellation", "killmails", EntityKind.CONSTELLATION, Sides.KILLS, "constellation"),
    ("Region", "killmails", EntityKind.REGION, Sides.KILLS, "region"),
    ("Type", "losses", EntityKind.SHIP_TYPE, Sides.LOSSES, "victimShipType"),
    ("Group", "losses", EntityKind.SHIP_GROUP, Sides.LOSSES, "victimShipGroup"),
):
    resolvers.field(_name, _field, killmails_of(_kind, _side, _condition))
    resolvers.field(_name, "totals", totals_of(_kind))
resolvers.columns("KillTotals", iskDestroyed="isk_destroyed_cents", iskLost="isk_lost_cents")
