"""What resolvers may rely on: batches, errors for one or for all, concurrency, order of mutations, cancellation."""

from __future__ import annotations

import asyncio
import gc
import traceback
import weakref
from collections.abc import Sequence
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import ExecutionResult, build_schema, execute, parse

from killreport.api.engine.executor import BatchExecutor
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers, bind

SDL = """
type Query { ships(first: Int = 3): [Ship], first: String, second: String }
type Mutation { one: Int, two: Int!, three: Int }
type Ship { id: Int!, shipName: String, owner: Owner, crew(minRank: Int): [Owner!] }
type Owner { id: Int!, ships: [Ship] }
"""


def ships(_root: Sequence[None], _info: FieldInfo, *, first: int) -> list[Any]:
    return [[SimpleNamespace(id=number, ship_name=f"Ship {number}") for number in range(first)]]


def table(**resolvers: Any) -> Resolvers:
    """Return a whole table; `owner` and the like replace its resolvers."""
    known: dict[str, Any] = {
        "ships": ("Query", ships),
        "first": ("Query", lambda _root, _info: ["1"]),
        "second": ("Query", lambda _root, _info: ["2"]),
        "one": ("Mutation", lambda _root, _info: [1]),
        "two": ("Mutation", lambda _root, _info: [2]),
        "three": ("Mutation", lambda _root, _info: [3]),
        "owner": ("Ship", lambda parents, _info: [SimpleNamespace(id=ship.id) for ship in parents]),
    }
    found = Resolvers()
    for name, (owner, resolve) in known.items():
        found.field(owner, name, resolvers.get(name, resolve))
    return found


async def run(query: str, variables: Any = None, **resolvers: Any) -> ExecutionResult:
    """Return the result of the query with these resolvers."""
    schema = bind(build_schema(SDL), table(**resolvers))
    result = execute(schema, parse(query), variable_values=variables, executor_class=BatchExecutor)
    return await result if isawaitable(result) else result


def told(result: ExecutionResult) -> list[tuple[list[str | int] | None, str]]:
    """Return path and message of every error."""
    return [(error.path, error.message) for error in result.errors or ()]


async def test_a_resolver_is_called_once_for_all_parents() -> None:
    calls: list[list[int]] = []

    def owner(parents: Sequence[Any], _info: FieldInfo) -> list[Any]:
        calls.append([ship.id for ship in parents])
        return [SimpleNamespace(id=ship.id * 10) for ship in parents]

    result = await run("{ ships { shipName owner { id } } }", owner=owner)
    assert calls == [[0, 1, 2]]
    assert result.data == {"ships": [{"shipName": f"Ship {n}", "owner": {"id": n * 10}} for n in range(3)]}


async def test_an_exception_as_a_result_is_the_error_of_its_parent_alone() -> None:
    result = await run(
        "{ ships { owner { id } } }",
        owner=lambda parents, _info: [SimpleNamespace(id=1), ValueError("no owner"), None],
    )
    assert result.data == {"ships": [{"owner": {"id": 1}}, {"owner": None}, {"owner": None}]}
    assert told(result) == [(["ships", 1, "owner"], "no owner")]


async def test_an_exception_that_is_raised_is_the_error_of_every_parent() -> None:
    async def owner(_parents: Sequence[Any], _info: FieldInfo) -> list[Any]:
        raise ValueError("nobody knows")

    result = await run("{ ships { id owner { id } } }", owner=owner)
    assert result.data == {"ships": [{"id": n, "owner": None} for n in range(3)]}
    assert told(result) == [(["ships", n, "owner"], "nobody knows") for n in range(3)]


async def test_an_error_of_many_parents_has_the_traceback_of_one() -> None:
    def fail(_parents: Sequence[Any], _info: FieldInfo) -> list[Any]:
        raise ValueError("no owner")

    result = await run("{ ships(first: 200) { owner { id } } }", owner=fail)

    cause = (result.errors or [])[-1].original_error
    assert cause is not None
    assert len(traceback.extract_tb(cause.__traceback__)) < 5


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([None], "The resolver of Ship.owner returned 1 results for 3 parents."),
        (5, "The resolver of Ship.owner returned no sequence."),
        (None, "The resolver of Ship.owner returned no sequence."),
    ],
)
async def test_a_resolver_that_does_not_keep_the_contract_is_told_so(results: Any, message: str) -> None:
    result = await run("{ ships { owner { id } } }", owner=lambda _parents, _info: results)
    assert told(result) == [(["ships", n, "owner"], message) for n in range(3)]


async def test_fields_that_have_to_be_waited_for_run_at_the_same_time() -> None:
    both = asyncio.Barrier(2)

    async def wait(_root: Sequence[None], _info: FieldInfo) -> list[str]:
        await both.wait()
        return ["met"]

    async with asyncio.timeout(20):
        result = await run("{ first second }", first=wait, second=wait)
    assert result.data == {"first": "met", "second": "met"}


