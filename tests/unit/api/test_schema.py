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


def test_the_price_rules_of_the_schema_are_those_of_the_market() -> None:
    rules = OWN_TYPES["PriceRule"]
    assert isinstance(rules, GraphQLEnumType)
    assert list(rules.values) == [rule.name for rule in PriceRule]
