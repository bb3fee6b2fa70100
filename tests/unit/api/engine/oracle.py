"""graphql-core's own executor on the same world, called parent by parent, and what may differ between the two."""

from __future__ import annotations

from typing import Any

from graphql import ExecutionResult, GraphQLObjectType, GraphQLSchema, is_abstract_type

from killreport.api.engine.registry import snake_case
from tests.unit.api.engine.world import _is_resolved, bare_schema, events, value_of


def single_schema() -> GraphQLSchema:
    """Return the schema with resolvers of one parent."""
    schema = bare_schema()
    for owner, found in schema.type_map.items():
        if is_abstract_type(found):
            found.resolve_type = _named
        if isinstance(found, GraphQLObjectType) and not owner.startswith("__"):
            for name, field in found.fields.items():
                if owner == "Subscription":
                    field.resolve = lambda event, _info: event
                    field.subscribe = _follow
                elif _is_resolved(owner, name):
                    field.resolve = _slow(owner) if name.startswith("slow") else _quick(owner)
                for argument_name, argument in field.args.items():
                    argument.out_name = snake_case(argument_name)
        if found.name == "Filter":
            for name, part in found.fields.items():  # type: ignore[attr-defined]
                part.out_name = snake_case(name)
    return schema


def attribute(parent: Any, info: Any, **_arguments: Any) -> Any:
    """Return the attribute a field without a resolver is."""
    return getattr(parent, snake_case(info.field_name))


def _named(value: Any, info: Any, abstract: Any) -> Any:
    name = info.context.type_name(value, abstract)
    if isinstance(name, Exception):
        raise name
    return name


def _follow(_root: Any, info: Any) -> Any:
    return events(info.context, info.field_name)


def _quick(owner: str) -> Any:
    return lambda parent, info, **arguments: value_of(info.context, parent, info, owner, arguments)


def _slow(owner: str) -> Any:
    async def resolve_one(parent: Any, info: Any, **arguments: Any) -> Any:
        return value_of(info.context, parent, info, owner, arguments)

    return resolve_one


Told = tuple[tuple[str | int, ...], str, tuple[tuple[int, int], ...]]


def told(result: ExecutionResult) -> set[Told]:
    """Return the errors: path, message, places in the query."""
    return {
        (tuple(error.path or ()), error.message, tuple((at.line, at.column) for at in error.locations or ()))
        for error in result.errors or ()
    }


def differences(ours: ExecutionResult, core: ExecutionResult, every: ExecutionResult) -> list[str]:
    """Return what is not equal and should be.

    Where a null bubbled, the specification leaves open which of the errors below it are told; we tell the one that made
    it. `every`: graphql-core's result with bubbling off, whose errors are all that can be.
    """
    found = []
    if ours.data != core.data:
        found.append(f"data\n  ours {ours.data}\n  core {core.data}")
    (own_open, own_bubbled), (core_open, core_bubbled) = _sorted_out(ours), _sorted_out(core)
    if own_open != core_open:
        found.append(f"errors\n  only ours {own_open - core_open}\n  only core {core_open - own_open}")
    if {at for at, _ in own_bubbled} != {at for at, _ in core_bubbled}:
        found.append(f"nulls with a cause\n  ours {own_bubbled}\n  core {core_bubbled}")
    if len({at for at, _ in own_bubbled}) != len(own_bubbled):
        found.append(f"two causes of one null {own_bubbled}")
    if len(ours.errors or ()) != len(told(ours)):
        found.append("an error was told twice")
    if not told(ours) <= told(every):
        found.append(f"errors that cannot be {told(ours) - told(every)}")
    return found


def _sorted_out(result: ExecutionResult) -> tuple[set[Told], set[tuple[tuple[str | int, ...], Told]]]:
    """Return the errors whose own place is in the data, and the others with the place of the null above them."""
    plain, bubbled = set(), set()
    for error in told(result):
        depth, value = 0, result.data
        for key in error[0]:
            if value is None:
                break
            value = value[key]  # type: ignore[index]
            depth += 1
        if depth == len(error[0]):
            plain.add(error)
        else:
            bubbled.add((error[0][:depth], error))
    return plain, bubbled
