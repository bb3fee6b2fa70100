"""Which function resolves which field, checked against the schema when it is built."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import cache
from inspect import isawaitable
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
)

from killreport.api.engine.info import FieldInfo
from killreport.api.engine.shared import SharedEvent

# (parents, info, **arguments): one result a parent, in their order. An exception as a result is that parent's error.
BatchResolver = Callable[..., Sequence[Any] | Awaitable[Sequence[Any]]]
# (values, info): the name of each value's type, in their order.
TypeResolver = Callable[[Sequence[Any], FieldInfo], Sequence[Any] | Awaitable[Sequence[Any]]]
# (info, **arguments): events, each of which is the value of the subscribed field, or a SharedEvent of it.
EventSource = Callable[..., AsyncIterator[Any] | Awaitable[AsyncIterator[Any]]]

# Told no parents, of which a root has one: (info, **arguments) gives the value.
RootResolver = Callable[..., Any]
# Where a field of a type is read from one of its values: an attribute, with dots to go on, or a function of the value.
Source = str | Callable[[Any], Any]

_BATCH, _READ, _TYPE_OF = "engine.batch", "engine.read", "engine.type_of"


class Resolvers:
    """A table of resolvers; nothing is checked before it is bound to a schema."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str, BatchResolver]] = []
        self.reads: list[tuple[str, str, Callable[[Any], Any]]] = []
        self.sources: list[tuple[str, EventSource]] = []
        self.types: list[tuple[str, TypeResolver]] = []

    def field(self, type_name: str, field_name: str, resolve: BatchResolver) -> None:
        """Have `resolve` give the field of all parents at once."""
        self.fields.append((type_name, field_name, resolve))

    def root(self, type_name: str, field_name: str, resolve: RootResolver) -> None:
        """Have `resolve` give the one value of a field of `Query` or `Mutation`."""

        def batch(_root: Sequence[None], info: FieldInfo, **arguments: Any) -> Sequence[Any] | Awaitable[Any]:
            found = resolve(info, **arguments)
            return _alone(found) if isawaitable(found) else [found]

        self.field(type_name, field_name, batch)

    def columns(self, type_name: str, **sources: Source) -> None:
        """Have fields of a type read from elsewhere than the attribute of their name: `iskLost="isk_lost_cents"`."""
        for field_name, source in sources.items():
            self.reads.append((type_name, field_name, attrgetter(source) if isinstance(source, str) else source))

    def source(self, field_name: str, follow: EventSource) -> None:
        """Have `follow` give the events of a field of Subscription."""
        self.sources.append((field_name, follow))

    def type_of(self, abstract_name: str, name_types: TypeResolver) -> None:
        """Have `name_types` say of which type each value of an interface or a union is."""
        self.types.append((abstract_name, name_types))


def bind(schema: GraphQLSchema, *tables: Resolvers) -> GraphQLSchema:
    """Return the schema, with the resolvers bound, arguments in snake_case, and nothing left to chance.

    Raises ValueError for a name the schema does not have, for what has two resolvers, and for a field of the root or an
    abstract type that has none. A field of any other type without one is the attribute of its name in snake_case.
    """
    for table in tables:
        for type_name, field_name, resolve in table.fields:
            _set_once(
                _find_field(schema, type_name, field_name).extensions, _BATCH, resolve, f"{type_name}.{field_name}"
            )
        for type_name, field_name, read in table.reads:
            _set_once(_find_field(schema, type_name, field_name).extensions, _READ, read, f"{type_name}.{field_name}")
        for field_name, follow in table.sources:
            root = "Subscription" if schema.subscription_type is None else schema.subscription_type.name
            field = _find_field(schema, root, field_name)
            _set_once(field.extensions, _BATCH, _event_itself, f"{root}.{field_name}")
            field.subscribe = _subscriber(follow)
        for abstract_name, name_types in table.types:
            found = schema.type_map.get(abstract_name)
            if not isinstance(found, GraphQLInterfaceType | GraphQLUnionType):
                raise ValueError(f"The schema has no interface or union named {abstract_name}.")
            _set_once(found.extensions, _TYPE_OF, name_types, abstract_name)
    _refuse_holes(schema)
    _name_arguments(schema)
    return schema


