"""Resolvers of `node` and of every `nodeId`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.entity.named import KINDS, find_named, name_types
from killreport.api.entity.queries import load_entities
from killreport.api.killmail.queries import resolve_killmail
from killreport.api.paging.pages import bad_request
from killreport.api.universe.killmail_lists import WithId
from killreport.ids import read_whole

resolvers = Resolvers()

# Of whom it is asked whether anything is known.
_ENTITIES = ("Character", "Corporation", "Alliance", "Faction")
NODES = tuple(sorted((*KINDS, "Category", "Killmail")))


async def resolve_node(info: Info, *, id: str) -> Any:  # noqa: A002 - the schema's name
    """Return what the id names, None where nothing is known of it. Raises GraphQLError for what is no such id."""
    context = info.context
    type_name, number = read_node_id(id)
    if type_name == "Killmail":
        return await resolve_killmail(info, id=number)
    if type_name in _ENTITIES:
        return (await load_entities(context, KINDS[type_name], [number]))[0]
    if type_name == "Category":
        return context.views.category(number)
    if type_name not in KINDS:
        raise bad_request(f"`id` must begin with one of {', '.join(NODES)}, and a colon.")
    if type_name == "Type" and number not in context.views.universe.types:
        return None
    return (await find_named(context, [(KINDS[type_name], number)]))[0]


def read_node_id(text: str) -> tuple[str, int]:
    """Return the type, which may be none of the schema's, and EVE's id. Raises GraphQLError (BAD_REQUEST)."""
    type_name, _, digits = text.partition(":")
    number = read_whole(digits)
    if number is None or f"{type_name}:{number}" != text:
        raise bad_request("`id` must be a `nodeId`, such as `Character:90000001`: a number alone tells no kind.")
    return type_name, number


def _node_ids(type_name: str) -> BatchResolver:
    def resolve(parents: Sequence[WithId], _info: Info) -> list[str]:
        return [f"{type_name}:{parent.id}" for parent in parents]

    return resolve


resolvers.root("Query", "node", resolve_node)
resolvers.type_of("Node", name_types)
for _name in NODES:
    resolvers.field(_name, "nodeId", _node_ids(_name))
