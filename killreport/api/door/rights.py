"""Rights: the one place that reads `@right` and `@inside` from the schema and keeps them, whatever a resolver does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError, GraphQLField, GraphQLObjectType, GraphQLSchema

from killreport.api.door.audit import note_call
from killreport.api.door.guard.annotations import annotation
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, make_resolver, wrap_resolver

DIRECTIVE, INSIDE = "right", "inside"
ANYONE, OPERATOR = "ANYONE", "OPERATOR"


def keep_rights(schema: GraphQLSchema) -> GraphQLSchema:
    """Return the schema, whose resolvers are bound, with every named right checked before its field is resolved.

    Introspection does not tell directives, so the right is added to the field's description. Raises ValueError for a
    mutation that names no right, and for a right on a field where it could not be kept.
    """
    for name, found in schema.type_map.items():
        if not isinstance(found, GraphQLObjectType) or name.startswith("__"):
            continue
        for field_name, field in found.fields.items():
            _keep_inside(field_name, field)
            right = right_of(field)
            if right is None:
                if found is schema.mutation_type:
                    raise ValueError(f"{name}.{field_name} does not say who may call it: give it @right.")
                continue
            field.description = f"{field.description}\n\nRight: `{right}`."
            is_kept = wrap_resolver(field, partial(_checked, right=right, name=f"{name}.{field_name}"))
            if not is_kept or found is schema.subscription_type:
                raise ValueError(f"The right on {name}.{field_name} cannot be kept there.")
    return schema


def right_of(field: GraphQLField) -> str | None:
    """Return the right that the field's definition names, None where it names none."""
    return annotation(field.ast_node, DIRECTIVE).get("is")


def word_of(field: GraphQLField) -> str | None:
    """Return what those who are no operator read of the field, None where they read it as it is."""
    return annotation(field.ast_node, INSIDE).get("word")


def _keep_inside(name: str, field: GraphQLField) -> None:
    word = word_of(field)
    if word is None:
        return
    field.description = f"{field.description}\n\nWho is no operator reads “{word}”."
    if not wrap_resolver(field, partial(_worded, word=word)):
        make_resolver(field, name, partial(_worded, word=word))


def _worded(resolve: BatchResolver, word: str) -> BatchResolver:
    async def resolve_with_word(parents: Sequence[Any], info: FieldInfo, **arguments: Any) -> Sequence[Any]:
        found = resolve(parents, info, **arguments)
        result: Sequence[Any] = await found if isawaitable(found) else found
        if info.context.caller.refusal is None:
            return result
        return [word if isinstance(value, str) else value for value in result]

    return resolve_with_word


def _checked(resolve: BatchResolver, right: str, name: str) -> BatchResolver:
    async def resolve_with_right(parents: Sequence[Any], info: FieldInfo, **arguments: Any) -> Sequence[Any]:
        refusal = info.context.caller.refusal
        if right != ANYONE and refusal is not None:
            raise GraphQLError(refusal, extensions={"code": "FORBIDDEN"})
        outcome = "failed"
        try:
            found = resolve(parents, info, **arguments)
            result: Sequence[Any] = await found if isawaitable(found) else found
            outcome = "done"
        finally:
            if right != ANYONE:
                note_call(name, arguments, outcome)
        return result

    return resolve_with_right