def batch_resolver(field: GraphQLField) -> BatchResolver | None:
    """Return the field's resolver, None where it is an attribute of its parent."""
    found: BatchResolver | None = field.extensions.get(_BATCH)
    return found


def wrap_resolver(field: GraphQLField, wrap: Callable[[BatchResolver], BatchResolver]) -> bool:
    """Put a function around the field's resolver; returns False where it has none and is an attribute."""
    resolve = batch_resolver(field)
    if resolve is not None:
        field.extensions[_BATCH] = wrap(resolve)
    return resolve is not None


def make_resolver(field: GraphQLField, name: str, wrap: Callable[[BatchResolver], BatchResolver]) -> None:
    """Give a field that is an attribute of its parents, of this name in the schema, a resolver around reading it."""
    read = reader(field, name)

    def resolve(parents: Sequence[Any], _info: FieldInfo, **_arguments: Any) -> Sequence[Any]:
        return list(map(read, parents))

    field.extensions[_BATCH] = wrap(resolve)


def reader(field: GraphQLField, name: str) -> Callable[[Any], Any]:
    """Return what reads a field that is an attribute of its parents, of this name in the schema."""
    found: Callable[[Any], Any] = field.extensions.get(_READ) or attrgetter(snake_case(name))
    return found


def type_resolver(abstract: GraphQLInterfaceType | GraphQLUnionType) -> TypeResolver:
    """Return what names the types of the interface's or union's values."""
    found: TypeResolver = abstract.extensions[_TYPE_OF]
    return found


@cache
def snake_case(name: str) -> str:
    """Return a camelCase name as an attribute or an argument is written."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


async def _alone(value: Awaitable[Any]) -> Sequence[Any]:
    return [await value]


def _set_once(extensions: dict[str, Any], key: str, value: Any, name: str) -> None:
    if key in extensions:
        raise ValueError(f"{name} has two resolvers.")
    extensions[key] = value


def _find_field(schema: GraphQLSchema, type_name: str, field_name: str) -> GraphQLField:
    owner = schema.type_map.get(type_name)
    if not isinstance(owner, GraphQLObjectType):
        raise ValueError(f"The schema has no object type named {type_name}.")
    if field_name not in owner.fields:
        raise ValueError(f"The type {type_name} has no field named {field_name}.")
    found: GraphQLField = owner.fields[field_name]
    return found


def _event_itself(events: Sequence[Any], _info: FieldInfo, **_arguments: Any) -> Sequence[Any]:
    return [event.value if isinstance(event, SharedEvent) else event for event in events]


def _subscriber(follow: EventSource) -> Callable[..., Any]:
    def subscribe(_root: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        own = FieldInfo(
            info.context, info.variable_values.coerced, info.field_name, (str(info.path.key),), info.schema, _nothing
        )
        return follow(own, **arguments)

    return subscribe


def _nothing(_below: tuple[str, ...]) -> frozenset[str]:
    return frozenset()


def _refuse_holes(schema: GraphQLSchema) -> None:
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        for name, field in root.fields.items() if root is not None else ():
            if batch_resolver(field) is None:
                raise ValueError(f"{root}.{name} has no resolver.")
    for name, found in schema.type_map.items():
        if isinstance(found, GraphQLInterfaceType | GraphQLUnionType) and _TYPE_OF not in found.extensions:
            raise ValueError(f"Nothing says of which type a value of {name} is.")
        if isinstance(found, GraphQLObjectType) and not name.startswith("__"):
            for field_name, field in found.fields.items():
                if field.resolve is not None:
                    raise ValueError(
                        f"{name}.{field_name} has a resolver that takes one parent; it would not be called."
                    )


def _name_arguments(schema: GraphQLSchema) -> None:
    for found in schema.type_map.values():
        if isinstance(found, GraphQLInputObjectType):
            for name, part in found.fields.items():
                part.out_name = snake_case(name)
        if isinstance(found, GraphQLObjectType) and not found.name.startswith("__"):
            for field in found.fields.values():
                for name, argument in field.args.items():
                    argument.out_name = snake_case(name)
