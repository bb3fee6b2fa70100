"""The schema itself."""

from __future__ import annotations

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, get_named_type

from killreport.api.schema import build_schema
from killreport.market.price import PriceRule

OWN_TYPES = {name: found for name, found in build_schema().type_map.items() if not name.startswith("__")}


def test_every_type_field_and_argument_is_described() -> None:
    bare = [
        name for name, found in OWN_TYPES.items() if not found.description and name not in ("Int", "Float", "Boolean")
    ]
    for name, found in OWN_TYPES.items():
        if isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
            bare.extend(f"{name}.{field}" for field, known in found.fields.items() if not known.description)
            bare.extend(
                f"{name}.{field}({argument})"
                for field, known in found.fields.items()
                for argument, meant in known.args.items()
                if not meant.description
            )
        if isinstance(found, GraphQLInputObjectType):
            bare.extend(f"{name}.{field}" for field, meant in found.fields.items() if not meant.description)
        if isinstance(found, GraphQLEnumType):
            bare.extend(f"{name}.{value}" for value, known in found.values.items() if not known.description)
    assert bare == []


def test_every_list_that_is_read_by_the_page_is_read_from_either_end() -> None:
    for name, found in OWN_TYPES.items():
        for field, known in found.fields.items() if isinstance(found, GraphQLObjectType) else ():
            page = get_named_type(known.type)
            if isinstance(page, GraphQLObjectType) and "pageInfo" in page.fields:
                assert {"first", "after", "last", "before"} <= known.args.keys(), f"{name}.{field}"


def test_every_page_has_the_shape_that_clients_know() -> None:
    pages = 0
    for name, page in OWN_TYPES.items():
        if not isinstance(page, GraphQLObjectType) or "pageInfo" not in page.fields:
            assert not name.endswith(("Connection", "Edge")) or name.endswith("Edge"), name
            continue
        pages += 1
        assert name.endswith("Connection")
        assert str(page.fields["pageInfo"].type) == "PageInfo!"
        node = get_named_type(page.fields["nodes"].type)
        assert name == f"{node}Connection"
        assert str(page.fields["edges"].type) == f"[{node}Edge!]!"
        edge = OWN_TYPES[f"{node}Edge"]
        assert isinstance(edge, GraphQLObjectType)
        assert {field: str(known.type) for field, known in edge.fields.items()} == {
            "cursor": "String!",
            "node": str(node),
        }
    assert pages > 5


def test_everything_that_has_an_id_of_eve_s_is_a_node() -> None:
    node = OWN_TYPES["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    assert {name: str(field.type) for name, field in node.fields.items()} == {"id": "ID64!", "nodeId": "ID!"}
    nodes = {kind.name for kind in build_schema().get_possible_types(node)}
    with_id = {
        name
        for name, kind in OWN_TYPES.items()
        if isinstance(kind, GraphQLObjectType) and "id" in kind.fields and str(kind.fields["id"].type) == "ID64!"
    }
    # A run is of this installation, and what was found has the id of something else.
    assert with_id - nodes == {"JobRun", "SearchResult"}


def test_the_price_rules_of_the_schema_are_those_of_the_market() -> None:
    rules = OWN_TYPES["PriceRule"]
    assert isinstance(rules, GraphQLEnumType)
    assert list(rules.values) == [rule.name for rule in PriceRule]
