"""Subscriptions, executed by the engine as queries are; each event is paid for before it is worked out.

graphql-core 3.3.2 would execute them too, but keeps which subfields it collected in one table per subscription, by the
identity of lists that are new with every event: 20 kB an event, never found again, 400 MB a day on a live feed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLSchema,
    create_source_event_stream,
    execute_subscription_event,
    map_source_to_response_event,
)

from killreport.api.door.documents import MAX_ERRORS, DocumentRefused
from killreport.api.engine.executor import BatchExecutor
from killreport.api.engine.plan import Plans

Pay = Callable[[], Awaitable[None]]


async def subscribe(
    schema: GraphQLSchema,
    document: DocumentNode,
    data: Mapping[str, Any],
    context: Any,
    pay: Pay,
    *,
    plans: Plans | None = None,
    with_introspection: bool = True,
) -> AsyncGenerator[ExecutionResult, None]:
    """Return the results of an admitted subscription, which may be waited for one by one.

    data: the request with its `variables` and `operationName`. pay: awaited for each event; what it raises ends the
    results. plans: of the operation, where others follow it too.

    Raises GraphQLError where the subscription cannot begin.
    """
    executor = BatchExecutor.build(
        schema,
        document,
        context_value=context,
        raw_variable_values=data.get("variables"),
        operation_name=data.get("operationName"),
        max_coercion_errors=MAX_ERRORS,
        hide_suggestions=not with_introspection,
        plans=plans,
    )
    if isinstance(executor, list):
        raise DocumentRefused(executor)
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
