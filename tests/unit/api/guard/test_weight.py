"""What documents weigh."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, Lexer, Source, TokenKind, get_introspection_query

from killreport.api.door.guard.weight import FREE_TOKENS, weigh
from tests.security.documents import SHAPES


def count_as_graphql_does(text: str) -> int | None:
    """Return how many tokens graphql-core's lexer finds, comments too; None where it finds a mistake."""
    lexer = Lexer(Source(text))
    token = lexer.token
    try:
        while lexer.advance().kind is not TokenKind.EOF:
            pass
    except GraphQLError:
        return None
    count = 0
    while token.next is not None and token.next.kind is not TokenKind.EOF:
        token, count = token.next, count + 1
    return count


@pytest.mark.parametrize("name", SHAPES)
def test_names_numbers_and_signs_are_told_apart_as_graphql_does(name: str) -> None:
    text = SHAPES[name](500)
    expected = count_as_graphql_does(text)
    assert expected is None or weigh(text).tokens == expected


def test_edges_are_told_apart_as_graphql_does() -> None:
    for text in (
        *("{a...F}", "{a(b:1.5e-3)}", "{a(b:-1,c:[1.0 2E9])}", '{a(b:"\\"",c:"")}', '{a(b:"""a \\""" "" b""")}'),
        *("\ufeff{a}", "{a,b}#c", "query($a:Int=1@b){a}", get_introspection_query()),
    ):
        assert weigh(text).tokens == count_as_graphql_does(text), text


def test_documents_that_differ_in_layout_alone_are_the_same() -> None:
    one = weigh('query { killmails(first: 10) { nodes { id, } } a(b: "x y") } # end')
    assert one.digest == weigh('{killmails(first:10){nodes{id}}a(b:"x y")}').digest
    for other in ('{killmails(first:10){nodes{id}}a(b:"xy")}', '{killmails(first:1 0){nodes{id}}a(b:"x y")}'):
        assert one.digest != weigh(other).digest


def test_a_small_document_is_in_the_price_of_the_request() -> None:
    assert weigh("a " * FREE_TOKENS).price == 0
    assert weigh("a " * (FREE_TOKENS + 20)).price == 10


@pytest.mark.parametrize("text", ['"""' * 6_600, '"' * 20_000, '"""\\' * 4_900, '"""\\"""' * 2_800, '"\\' * 9_999])
def test_what_is_never_closed_is_read_once(text: str) -> None:
    assert weigh(text).tokens <= len(text)
