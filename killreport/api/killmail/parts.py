"""Resolvers of attackers and items: those of all killmails of an answer in one statement a kind."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.killmail.batch import Parts
from killreport.api.killmail.part_views import AttackerView, ItemView, item_tree
from killreport.api.killmail.views import KillmailView


async def resolve_attackers(killmails: Sequence[KillmailView], info: FieldInfo) -> list[list[AttackerView]]:
    """Return the attackers of each killmail in the order of the source."""
    context: ApiContext = info.context
    parts = parts_of(killmails, context)
    attackers, entities = await parts.attackers.get(), await parts.attacker_names.get()
    return [
        [AttackerView(row, entities, context.views) for row in attackers.get(killmail.id, ())] for killmail in killmails
    ]


async def resolve_items(killmails: Sequence[KillmailView], info: FieldInfo) -> list[list[ItemView]]:
    """Return what was not inside another item, for each killmail; contents hang below their containers."""
    context: ApiContext = info.context
    items = await parts_of(killmails, context).items.get()
    return [item_tree(items.get(killmail.id, []), context.views) for killmail in killmails]


def parts_of(killmails: Sequence[KillmailView], context: ApiContext) -> Parts:
    """Return the parts that all these killmails were read with, else new ones of exactly these killmails."""
    shared = killmails[0].parts
    if shared is not None and all(killmail.parts is shared for killmail in killmails):
        return shared
    return Parts(context.database, context.views, [killmail.id for killmail in killmails])
