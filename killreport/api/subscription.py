"""Executing subscriptions by the engine, as queries are.

graphql-core 3.3.2 would do it too, but keeps which subfields it collected in one table per subscription, by the
identity of lists that are new with every event: 20 kB an event, never found again, 400 MB a day on a live feed.
"""

from __future__ import annotations

from functools import partial

from ariadne.asgi.handlers import graphql_transport_ws
from ariadne.graphql import subscribe

from killreport.api.engine.executor import BatchExecutor


def use_batch_executor() -> None:
    """Make Ariadne's WebSocket handler execute subscriptions by the engine. Twice is as good as once.

    Ariadne's `subscribe` takes the class and hands it on, but its handler has no parameter to name one.
    """
    graphql_transport_ws.subscribe = partial(  # type: ignore[attr-defined]
        subscribe, executor_class=BatchExecutor
    )
