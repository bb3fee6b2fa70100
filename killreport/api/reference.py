"""The reference page of the schema, written from the schema itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    print_ast,
)

from killreport.api.door.rights import ANYONE, right_of
from killreport.api.schema import build_schema

_INTRODUCTION = """The API answers at `/graphql`: by POST with a JSON body of `query` and `variables`, and over
WebSocket by the protocol graphql-transport-ws, where subscriptions can be followed too. `/graphql` in a browser is a
page to try queries on, and `/schema.graphql` is the schema as text.

A field that needs an operator asks for `Authorization: Bearer …` with the installation's `KILLREPORT_OPERATOR_TOKEN`,
in the request, or in the one that opens the WebSocket. Every error has `extensions.code`; a refusal for want of a right
has `FORBIDDEN`, and changes nothing."""


def graphql_page(origin: str) -> str:
    """Return the page. origin: its first line, which says where it comes from."""
    schema = build_schema()
    parts = [origin, "# The GraphQL API", _INTRODUCTION]
    for title, root in (
        ("Queries", schema.query_type),
        ("Mutations", schema.mutation_type),
        ("Subscriptions", schema.subscription_type),
    ):
        if root is not None:
            parts += [f"## {title}", str(root.description)]
            parts += [part for name in sorted(root.fields) for part in _root_field(name, root.fields[name])]
    parts.append("## Types")
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    built_in = ("Int", "Float", "Boolean", "String", "ID")
    for name, found in sorted(schema.type_map.items()):
        if found not in roots and name not in built_in and not name.startswith("__"):
            parts.extend(_type(found))
    return "\n\n".join(parts) + "\n"


def _root_field(name: str, field: GraphQLField) -> Iterator[str]:
    yield f"### {name}"
    if field.deprecation_reason:
        yield f"Deprecated: {field.deprecation_reason}"
    yield str(field.description)
    # A right that is named is in the description.
    yield f"Gives `{field.type}`." if right_of(field) else f"Gives `{field.type}`. Right: `{ANYONE}`."
    if field.args:
        yield _table("argument", {name: _argument(argument) for name, argument in field.args.items()})


def _argument(argument: GraphQLArgument) -> tuple[str, str]:
    node = None if argument.ast_node is None else argument.ast_node.default_value
    default = "" if node is None else f" = {print_ast(node)}"
    return f"{argument.type}{default}", str(argument.description)


def _type(found: GraphQLNamedType) -> Iterator[str]:
    yield f"### {found.name}"
    yield str(found.description)
    if isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
        rows = {_signature(name, field): (str(field.type), _field_text(field)) for name, field in found.fields.items()}
        yield _table("field", rows)
    elif isinstance(found, GraphQLInputObjectType):
        yield _table("field", {name: (str(part.type), str(part.description)) for name, part in found.fields.items()})
    elif isinstance(found, GraphQLEnumType):
        lines = ["| value | meaning |", "| --- | --- |"]
        lines += [f"| `{name}` | {_line(str(value.description))} |" for name, value in found.values.items()]
        yield "\n".join(lines)
    elif isinstance(found, GraphQLUnionType):
        yield "One of " + ", ".join(f"`{one.name}`" for one in found.types) + "."
    elif isinstance(found, GraphQLScalarType):
        yield "A scalar."


def _field_text(field: GraphQLField) -> str:
    return (
        f"Deprecated: {field.deprecation_reason} {field.description}"
        if field.deprecation_reason
        else str(field.description)
    )


def _signature(name: str, field: GraphQLField) -> str:
    return f"{name}({', '.join(field.args)})" if field.args else name


def _table(head: str, rows: Mapping[str, tuple[str, str]]) -> str:
    lines = [f"| {head} | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | `{kind}` | {_line(text)} |" for name, (kind, text) in rows.items()]
    return "\n".join(lines)


def _line(text: Any) -> str:
    """Return the text on one line of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")
