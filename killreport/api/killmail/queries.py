"""Resolvers of killmails: the list, one, and the live ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from operator import itemgetter
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import Resolvers
from killreport.api.engine.shared import SharedEvent
from killreport.api.killmail.filter_input import malformed_filter, read_filter
from killreport.api.killmail.pages import (
    ConnectionView,
    connection_of,
    read_page,
    resolve_days,
    resolve_is_exact,
    resolve_total_count,
)
from killreport.api.killmail.parts import resolve_attackers, resolve_items
from killreport.api.killmail.reasons import resolve_label_evidence, resolve_points_factors
from killreport.api.killmail.relatives import resolve_attackers_page, resolve_related, resolve_top_damage
from killreport.api.views.batch import Parts
from killreport.api.views.killmail import KillmailView, load_everybody, load_views
from killreport.clock import utc_now
from killreport.errors import Malformed
from killreport.killmail.lists.page import Order
from killreport.killmail.lists.pages import list_killmails
from killreport.killmail.lists.span import with_span
from killreport.killmail.stored.queries import get_with_parts

resolvers = Resolvers()

# Fields of Killmail that are drawn from all of its attackers, and from all of its items.
_ATTACKERS = frozenset({"attackers", "pointsFactors", "labelEvidence"})
_ITEMS = frozenset({"items", "fitting", "eft", "dna", "valuation", "pointsFactors", "labelEvidence"})


async def resolve_killmails(
    info: Info,
    *,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - the schema's name
    order: str,
    **arguments: Any,
) -> ConnectionView:
    """Return one page. Raises GraphQLError for a filter, a page size or a cursor that cannot be."""
    ordered = Order[order]
    try:
        wanted = with_span(read_filter(filter), ordered, utc_now())
    except Malformed as error:
        raise malformed_filter(error) from None
    asked = read_page(**arguments, order=ordered)
    async with info.context.database.connection() as connection:
        page = await list_killmails(connection, wanted, ordered, **asked.bounds())
    nodes = await load_views(info.context.database, info.context.views, page.rows, order=ordered)
    return connection_of(asked, nodes, has_more=page.has_more, wanted=wanted)


async def resolve_killmail(info: Info, *, id: int) -> KillmailView | None:  # noqa: A002 - the schema's name
    """Return one killmail, None where it is not stored."""
    asked = info.selected()
    attackers, items = not _ATTACKERS.isdisjoint(asked), not _ITEMS.isdisjoint(asked)
    async with info.context.database.connection() as connection:
        found = await get_with_parts(connection, id, attackers=attackers, items=items)
    if found is None:
        return None
    row, its_attackers, its_items = found
    parts = Parts(info.context.database, info.context.views, [id])
    # Points and labels are drawn from the attackers without their names.
    are_shown = "attackers" in asked
    entities = await load_everybody(
        info.context.database, info.context.views, [row], its_attackers if are_shown else ()
    )
    if attackers:
        parts.attackers.known = {id: its_attackers}
    if are_shown:
        parts.attacker_names.known = entities
    if items:
        parts.items.known = {id: its_items}
    return KillmailView(row, entities, info.context.views, parts, Order.NEWEST)


def follow_killmails(
    info: Info,
    *,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - the schema's name
) -> AsyncIterator[SharedEvent]:
    """Return an async iterator of what is stored from now on and passes; not a generator, which would begin when read.

    Raises GraphQLError for a bad filter.
    """
    return info.context.live.subscribe(read_filter(filter))


resolvers.root("Query", "killmails", resolve_killmails)
resolvers.root("Query", "killmail", resolve_killmail)
resolvers.field("KillmailConnection", "totalCount", resolve_total_count)
resolvers.field("KillmailConnection", "isTotalExact", resolve_is_exact)
resolvers.field("KillmailConnection", "days", resolve_days)
resolvers.columns("KillmailDay", count="killmails", isk="value_cents")
resolvers.field("Killmail", "attackers", resolve_attackers)
resolvers.field("Killmail", "attackersPage", resolve_attackers_page)
resolvers.field("Killmail", "topDamage", resolve_top_damage)
resolvers.field("Killmail", "items", resolve_items)
resolvers.field("Killmail", "pointsFactors", resolve_points_factors)
resolvers.field("Killmail", "labelEvidence", resolve_label_evidence)
resolvers.columns("Killmail", values="row")
resolvers.columns("LabelEvidence", label=itemgetter(0), evidence=itemgetter(1))
resolvers.field("Killmail", "related", resolve_related)
resolvers.source("killmails", follow_killmails)
resolvers.source("killmailStored", follow_killmails)
