"""What operations cost."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from graphql import (
    GraphQLObjectType,
    get_named_type,
    get_operation_ast,
    get_variable_values,
    is_list_type,
    is_non_null_type,
    parse,
)

from killreport.api.door.guard.annotations import annotation
from killreport.api.door.guard.operation import Operation, field_weight
from killreport.api.engine.registry import batch_resolver
from killreport.api.schema import build_schema
from killreport.web import documents
from killreport.web.pages import kill, status

SCHEMA = build_schema()


def cost(query: str, variables: dict[str, Any] | None = None) -> int:
    """Return the cost of the query's only operation."""
    document = parse(query)
    operation = get_operation_ast(document)
    assert operation is not None
    coerced = get_variable_values(SCHEMA, operation.variable_definitions or (), variables or {})
    assert not isinstance(coerced, list)
    return Operation(SCHEMA, document, operation).cost(coerced)


def test_a_page_costs_its_size_times_what_one_row_costs() -> None:
    assert cost("{ killmails(first: 7) { nodes { id } } }") == 1 + 7
    assert cost("{ killmails(first: 7) { nodes { id victim { shipType { id } } } } }") == 1 + 7 * 3


def test_edges_cost_what_nodes_cost() -> None:
    for inside in ("id", "id victim { shipType { id } }", "attackers { character { id } }"):
        nodes = cost(f"{{ killmails(first: 7) {{ nodes {{ {inside} }} }} }}")
        assert cost(f"{{ killmails(first: 7) {{ edges {{ cursor node {{ {inside} }} }} }} }}") == nodes
    assert cost("{ killmails(first: 7) { edges { cursor } } }") == 1 + 7
    assert cost("{ killmails(last: 9) { edges { node { id } } } }") == 1 + 9


def test_a_page_without_a_size_costs_the_default_one() -> None:
    assert cost("{ killmails { nodes { id } } }") == 51


def test_a_variable_and_its_default_size_a_page() -> None:
    query = "query($n: Int! = 9) { killmails(first: $n) { nodes { id } } }"
    assert cost(query) == 10
    assert cost(query, {"n": 200}) == 201


def test_a_list_inside_a_list_multiplies() -> None:
    assert cost("{ killmails(first: 3) { nodes { attackers { character { id } } } } }") == 1 + 3 * (1 + 10 * 2)


def test_a_fragment_costs_wherever_it_is_spread() -> None:
    query = "{ a: killmails(first: 2) { ...P } b: killmails(first: 5) { ...P } } fragment P on KillmailConnection "
    assert cost(query + "{ nodes { id } }") == (1 + 2) + (1 + 5)


def test_fragments_that_multiply_are_summed_at_once() -> None:
    doubling = " ".join(f"fragment F{n} on Killmail {{ ...F{n + 1} ...F{n + 1} }}" for n in range(50))
    query = f"{{ killmail(id: 1) {{ ...F0 }} }} {doubling} fragment F50 on Killmail {{ victim {{ damageTaken }} }}"
    assert cost(query) == 1 + 2**50


def test_page_sizes_that_are_no_sizes_do_not_make_it_cheap() -> None:
    assert cost("{ killmails(first: -5) { nodes { id } } }") == 2
    assert cost("query($n: Int!) { killmails(first: $n) { nodes { id } } }", {"n": 10**9}) == 10**6 + 1


def test_what_the_site_asks_is_far_below_the_limit() -> None:
    assert cost(documents.LIST, {"first": 50}) < 5_000
    assert cost(kill.DOCUMENT, {"id": 1}) < 5_000
    assert cost(status.DOCUMENT) < 5_000


def test_every_list_of_objects_says_how_long_it_is_counted() -> None:
    bare = []
    for name, kind in SCHEMA.type_map.items():
        if name.startswith("__") or not isinstance(kind, GraphQLObjectType):
            continue
        for field_name, field in kind.fields.items():
            inner = field.type.of_type if is_non_null_type(field.type) else field.type
            is_objects = isinstance(get_named_type(field.type), GraphQLObjectType)
            if is_list_type(inner) and is_objects and not annotation(field.ast_node, "listSize"):
                bare.append(f"{name}.{field_name}")
    assert bare == []


def test_a_variable_costs_what_it_is_read_as() -> None:
    page = "query($n: Int) { killmails(first: $n) { nodes { id } } }"
    assert [cost(page, {"n": number}) for number in (7, 7.0)] == [8, 8]
    assert [cost(page, given) for given in ({}, {"n": None})] == [51, 51]
    types = "query($ids: [Int!]!) { types(ids: $ids) { id } }"
    assert [cost(types, {"ids": ids}) for ids in ([1, 2, 3], [1.0, 2, 3], 587, 587.0)] == [3, 3, 1, 1]
    assert cost("query($a: Int!, $b: Int!) { types(ids: [$a, $b]) { id } }", {"a": 1, "b": 2}) == 2
    assert cost("query($ids: [Int!]! = [1, 2, 3]) { types(ids: $ids) { id } }") == 3
    assert cost("{ types(ids: 587) { id } }") == 1


def test_a_scalar_that_takes_work_has_a_price() -> None:
    assert cost("{ killmails(first: 10) { nodes { eft } } }") == 1 + 10 * 21
    assert cost("{ character(id: 1) { id name } }") == 1
    assert cost("{ character(id: 1) { id birthday } }") == 2


def test_no_scalar_that_waits_for_something_is_free() -> None:
    free = [
        f"{name}.{field_name}"
        for name, kind in SCHEMA.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
        for field_name, field in kind.fields.items()
        if iscoroutinefunction(batch_resolver(field)) and field_weight(field) < 1
    ]
    assert free == []


def test_the_schema_costs_what_it_is_long() -> None:
    types = len(SCHEMA.type_map)
    assert cost("{ __schema { types { name } } }") == 1 + types
    assert cost("{ __schema { a: types { name } b: types { name } } }") == 1 + 2 * types
    fields = sum(len(kind.fields) for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLObjectType))
    assert cost("{ __schema { types { fields { name } } } }") >= types + fields
    longest = max(len(kind.fields) for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLObjectType))
    assert cost('{ __type(name: "Killmail") { fields { name } } }') == 1 + longest
    assert cost("{ __schema { types { fields { type { fields { name } } } } } }") > fields * longest


def test_a_fragment_of_types_costs_what_it_is_spread_at() -> None:
    fragment = " fragment F on __Type { fields { ...G } } fragment G on __Field { args { name } }"
    of_all, of_one = (
        cost("{ __schema { types { ...F } } }" + fragment),
        cost('{ __type(name: "Query") { ...F } }' + fragment),
    )
    both = '{ __schema { types { ...F } } __type(name: "Query") { ...F } }'
    assert cost(both + fragment) == of_all + of_one
