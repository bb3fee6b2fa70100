"""A subscription does not grow with the events it has delivered."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Mapping

from ariadne.asgi.handlers import graphql_transport_ws
from graphql import build_schema, parse

from killreport.api.subscription import PerEventExecutor, use_per_event_executor

SCHEMA = build_schema(
    """
    type Query { now: Int }
    type Subscription { killed: Kill }
    type Kill { ship: Ship }
    type Ship { name: String }
    """
)
QUERY = "subscription { killed { ship { name } } }"
KILL = {"killed": {"ship": {"name": "Rifter"}}}


async def kills(*_: object) -> AsyncIterator[Mapping[str, object]]:
    while True:
        yield KILL


def count_collected() -> int:
    gc.collect()
    return sum(type(found).__name__ == "CollectedFields" for found in gc.get_objects())


async def test_what_was_collected_for_one_event_is_gone_after_the_next() -> None:
    use_per_event_executor()
    subscription = SCHEMA.subscription_type
    assert subscription is not None
    subscription.fields["killed"].subscribe = kills
    handlers_subscribe = vars(graphql_transport_ws)["subscribe"]
    success, events = await handlers_subscribe(SCHEMA, {"query": QUERY}, query_document=parse(QUERY))
    assert success

    answers = [await anext(events)]
    after_one = count_collected()
    answers += [await anext(events) for _ in range(50)]

    assert [answer.data for answer in answers] == [KILL] * 51
    assert count_collected() == after_one
    await events.aclose()


def test_the_executor_of_an_event_has_that_event_as_its_root() -> None:
    executor = PerEventExecutor.build(SCHEMA, parse(QUERY))
    assert isinstance(executor, PerEventExecutor)
    assert executor.build_per_event_executor(KILL).root_value == KILL
