"""Running what the gate has admitted and the client has paid for, the same over every transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute
from starlette.requests import HTTPConnection

from killreport.api.door.documents import MAX_ERRORS
from killreport.api.door.guard.gate import Admitted
from killreport.api.door.guard.guard import Guard, told
from killreport.api.door.guard.negotiation import as_request_error
from killreport.api.door.guard.sse import once, payload_of
from killreport.api.door.subscription import subscribe
from killreport.api.engine.executor import BatchExecutor
from killreport.door.client import Client


@dataclass(frozen=True, slots=True)
class Execution:
    """Shared by the handlers of HTTP and WebSocket. context_of: what resolvers reach, for who sent the request."""

    schema: GraphQLSchema
    guard: Guard
    context_of: Callable[[HTTPConnection], Any]

    async def run(self, connection: HTTPConnection, admitted: Admitted) -> dict[str, Any]:
        """Return the content of the answer to an operation; what the schema is like, from memory."""
        introspection, digest = self.guard.gate.introspection, admitted.key[0]
        kept = introspection.find(digest) if admitted.asks_for_schema else None
        if kept is not None:
            return kept
        content = await self._execute(connection, admitted)
        if admitted.asks_for_schema and content.keys() == {"data"}:
            introspection.keep(digest, content)
        return content

    async def _execute(self, connection: HTTPConnection, admitted: Admitted) -> dict[str, Any]:
        """Execute an operation, for as long as one may take."""
        data, settings = admitted.data, self.guard.settings
        seconds = settings.api_timeout_seconds
        context = self.context_of(connection)
        try:
            async with asyncio.timeout(seconds):
                result = execute(
                    self.schema,
                    admitted.document,
                    context_value=context,
                    variable_values=data.get("variables"),
                    operation_name=data.get("operationName"),
                    max_coercion_errors=MAX_ERRORS,
                    executor_class=BatchExecutor,
                    hide_suggestions=not settings.api_introspection,
                )
                if not isinstance(result, ExecutionResult):
                    result = await result
        except TimeoutError:
            message = f"The query did not finish in {seconds:g} s. Ask for less at once."
            return told(GraphQLError(message, extensions={"code": "TIMEOUT"}))
        except GraphQLError as error:
            return told(error)
        return payload_of(result)

    async def results(
        self, connection: HTTPConnection, client: Client, admitted: Admitted
    ) -> AsyncGenerator[Any, None]:
        """Return the results of an operation one by one; each event of a subscription is paid for.

        Raises GraphQLError where a subscription cannot begin.
        """
        if not admitted.is_subscription:
            return once(as_request_error(await self.run(connection, admitted)))
        gate = self.guard.gate
        price = gate.cost(admitted)
        return await subscribe(
            self.schema,
            admitted.document,
            admitted.data,
            self.context_of(connection),
            lambda: gate.take_later(client, price),
            with_introspection=self.guard.settings.api_introspection,
        )
