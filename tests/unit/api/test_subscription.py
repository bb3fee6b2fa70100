"""A subscription does not grow with the events it has delivered."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from graphql import Executor, GraphQLError, build_schema, parse

from killreport.api.door.documents import DocumentRefused
from killreport.api.door.subscription import subscribe
from killreport.api.engine.executor import BatchExecutor
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers, bind

SCHEMA = build_schema(
    """
    type Query { now: Int }
    type Subscription { killed: Kill, lost: Int }
    type Kill { ship: Ship }
    type Ship { name: String }
    """
)
RESOLVERS = Resolvers()
RESOLVERS.field("Query", "now", lambda _root, _info: [1])
QUERY = "subscription { killed { ship { name } } }"
KILL = {"killed": {"ship": {"name": "Rifter"}}}


async def kills(_info: FieldInfo) -> AsyncIterator[object]:
    while True:
        yield SimpleNamespace(ship=SimpleNamespace(name="Rifter"))


def nothing(_info: FieldInfo) -> AsyncIterator[object]:
    raise GraphQLError("Nothing is lost today.")


RESOLVERS.source("killed", kills)
RESOLVERS.source("lost", nothing)
bind(SCHEMA, RESOLVERS)


def executor(text: str = QUERY) -> Executor[None]:
    found = BatchExecutor.build(SCHEMA, parse(text))
    assert isinstance(found, Executor)
    return found


def count_collected() -> int:
    gc.collect()
    return sum(type(found).__name__ == "CollectedFields" for found in gc.get_objects())


async def free() -> None:
    pass


async def test_what_was_collected_for_one_event_is_gone_after_the_next() -> None:
    events = await subscribe(executor(), free)

    answers = [await anext(events)]
    after_one = count_collected()
    answers += [await anext(events) for _ in range(50)]

    assert [answer.data for answer in answers] == [KILL] * 51
    assert count_collected() == after_one
    await events.aclose()


async def test_every_event_is_paid_for_before_it_is_worked_out() -> None:
    paid: list[None] = []

    async def pay() -> None:
        if len(paid) == 3:
            raise GraphQLError("Nothing is left.")
        paid.append(None)

    events = await subscribe(executor(), pay)
    answers = [await anext(events) for _ in range(3)]
    assert len(paid) == len(answers) == 3
    with pytest.raises(GraphQLError, match="Nothing is left"):
        await anext(events)
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_a_subscription_that_cannot_begin_says_why() -> None:
    with pytest.raises(DocumentRefused) as refused:
        await subscribe(executor("subscription { lost }"), free)
    assert [error.message for error in refused.value.errors] == ["Nothing is lost today."]
