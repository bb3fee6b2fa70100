"""Rights: the one place that reads `@right` from the schema and keeps it, whatever a resolver does or forgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError, GraphQLField, GraphQLObjectType, GraphQLSchema, get_directive_values

from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, wrap_resolver

DIRECTIVE = "right"
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
            right = right_of(schema, field)
            if right is None:
                if found is schema.mutation_type:
                    raise ValueError(f"{name}.{field_name} does not say who may call it: give it @right.")
                continue
            field.description = f"{field.description}\n\nRight: `{right}`."
            is_kept = wrap_resolver(field, partial(_checked, right=right))
            if not is_kept or found is schema.subscription_type:
                raise ValueError(f"The right on {name}.{field_name} cannot be kept there.")
    return schema


def right_of(schema: GraphQLSchema, field: GraphQLField) -> str | None:
    """Return the right that the field's definition names, None where it names none."""
    directive = schema.get_directive(DIRECTIVE)
    if directive is None or field.ast_node is None:
        return None
    values = get_directive_values(directive, field.ast_node)
    return None if values is None else str(values["is"])


def _checked(resolve: BatchResolver, right: str) -> BatchResolver:
    async def resolve_with_right(parents: Sequence[Any], info: FieldInfo, **arguments: Any) -> Sequence[Any]:
        refusal = info.context.caller.refusal
        if right != ANYONE and refusal is not None:
            raise GraphQLError(refusal, extensions={"code": "FORBIDDEN"})
        found = resolve(parents, info, **arguments)
        result: Sequence[Any] = await found if isawaitable(found) else found
        return result

    return resolve_with_right
