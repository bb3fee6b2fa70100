"""Events that several operations answer alike."""

from __future__ import annotations

import asyncio

import pytest
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, build_schema, execute, parse

from killreport.api.engine.executor import BatchExecutor
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.plan import Plans
from killreport.api.engine.registry import Resolvers, bind
from killreport.api.engine.shared import SharedData, SharedEvent

SDL = "type Query { a: Int } type Subscription { killed(wanted: Int): Kill } type Kill { id(plus: Int = 0): Int }"


class Kill:
    """A kill that counts how often its id is asked for."""

    def __init__(self) -> None:
        self.asked = 0


def resolve_id(kills: list[Kill], _info: FieldInfo, *, plus: int) -> list[int]:
    for kill in kills:
        kill.asked += 1
    return [7 + plus for _ in kills]


def make_schema() -> GraphQLSchema:
    table = Resolvers()
    table.field("Query", "a", lambda _root, _info: [1])
    table.field("Kill", "id", resolve_id)
    table.source("killed", lambda _info, **_arguments: None)  # type: ignore[arg-type]
    return bind(build_schema(SDL), table)


async def answer(
    schema: GraphQLSchema, document: DocumentNode, plans: Plans, event: SharedEvent, context: object, **variables: int
) -> object:
    result = execute(
        schema,
        document,
        event,
        context_value=context,
        variable_values=variables,
        executor_class=BatchExecutor,
        plans=plans,
    )
    found = result if isinstance(result, ExecutionResult) else await result
    assert found.errors is None
    return found.data


async def test_one_run_answers_all_that_ask_the_same_of_an_event() -> None:
    schema, plans, event, context = make_schema(), Plans(), SharedEvent(Kill()), object()
    document = parse("subscription($wanted: Int) { killed(wanted: $wanted) { id } }")
    answers = await asyncio.gather(*(answer(schema, document, plans, event, context, wanted=one) for one in range(5)))
    assert answers == [{"killed": {"id": 7}}] * 5
    assert event.value.asked == 1
    assert isinstance(answers[0], SharedData)
    assert answers[0].text == '{"killed":{"id":7}}'
    assert answers[0] is answers[4]


@pytest.mark.parametrize(
    "text",
    [
        "subscription($plus: Int) { killed { id(plus: $plus) } }",
        "subscription($plus: Int) { killed { ...Parts } } fragment Parts on Kill { id(plus: $plus) }",
    ],
)
async def test_what_hangs_on_variables_is_run_for_each(text: str) -> None:
    schema, plans, event, context = make_schema(), Plans(), SharedEvent(Kill()), object()
    document = parse(text)
    answers = [await answer(schema, document, plans, event, context, plus=one) for one in range(3)]
    assert answers == [{"killed": {"id": 7 + one}} for one in range(3)]
    assert event.value.asked == 3


async def test_nothing_is_shared_between_contexts_or_documents() -> None:
    schema, event = make_schema(), SharedEvent(Kill())
    first, second = (parse("subscription { killed { id } }") for _ in range(2))
    contexts = [object(), object()]
    for document in (first, second):
        plans = Plans()
        for context in contexts:
            await answer(schema, document, plans, event, context)
    assert event.value.asked == 4
