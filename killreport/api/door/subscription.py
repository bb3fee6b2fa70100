"""Subscriptions, executed by the engine as queries are; each event is paid for before it is worked out.

graphql-core 3.3.2 would execute them too, but keeps which subfields it collected in one table per subscription, by the
identity of lists that are new with every event: 20 kB an event, never found again, 400 MB a day on a live feed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from inspect import isawaitable
from typing import Any

from graphql import (
    ExecutionResult,
    Executor,
    GraphQLError,
    create_source_event_stream,
    execute_subscription_event,
    map_source_to_response_event,
)

from killreport.api.door.documents import DocumentRefused

Pay = Callable[[], Awaitable[None]]


async def subscribe(executor: Executor[Any], pay: Pay) -> AsyncGenerator[ExecutionResult, None]:
    """Return the results of a subscription, which may be waited for one by one.

    pay: awaited for each event; what it raises ends the results. Raises GraphQLError where the subscription cannot
    begin.
    """
    events = create_source_event_stream(executor)
    if isawaitable(events):
        events = await events
    if isinstance(events, ExecutionResult):
        raise DocumentRefused(events.errors or [GraphQLError("The subscription could not begin.")])

    async def paid(event: Executor[Any]) -> ExecutionResult:
        await pay()
        result = execute_subscription_event(event)
        return await result if isawaitable(result) else result

    return map_source_to_response_event(executor, events, paid)
