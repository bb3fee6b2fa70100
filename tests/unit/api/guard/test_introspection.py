"""Which questions for the schema are usual ones."""

from __future__ import annotations

from itertools import product

import pytest
from graphql import DocumentNode, SelectionSetNode, Visitor, get_introspection_query, parse, print_ast, validate, visit
from graphql.language.ast import FieldNode, NameNode

from killreport.api.door.documents import Documents
from killreport.api.door.guard.introspection import asks_for_schema
from killreport.api.schema import build_schema

SCHEMA = build_schema()
STANDARD = get_introspection_query()
OPTIONS = (
    *("descriptions", "specified_by_url", "directive_is_repeatable", "schema_description", "input_value_deprecation"),
    *("experimental_directive_deprecation", "one_of"),
)


class _WithTypenames(Visitor):
    """Puts `__typename` where Apollo's and Relay's clients put it."""

    def leave_selection_set(self, node: SelectionSetNode, *_args: object) -> SelectionSetNode:
        typename = FieldNode(name=NameNode(value="__typename"))
        return SelectionSetNode(selections=(*node.selections, typename))


def with_typenames(text: str) -> str:
    found: DocumentNode = visit(parse(text, no_location=True), _WithTypenames())
    return print_ast(found)


def is_usual(text: str) -> bool:
    documents = Documents(SCHEMA)
    return documents.read(text, documents.limits.weigh(text)).asks_for_schema


def test_every_option_of_graphql_js_is_usual() -> None:
    for values in product((False, True), repeat=len(OPTIONS)):
        chosen = dict(zip(OPTIONS, values, strict=True))
        for depth in (3, 7, 9):
            document = parse(get_introspection_query(**chosen, type_depth=depth))
            assert asks_for_schema(document)


@pytest.mark.parametrize(
    "text",
    [
        STANDARD,
        with_typenames(STANDARD),
        STANDARD.replace("IntrospectionQuery", "GraphIntrospectQuery"),
        STANDARD.replace("query IntrospectionQuery", ""),
        STANDARD.replace("subscriptionType { name kind }", ""),
        STANDARD.replace("subscriptionType { name }", ""),
        " ".join(STANDARD.split()),
        "{ __schema { queryType { name } } __typename }",
        "{ __schema { types { kind name possibleTypes { name } } } }",
    ],
)
def test_what_other_clients_make_of_it_is_usual(text: str) -> None:
    assert validate(SCHEMA, parse(text)) == []
    assert is_usual(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ __typename }",
        "{ status { killmailCount } __schema { queryType { name } } }",
        "{ a: __schema { queryType { name } } }",
        "{ __schema { a: types { name } b: types { name } } }",
        "{ __schema { types { fields { type { fields { name } } } } } }",
        "{ __schema { queryType { fields { name } } } }",
        '{ __type(name: "Killmail") { name } }',
        "{ __schema @include(if: true) { types { name } } }",
        "query ($d: Boolean) { __schema { types { fields(includeDeprecated: $d) { name } } } }",
        "query A { __schema { types { name } } } query B { __schema { types { name } } }",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_usual(text)
