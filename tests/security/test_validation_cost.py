"""No document that may be sent is much dearer to read and check than an honest one, whatever its shape.

Work is counted as calls of functions, which is the same on every machine.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

import pytest
from graphql import GraphQLError, get_introspection_query

from killreport.api.door.documents import Documents
from killreport.api.door.limits import MAX_QUERY_CHARACTERS, Limits
from killreport.api.schema import build_schema
from killreport.web import documents
from killreport.web.pages import kill, status
from tests.security.documents import SHAPES

SCHEMA = build_schema()
LIMITS = Limits()
# An honest document of the greatest size would take as much; none has been seen that is a quarter of it.
MAX_RATIO = 4
HONEST = {
    "list": documents.LIST,
    "live": documents.LIVE,
    "feed": documents.FEED,
    "kill": kill.DOCUMENT,
    "status": status.DOCUMENT,
    "introspection": get_introspection_query(input_value_deprecation=True, specified_by_url=True),
}


def count_calls(text: str) -> int:
    """Return how many calls reading and checking takes, refused or not."""
    documents = Documents(SCHEMA, LIMITS)
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event.endswith("call")

    gc.collect()
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        documents.read(text, documents.limits.weigh(text))
    except GraphQLError:
        pass
    finally:
        sys.setprofile(before)
    return calls


@pytest.fixture(scope="module")
def honest_calls() -> float:
    """Return how many calls the largest of the site's documents would take, were it as large as one may be."""
    largest = max(HONEST.values(), key=lambda text: LIMITS.weigh(text).tokens)
    return count_calls(largest) / LIMITS.weigh(largest).tokens * LIMITS.tokens


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_is_much_dearer_than_an_honest_document(name: str, honest_calls: float) -> None:
    text = SHAPES[name](LIMITS.tokens)
    assert len(text) <= MAX_QUERY_CHARACTERS
    assert count_calls(text) < MAX_RATIO * honest_calls


@pytest.mark.parametrize("name", HONEST)
def test_honest_documents_pass_and_are_half_of_the_limits_at_most(name: str) -> None:
    half = Limits(LIMITS.depth, LIMITS.fields // 2, LIMITS.aliases // 2, LIMITS.root_fields, LIMITS.tokens // 2, 25)
    documents = Documents(SCHEMA, half)
    assert documents.read(HONEST[name], half.weigh(HONEST[name])).digest


def test_a_document_of_any_shape_costs_what_it_weighs_before_it_is_read() -> None:
    free = []
    for name, shape in SHAPES.items():
        try:
            weight = LIMITS.weigh(shape(LIMITS.tokens))
        except GraphQLError:
            continue
        if weight.tokens > 500 and weight.price < weight.tokens // 3:
            free.append(name)
    assert free == []
