"""Documents by their hash."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from graphql import GraphQLError

from killreport.api.door.guard.persisted import Persisted


def request(text: str, *, with_text: bool) -> dict[str, Any]:
    """Return a request that names the document by its hash, with or without the document."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    asked = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
    return {"query": text, **asked} if with_text else asked


def test_a_document_is_found_by_its_hash_once_it_was_kept() -> None:
    persisted = Persisted()
    with pytest.raises(GraphQLError, match="PersistedQueryNotFound") as caught:
        persisted.resolve(request("{ a }", with_text=False))
    assert caught.value.extensions == {"code": "PERSISTED_QUERY_NOT_FOUND"}
    persisted.keep(persisted.resolve(request("{ a }", with_text=True)))
    assert persisted.resolve(request("{ a }", with_text=False))["query"] == "{ a }"


def test_a_hash_of_another_document_is_refused() -> None:
    wrong = {**request("{ a }", with_text=False), "query": "{ b }"}
    with pytest.raises(GraphQLError, match="provided sha does not match query"):
        Persisted().resolve(wrong)


def test_what_is_no_hash_is_refused_in_a_sentence() -> None:
    for asked in ("x", {"sha256Hash": "00"}, {"version": 2, "sha256Hash": "0" * 64}):
        with pytest.raises(GraphQLError, match="`persistedQuery` must have"):
            Persisted().resolve({"extensions": {"persistedQuery": asked}})
    with pytest.raises(GraphQLError, match="`extensions` must be"):
        Persisted().resolve({"extensions": "x"})


def test_the_store_is_bounded() -> None:
    persisted = Persisted(most_bytes=2_000)
    texts = [f"{{ a{number} }}" for number in range(10)]
    for text in texts:
        persisted.keep(request(text, with_text=True))
    assert persisted.resolve(request(texts[-1], with_text=False))["query"] == texts[-1]
    with pytest.raises(GraphQLError):
        persisted.resolve(request(texts[0], with_text=False))
