"""Resolvers of attackers and items: those of all killmails of an answer in one statement a kind."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from killreport.api.context import ApiContext, Info
from killreport.api.views.batch import Parts
from killreport.api.views.entity import EntityViews
from killreport.api.views.killmail import KillmailView
from killreport.api.views.sides import AttackerView
from killreport.killmail.shown.fitting import Content, nest
from killreport.killmail.stored.queries import AttackerRow, ItemRow

T = TypeVar("T")
# Of each killmail, now or later.
Found = list[T] | Awaitable[list[T]]


def resolve_attackers(killmails: Sequence[KillmailView], info: Info) -> Found[list[AttackerView]]:
    """Return the attackers of each killmail in the order of the source; at once where they were read beside it."""
    parts = parts_of(killmails, info.context)

    def found(attackers: Mapping[int, list[AttackerRow]], entities: EntityViews) -> list[list[AttackerView]]:
        return [
            [AttackerView(row, entities, info.context.views) for row in attackers.get(killmail.id, ())]
            for killmail in killmails
        ]

    async def loaded() -> list[list[AttackerView]]:
        return found(await parts.attackers.get(), await parts.attacker_names.get())

    attackers, entities = parts.attackers.known, parts.attacker_names.known
    return loaded() if attackers is None or entities is None else found(attackers, entities)


def resolve_items(killmails: Sequence[KillmailView], info: Info) -> Found[list[Content]]:
    """Return what was not inside another item, for each killmail; contents hang below their containers.

    At once where they were read beside it.
    """
    parts = parts_of(killmails, info.context)

    def found(items: Mapping[int, list[ItemRow]]) -> list[list[Content]]:
        return [nest(items.get(killmail.id, [])) for killmail in killmails]

    async def loaded() -> list[list[Content]]:
        return found(await parts.items.get())

    return loaded() if parts.items.known is None else found(parts.items.known)


def parts_of(killmails: Sequence[KillmailView], context: ApiContext) -> Parts:
    """Return the parts that all these killmails were read with, else new ones of exactly these killmails."""
    shared = killmails[0].parts
    if shared is not None and all(killmail.parts is shared for killmail in killmails):
        return shared
    return Parts(context.database, context.views, [killmail.id for killmail in killmails])
