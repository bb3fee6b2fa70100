"""What fields cost and how long lists are counted, as a page of the reference."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type

from killreport.api.door.guard.annotations import annotation
from killreport.api.door.guard.operation import field_weight


def costs_page(schema: GraphQLSchema, origin: str) -> str:
    """Return the page. origin: its first line, which says where it comes from."""
    head = [
        origin,
        "",
        "# What the API's fields cost",
        "",
        "An object costs 1 and a scalar nothing, except where this table says otherwise; a list costs its size times",
        "what one of it costs. A size is that of an argument, for `first` also `last`, or else an assumed number. The",
        "lists below `__schema` and `__type` are as long as the schema makes them.",
        "[How the API is limited](../howto/api-limits.md) has the rest.",
        "",
        "| field | one costs | size of the list |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*head, *_rows(schema), ""])


def _rows(schema: GraphQLSchema) -> Iterator[str]:
    for name, kind in sorted(schema.type_map.items()):
        if not isinstance(kind, GraphQLObjectType):
            continue
        for field_name, field in sorted(kind.fields.items()):
            weight, size = field_weight(field), annotation(field.ast_node, "listSize")
            if size or weight != (not is_leaf_type(get_named_type(field.type))):
                argument = f"`{size['argument']}`" if "argument" in size else None
                sizes = [text for text in (argument, str(size["assumed"]) if "assumed" in size else None) if text]
                yield f"| `{name}.{field_name}` | {weight} | {', else '.join(sizes)} |"
