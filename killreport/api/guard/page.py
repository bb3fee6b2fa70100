"""What fields cost and how long lists are counted, as a page of the reference."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLObjectType, GraphQLSchema

from killreport.api.guard.annotations import annotation


def costs_page(schema: GraphQLSchema, origin: str) -> str:
    """Return the page. origin: its first line, which says where it comes from."""
    head = [
        origin,
        "",
        "# What the API's fields cost",
        "",
        "An object costs 1 and a scalar nothing, except where this table says otherwise; a list costs its size times",
        "what one of it costs. A size is that of an argument, for `first` also `last`, or else an assumed number.",
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
            weight, size = annotation(field.ast_node, "cost"), annotation(field.ast_node, "listSize")
            if weight or size:
                argument = f"`{size['argument']}`" if "argument" in size else None
                sizes = [text for text in (argument, str(size["assumed"]) if "assumed" in size else None) if text]
                yield f"| `{name}.{field_name}` | {weight.get('weight', 1)} | {', else '.join(sizes)} |"
