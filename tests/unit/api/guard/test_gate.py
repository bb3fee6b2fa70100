"""What the gate remembers of a request never answers for another."""

from __future__ import annotations

from typing import Any

import pytest

from killreport.api.door.documents import DocumentRefused, Documents
from killreport.api.door.guard.gate import MAX_VARIABLES, REMEMBERED_COSTS, Gate
from killreport.api.door.guard.operation import Operation
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.door.client import Client

ANYBODY = Client("192.0.2.1", False)
PAGE = "query One($n: Int!) { killmails(first: $n) { nodes { victim { damageTaken } } } }"


@pytest.fixture
def gate() -> Gate:
    schema = build_schema()
    return Gate(Settings(), schema, Documents(schema))


async def cost(gate: Gate, data: dict[str, Any]) -> int:
    return gate.cost(await gate.admit(ANYBODY, data))


async def price(gate: Gate, first: Any) -> int:
    return await cost(gate, {"query": PAGE, "variables": {"n": first}})


async def test_equal_requests_are_priced_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await price(gate, 10)
    monkeypatch.setattr(Operation, "cost", lambda *_: pytest.fail("priced again"))

    assert await price(gate, 10) == first


async def test_other_variables_are_priced_anew(gate: Gate) -> None:
    assert await price(gate, 200) > await price(gate, 10)
    assert await price(gate, 10) < await price(gate, 200)


async def test_other_operations_of_a_document_are_priced_anew(gate: Gate) -> None:
    text = "query One { killmails(first: 200) { nodes { id } } } query Two { killmails(first: 1) { nodes { id } } }"
    one = await cost(gate, {"query": text, "operationName": "One"})

    assert await cost(gate, {"query": text, "operationName": "Two"}) < one


async def test_costs_are_remembered_for_so_many_requests_only(gate: Gate) -> None:
    prices = [await price(gate, 1 + number) for number in range(REMEMBERED_COSTS + 1)]

    assert len((await gate.admit(ANYBODY, {"query": PAGE, "variables": {"n": 1}})).operation.costs) == 1
    assert await price(gate, 1) == prices[0]


async def test_long_variables_are_not_remembered(gate: Gate) -> None:
    text = "query One($n: String) { killmails(first: 1, after: $n) { nodes { id } } }"
    admitted = await gate.admit(ANYBODY, {"query": text, "variables": {"n": "x" * MAX_VARIABLES}})
    gate.cost(admitted)

    assert admitted.operation.costs == {}


async def test_variables_that_do_not_fit_are_refused_with_the_reason(gate: Gate) -> None:
    with pytest.raises(DocumentRefused) as refused:
        await cost(gate, {"query": PAGE})
    assert [error.message for error in refused.value.errors] == [
        "Variable '$n' has invalid value: Expected a value of non-null type 'Int!' to be provided."
    ]
