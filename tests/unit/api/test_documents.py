"""Documents, remembered once they passed."""

from __future__ import annotations

import gc

import pytest
from graphql import GraphQLError, print_ast, specified_rules

from killreport.api import documents as module
from killreport.api.documents import Documents
from killreport.api.schema import build_schema

SCHEMA = build_schema()


def problems(documents: Documents, query: str) -> list[str]:
    """Return what is wrong with the query."""
    document = documents.parse(None, {"query": query})
    return [error.message for error in documents.validate(SCHEMA, document, specified_rules)]


def test_a_known_document_is_read_once() -> None:
    documents = Documents()
    query = {"query": "{ status { killmailCount } }"}
    assert documents.parse(None, query) is documents.parse(None, query)


def test_a_wrong_document_stays_wrong() -> None:
    documents = Documents()
    for _ in range(2):
        assert problems(documents, "{ nonsense }") == ["Cannot query field 'nonsense' on type 'Query'."]


def test_a_forgotten_document_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    documents = Documents()
    for number in range(200):
        assert problems(documents, f"{{ s{number}: status {{ killmailCount }} }}") == []
        gc.collect(0)
        assert problems(documents, f"{{ s{number}: nonsense }}") == ["Cannot query field 'nonsense' on type 'Query'."]


def test_size_is_told_before_anything_else() -> None:
    many = " ".join(f"a{number}: status {{ nonsense }}" for number in range(11))
    assert problems(Documents(), f"{{ {many} }}") == [
        "A query may have 10 fields at its root; this one has 11. Spread them over several queries."
    ]


def test_what_was_read_is_what_was_written() -> None:
    documents = Documents()
    for text in ("{ status { killmailCount } }", "{ status { feedSequence } }"):
        assert " ".join(print_ast(documents.parse(None, {"query": text})).split()) == text
    with pytest.raises(GraphQLError, match="Syntax Error"):
        documents.parse(None, {"query": "{"})
