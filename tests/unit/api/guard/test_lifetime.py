"""How long answers live."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_operation_ast,
    parse,
    validate,
)

from killreport.api.door.guard.annotations import annotation
from killreport.api.door.guard.operation import Lifetime, Operation
from killreport.api.door.guard.responses import ENTITIES
from killreport.api.schema import build_schema

SCHEMA = build_schema()


def lifetime(query: str) -> Lifetime:
    """Return the life of the answer to the query's only operation."""
    document = parse(query)
    operation = get_operation_ast(document)
    assert operation is not None
    return Operation(SCHEMA, document, operation).lifetime


def test_an_answer_lives_as_long_as_its_shortest_field() -> None:
    killmails = frozenset({"killmails"})
    assert lifetime("{ killmail(id: 1) { id solarSystem { id } } }") == Lifetime(60, killmails)
    assert lifetime("{ killmail(id: 1) { id victim { character { name } } } }") == Lifetime(30, killmails)
    assert lifetime("{ killmails { nodes { id } } killmail(id: 1) { id } }") == Lifetime(10, killmails)


def test_fields_of_fragments_count() -> None:
    query = "{ killmail(id: 1) { ...F } ... on Query { status { killmailCount } } } fragment F on Killmail { id }"
    assert lifetime(query).seconds == 5


def test_lists_that_depend_on_entities_they_do_not_show_end_with_any_news_of_one() -> None:
    entities = frozenset({ENTITIES})
    assert lifetime('{ search(query: "ana") { name } }') == Lifetime(30, entities)
    assert lifetime("{ corporation(id: 1) { members { nodes { id } } } }") == Lifetime(30, entities)
    assert lifetime("{ alliance(id: 1) { members { nodes { id } } } }") == Lifetime(30, entities)
    assert lifetime("{ alliance(id: 1) { name } }") == Lifetime(30)


def test_what_the_schema_says_nothing_of_is_never_kept() -> None:
    assert lifetime("{ killmail(id: 1) { id } processes { name } }").seconds == 0
    assert lifetime("{ __schema { queryType { name } } }").seconds == 0
    assert lifetime("{ __typename }").seconds == 0


def test_only_queries_are_kept() -> None:
    assert lifetime("subscription { killmailStored { id } }").seconds == 0


# What is of one moment, of the machinery, or of who asks.
NEVER_KEPT = {
    *("Query", "Mutation", "Subscription", "PostedKillmail", "Refresh", "DeadLetter"),
    *("PostResult", "PostProblem"),
    *("Process", "WorkerStatus", "JobRun", "JobRunConnection", "JobRunEdge", "JobRunCount"),
}


def test_everything_that_can_be_asked_for_says_how_long_it_lives_or_is_never_kept_on_purpose() -> None:
    composite = (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)
    silent = {
        name
        for name, kind in SCHEMA.type_map.items()
        if isinstance(kind, composite) and not name.startswith("__") and not annotation(kind.ast_node, "cacheControl")
    }
    assert silent - NEVER_KEPT - {"Status"} == set()


@pytest.mark.parametrize(
    "query",
    [
        "{ leaderboard(kind: CHARACTER, window: WEEK) { places { entity { ... on Character { id name } } } } }",
        '{ search(query: "rifter") { entity { ... on Type { id name } } } }',
        "{ character(id: 1) { name statistics { totals { kills } } kills { nodes { id } } } }",
        "{ killmails { nodes { id victim { character { name } } } pageInfo { hasNextPage } } }",
        "{ type(id: 587) { name price { isk } priceHistory(days: 7) { day } } }",
    ],
)
def test_what_pages_show_is_kept(query: str) -> None:
    document = parse(query)
    assert validate(SCHEMA, document) == []
    assert lifetime(query).seconds > 0
