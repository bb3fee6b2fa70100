"""The engine against graphql-core's executor: the same queries of the same world give the same data and errors."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from inspect import isawaitable
from random import Random
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLSchema,
    execute,
    get_introspection_query,
    parse,
    specified_rules,
    subscribe,
    validate,
)
from graphql.validation import NoUnusedVariablesRule

from killreport.api.engine.executor import BatchExecutor
from tests.unit.api.engine.documents import Author, variables, without_bubbling
from tests.unit.api.engine.oracle import attribute, differences, single_schema
from tests.unit.api.engine.world import World, batch_schema

# Documents are what differs most: of each there are so many worlds, arguments and faults.
CASES = int(os.environ.get("KILLREPORT_TEST_ENGINE_CASES", "400"))
WORLDS = 4
FIRST = int(os.environ.get("KILLREPORT_TEST_ENGINE_FIRST", "0"))
RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]
OURS, CORE = batch_schema(), single_schema()


async def run(schema: GraphQLSchema, document: DocumentNode, world: World, given: Any) -> ExecutionResult:
    """Return the result, by the engine where the schema is its own."""
    how: Any = {"executor_class": BatchExecutor} if schema is OURS else {"field_resolver": attribute}
    result = execute(schema, document, context_value=world, variable_values=given, **how)
    return await result if isawaitable(result) else result


@pytest.fixture
def garbage_kept() -> Iterator[None]:
    """Have garbage collected only where the test says so: found inside a named tuple's code, which has no built-in
    functions, a coroutine that was left behind is an error instead of a warning that can be filtered."""
    gc.disable()
    gc.freeze()  # else a collection spends half a second on what was there before the test
    yield
    gc.enable()


# graphql-core leaves some of its own coroutines behind where a null bubbled past them.
@pytest.mark.usefixtures("garbage_kept")
@pytest.mark.filterwarnings("ignore:coroutine '(Executor|_slow.<locals>.resolve_one):RuntimeWarning")
async def test_whatever_is_asked_the_engine_answers_as_graphql_core_does() -> None:
    compared = answered = 0
    for seed in range(FIRST, FIRST + CASES // WORLDS):
        if seed % 10 == 0:
            gc.collect()
        text = Author(CORE, Random(seed)).document()
        document, unbubbled = parse(text), parse(without_bubbling(text))
        if validate(CORE, document, RULES):
            continue
        for case in range(WORLDS):
            chance = Random(f"{seed} {case}")
            given = variables(chance)
            world = World(CORE, chance.randrange(2**32), chance.choice((4.0, 15.0, 60.0, 1e9)))
            ours = await run(OURS, document, world, given)
            core = await run(CORE, document, world, given)
            every = await run(CORE, unbubbled, world, given)
            found = differences(ours, core, every)
            assert not found, f"seed {seed} case {case}\n{text}\n{given}\n" + "\n".join(found)
            compared += 1
            answered += bool(ours.data)
    assert compared > CASES * 0.8
    assert answered > compared // 2


async def test_every_event_of_a_subscription_is_answered_as_graphql_core_does() -> None:
    for seed in range(100):
        world = World(CORE, seed, 20.0)
        for text in (
            "subscription { told { name slowA { count } things { ... on C { price } } } }",
            "subscription { toldThings { __typename ... on A { slow pick(n: 1) } } }",
        ):
            answers = []
            for schema, how in ((OURS, {"executor_class": BatchExecutor}), (CORE, {"field_resolver": attribute})):
                stream: Any = subscribe(schema, parse(text), context_value=world, **how)
                answers.append([answer async for answer in stream])
            assert len(answers[0]) == 3
            for ours, core in zip(*answers, strict=True):
                assert ours.data == core.data
                assert bool(ours.errors) == bool(core.errors)


async def test_introspection_is_answered_as_graphql_core_does() -> None:
    document = parse(get_introspection_query(input_value_deprecation=True))
    world = World(CORE, 0, 1e9)
    ours, core = await run(OURS, document, world, {}), await run(CORE, document, world, {})
    assert (ours.data, ours.errors) == (core.data, None)
