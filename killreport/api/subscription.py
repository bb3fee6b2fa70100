"""Executing a subscription for as long as its socket lives, without growing.

graphql-core 3.3.2 keeps which subfields it collected in one table per subscription, by the identity of lists that are
new with every event: 20 kB an event that are never found again, 400 MB a day on a live feed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ariadne.asgi.handlers import graphql_transport_ws
from ariadne.graphql import subscribe
from graphql import Executor


class PerEventExecutor(Executor[Any]):
    """graphql-core's executor, with a table of collected subfields for each event instead of one for all."""

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Return the executor of one event."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor


def use_per_event_executor() -> None:
    """Make Ariadne's WebSocket handler execute subscriptions by the class above. Twice is as good as once.

    Ariadne's `subscribe` takes the class and hands it on, but its handler has no parameter to name one.
    """
    graphql_transport_ws.subscribe = partial(  # type: ignore[attr-defined]
        subscribe, executor_class=PerEventExecutor
    )
