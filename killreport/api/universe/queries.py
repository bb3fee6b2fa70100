"""Resolvers of static data by id, and of what lies in what; all from memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import BatchResolver, Resolvers, RootResolver
from killreport.api.paging.cursor import IDS
from killreport.api.paging.pages import Connection, PageArguments, bad_request, page_of
from killreport.api.universe.killmail_lists import WithId
from killreport.api.views.universe import TypeView, UniverseViews

MAX_IDS = 200

resolvers = Resolvers()

Find = Callable[[UniverseViews, int], Any]


def _one(find: Find) -> RootResolver:
    return lambda info, *, id: find(info.context.views, id)  # noqa: A006 - the schema's name


def _several(find: Find, every: Callable[[UniverseViews], Sequence[int]] | None = None) -> RootResolver:
    def resolve(info: Info, *, ids: Sequence[int] | None = None) -> list[Any]:
        views = info.context.views
        if ids is None:
            assert every is not None
            ids = every(views)
        elif not 1 <= len(ids) <= MAX_IDS:
            raise bad_request(f"`ids` may have from 1 to {MAX_IDS} ids, not {len(ids)}.")
        return [find(views, one) for one in ids]

    return resolve


def _children(tree: str, find: Find) -> BatchResolver:
    """Return the resolver of what lies in each parent. tree: which part of `Tree` says so."""

    def resolve(parents: Sequence[WithId], info: Info) -> list[list[Any]]:
        views = info.context.views
        ids_of: Mapping[int, Sequence[int]] = getattr(views.tree, tree)
        return [[find(views, one) for one in ids_of.get(parent.id, ())] for parent in parents]

    return resolve


def _known_type(views: UniverseViews, type_id: int) -> TypeView | None:
    return views.type(type_id) if type_id in views.universe.types else None


def resolve_region_of_constellation(parents: Sequence[WithId], info: Info) -> list[Any]:
    """Return the region each constellation lies in today."""
    views = info.context.views
    found = [views.universe.constellations.get(parent.id) for parent in parents]
    return [None if one is None else views.region(one.region_id) for one in found]


def resolve_types_of_group(parents: Sequence[WithId], info: Info, **arguments: Any) -> list[Connection[TypeView]]:
    """Return a page of the types of each group, by id."""
    views = info.context.views
    asked = PageArguments(**arguments).read(IDS.decode)
    pages = []
    for parent in parents:
        ids = views.tree.types_of_group.get(parent.id, ())
        if asked.is_forward:
            begin = 0 if asked.cursor is None else bisect_right(ids, asked.cursor)
            found = ids[begin : begin + asked.size + 1]
        else:
            end = len(ids) if asked.cursor is None else bisect_left(ids, asked.cursor)
            found = ids[max(0, end - asked.size - 1) : end]
        pages.append(page_of(asked, [views.type(one) for one in found], attrgetter("id"), total=len(ids)))
    return pages


_FINDERS: tuple[tuple[str, str, Find, Callable[[UniverseViews], Sequence[int]] | None], ...] = (
    ("region", "regions", UniverseViews.region, lambda views: sorted(views.universe.regions)),
    ("constellation", "constellations", UniverseViews.constellation, None),
    ("system", "systems", UniverseViews.system_today, None),
    ("type", "types", _known_type, None),
    ("group", "groups", UniverseViews.group, None),
    ("category", "categories", UniverseViews.category, lambda views: sorted(views.universe.categories)),
)
for _name, _plural, _find, _every in _FINDERS:
    resolvers.root("Query", _name, _one(_find))
    resolvers.root("Query", _plural, _several(_find, _every))

_CHILDREN: tuple[tuple[str, str, str, Find], ...] = (
    ("Region", "constellations", "constellations_of_region", UniverseViews.constellation),
    ("Region", "systems", "systems_of_region", UniverseViews.system_today),
    ("Constellation", "systems", "systems_of_constellation", UniverseViews.system_today),
    ("Category", "groups", "groups_of_category", UniverseViews.group),
)
for _parent, _field, _tree, _find in _CHILDREN:
    resolvers.field(_parent, _field, _children(_tree, _find))

resolvers.field("Constellation", "region", resolve_region_of_constellation)
resolvers.field("Group", "types", resolve_types_of_group)
