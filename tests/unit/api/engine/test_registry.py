"""Mistakes in a table of resolvers stop the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema

from killreport.api.engine.registry import Resolvers, bind, snake_case

SDL = """
type Query { node(nodeId: Int, where: Where): Node }
interface Node { id: Int }
type Ship implements Node { id: Int, shipName: String }
input Where { minPrice: Int }
"""


def nothing(*_: Any, **__: Any) -> list[Any]:
    return []


def whole() -> Resolvers:
    """Return a table without a mistake."""
    table = Resolvers()
    table.field("Query", "node", nothing)
    table.type_of("Node", nothing)
    return table


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda table: table.field("Shipp", "id", nothing), "The schema has no object type named Shipp."),
        (lambda table: table.field("Node", "id", nothing), "The schema has no object type named Node."),
        (lambda table: table.field("Ship", "ship_name", nothing), "The type Ship has no field named ship_name."),
        (lambda table: table.field("Query", "node", nothing), "Query.node has two resolvers."),
        (lambda table: table.source("told", nothing), "The schema has no object type named Subscription."),
        (lambda table: table.type_of("Ship", nothing), "The schema has no interface or union named Ship."),
        (lambda table: table.type_of("Node", nothing), "Node has two resolvers."),
        (lambda table: table.fields.clear(), "Query.node has no resolver."),
        (lambda table: table.types.clear(), "Nothing says of which type a value of Node is."),
    ],
)
def test_a_mistake_is_told_when_the_schema_is_built(mistake: Callable[[Resolvers], None], message: str) -> None:
    table = whole()
    mistake(table)
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        bind(build_schema(SDL), table)


def test_a_resolver_of_one_parent_is_refused_for_it_would_not_be_called() -> None:
    schema = build_schema(SDL)
    schema.type_map["Ship"].fields["id"].resolve = nothing  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"Ship\.id has a resolver that takes one parent"):
        bind(schema, whole())


def test_arguments_and_inputs_are_handed_over_in_snake_case() -> None:
    schema = bind(build_schema(SDL), whole())
    assert schema.query_type is not None
    assert schema.query_type.fields["node"].args["nodeId"].out_name == "node_id"
    where = schema.type_map["Where"]
    assert isinstance(where, GraphQLInputObjectType)
    assert where.fields["minPrice"].out_name == "min_price"


@pytest.mark.parametrize(
    ("name", "attribute"),
    [("id", "id"), ("shipType", "ship_type"), ("isA", "is_a"), ("top10Pilots", "top10_pilots"), ("URL", "url")],
)
def test_a_field_is_the_attribute_of_its_name_in_snake_case(name: str, attribute: str) -> None:
    assert snake_case(name) == attribute
