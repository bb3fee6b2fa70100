"""Resolvers of `node` and of every `nodeId`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.entity.named import TYPE_NAMES, load_named
from killreport.api.entity.queries import load_entities
from killreport.api.killmail.queries import resolve_killmail
from killreport.api.node.ids import node_id, read_node_id
from killreport.api.paging.pages import bad_request
from killreport.api.views.killmail import KillmailView
from killreport.api.views.universe import NamedView
from killreport.entity.kind import EntityKind

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class CategoryView(NamedView):
    """A category, told from a region by its class."""


class WithId(Protocol):
    """A view of anything that has an id."""

    @property
    def id(self) -> int:
        """EVE's id."""


_ENTITIES: Mapping[str, EntityKind] = {
    "Character": EntityKind.CHARACTER,
    "Corporation": EntityKind.CORPORATION,
    "Alliance": EntityKind.ALLIANCE,
    "Faction": EntityKind.FACTION,
}
_STATIC: Mapping[str, EntityKind] = {
    "Type": EntityKind.SHIP_TYPE,
    "Group": EntityKind.SHIP_GROUP,
    "SolarSystem": EntityKind.SOLAR_SYSTEM,
    "Constellation": EntityKind.CONSTELLATION,
    "Region": EntityKind.REGION,
}
_NAMES: Mapping[type[Any], str] = {**TYPE_NAMES, CategoryView: "Category", KillmailView: "Killmail"}
NODES = tuple(sorted(_NAMES.values()))


async def resolve_node(
    root: Sequence[None],
    info: FieldInfo,
    *,
    id: str,  # noqa: A002 - the schema's name
) -> Sequence[Any]:
    """Return what the id names, None where nothing is known of it. Raises GraphQLError for what is no such id."""
    context: ApiContext = info.context
    type_name, number = read_node_id(id)
    if type_name == "Killmail":
        return await resolve_killmail(root, info, id=number)
    if type_name in _ENTITIES:
        return await load_entities(context, _ENTITIES[type_name], [number])
    if type_name == "Category":
        found = context.views.category(number)
        return [None if found is None else CategoryView(found.id, found.name)]
    if type_name not in _STATIC:
        raise bad_request(f"`id` must begin with one of {', '.join(NODES)}, and a colon.")
    if type_name == "Type" and number not in context.views.universe.types:
        return [None]
    kind = _STATIC[type_name]
    return [(await load_named(context, [(kind, number)])).find(kind, number)]


def name_types(values: Sequence[Any], _info: FieldInfo) -> list[str]:
    """Return of which type of the schema each view is."""
    return [_NAMES[type(value)] for value in values]


def _node_ids(type_name: str) -> BatchResolver:
    def resolve(parents: Sequence[WithId], _info: FieldInfo) -> list[str]:
        return [node_id(type_name, parent.id) for parent in parents]

    return resolve


resolvers.field("Query", "node", resolve_node)
resolvers.type_of("Node", name_types)
for _name in NODES:
    resolvers.field(_name, "nodeId", _node_ids(_name))