async def test_a_query_without_waiting_needs_no_event_loop() -> None:
    schema = bind(build_schema(SDL), table())
    result = execute(schema, parse("{ first ships(first: 1) { id } }"), executor_class=BatchExecutor)
    assert isinstance(result, ExecutionResult)
    assert result.data == {"first": "1", "ships": [{"id": 0}]}


async def test_mutations_run_one_after_the_other_and_not_after_one_that_fails_the_whole() -> None:
    order: list[str] = []

    def noting(name: str, result: Any) -> Any:
        async def resolve(_root: Sequence[None], _info: FieldInfo) -> list[Any]:
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")
            return [result]

        return resolve

    resolvers = {name: noting(name, 1) for name in ("one", "two", "three")}
    assert (await run("mutation { three one two }", **resolvers)).data == {"three": 1, "one": 1, "two": 1}
    assert order == [f"{name} {what}" for name in ("three", "one", "two") for what in ("begins", "ends")]

    order.clear()
    resolvers["two"] = noting("two", ValueError("no"))
    result = await run("mutation { one two three }", **resolvers)
    assert (result.data, told(result)) == (None, [(["two"], "no")])
    assert order == ["one begins", "one ends", "two begins", "two ends"]


@pytest.mark.parametrize("query", ["{ first second }", "{ first }"])
async def test_whoever_cancels_the_request_cancels_its_resolvers(query: str) -> None:
    begun, cancelled = asyncio.Queue[str](), []

    async def hang(_root: Sequence[None], info: FieldInfo) -> list[str]:
        begun.put_nowait(info.field_name)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(info.field_name)
            raise
        return []

    task = asyncio.create_task(run(query, first=hang, second=hang))
    names = query.strip("{} ").split()
    assert sorted([await begun.get() for _ in names]) == names
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(cancelled) == names


async def test_a_resolver_learns_what_is_asked_below_its_field() -> None:
    seen: list[Any] = []

    def look(root: Sequence[None], info: FieldInfo, *, first: int) -> list[Any]:
        seen.extend((info.path, sorted(info.selected()), sorted(info.selected("owner")), sorted(info.selected("crew"))))
        return ships(root, info, first=first)

    query = "query($no: Boolean!) { fleet: ships { ...F number: id owner { id @skip(if: $no) __typename } } }"
    await run(query + " fragment F on Ship { shipName owner { ships { id } } }", {"no": True}, ships=look)
    assert seen == [("fleet",), ["id", "owner", "shipName"], ["__typename", "ships"], []]


async def test_one_document_is_planned_for_each_answer_to_its_conditions() -> None:
    schema = bind(build_schema(SDL), table())
    document = parse("query($yes: Boolean!, $n: Int) { first @include(if: $yes) ships(first: $n) { id } }")
    for yes, number in ((True, 1), (False, 1), (True, 2), (False, 0)):
        given = {"yes": yes, "n": number}
        result = execute(schema, document, variable_values=given, executor_class=BatchExecutor)
        assert isinstance(result, ExecutionResult)
        assert result.data == {**({"first": "1"} if yes else {}), "ships": [{"id": n} for n in range(number)]}


@pytest.mark.parametrize("waits", [False, True])
async def test_an_answer_nested_beyond_all_measure_is_refused_in_a_sentence(waits: bool) -> None:
    async def later(parents: Sequence[Any], _info: FieldInfo) -> list[Any]:
        return list(parents)

    chain = " ".join(f"fragment F{n} on Ship {{ owner {{ ships {{ ...F{n + 1} }} }} }}" for n in range(900))
    result = await run(
        f"{{ ships {{ ...F0 }} }} {chain} fragment F900 on Ship {{ id }}",
        ships=lambda _root, _info, first: [[_SELF]],
        owner=later if waits else lambda parents, _info: parents,
    )
    assert result.data is None
    assert told(result) == [(None, "Selections are nested too deeply.")]


_SELF = SimpleNamespace(id=1)
_SELF.ships = [_SELF]


class Watched:
    """An owner that can be watched."""

    id = 7


async def test_what_was_answered_does_not_wait_for_the_collector() -> None:
    watched: list[weakref.ref[Watched]] = []

    async def owners(parents: Sequence[Any], _info: FieldInfo) -> list[Watched]:
        found = [Watched() for _ in parents]
        watched.extend(map(weakref.ref, found))
        return found

    gc.disable()
    try:
        result = await run("{ ships { owner { id } } }", owner=owners)
        assert result.data == {"ships": [{"owner": {"id": 7}}] * 3}
        assert [reference() for reference in watched] == [None] * 3
    finally:
        gc.enable()
