"""Resolvers of attackers and items: those of all killmails of an answer in one statement a kind."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.api.context import ApiContext, Info
from killreport.api.views.batch import Parts
from killreport.api.views.killmail import KillmailView
from killreport.api.views.sides import AttackerView
from killreport.killmail.shown.fitting import Content, nest


async def resolve_attackers(killmails: Sequence[KillmailView], info: Info) -> list[list[AttackerView]]:
    """Return the attackers of each killmail in the order of the source."""
    parts = parts_of(killmails, info.context)
    attackers, entities = await parts.attackers.get(), await parts.attacker_names.get()
    views = info.context.views
    return [[AttackerView(row, entities, views) for row in attackers.get(one.id, ())] for one in killmails]


async def resolve_items(killmails: Sequence[KillmailView], info: Info) -> list[list[Content]]:
    """Return what was not inside another item, for each killmail; contents hang below their containers."""
    items = await parts_of(killmails, info.context).items.get()
    return [nest(items.get(killmail.id, [])) for killmail in killmails]


def parts_of(killmails: Sequence[KillmailView], context: ApiContext) -> Parts:
    """Return the parts that all these killmails were read with, else new ones of exactly these killmails."""
    shared = killmails[0].parts
    if shared is not None and all(killmail.parts is shared for killmail in killmails):
        return shared
    return Parts(context.database, context.views, [killmail.id for killmail in killmails])
