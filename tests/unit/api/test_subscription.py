"""A subscription does not grow with the events it has delivered."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from types import SimpleNamespace

from ariadne.asgi.handlers import graphql_transport_ws
from graphql import build_schema, parse

from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers, bind
from killreport.api.subscription import use_batch_executor

SCHEMA = build_schema(
    """
    type Query { now: Int }
    type Subscription { killed: Kill }
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


RESOLVERS.source("killed", kills)
bind(SCHEMA, RESOLVERS)


def count_collected() -> int:
    gc.collect()
    return sum(type(found).__name__ == "CollectedFields" for found in gc.get_objects())


async def test_what_was_collected_for_one_event_is_gone_after_the_next() -> None:
    use_batch_executor()
    handlers_subscribe = vars(graphql_transport_ws)["subscribe"]
    success, events = await handlers_subscribe(SCHEMA, {"query": QUERY}, query_document=parse(QUERY))
    assert success

    answers = [await anext(events)]
    after_one = count_collected()
    answers += [await anext(events) for _ in range(50)]

    assert [answer.data for answer in answers] == [KILL] * 51
    assert count_collected() == after_one
    await events.aclose()
