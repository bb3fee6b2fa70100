"""Running what the gate has admitted and the client has paid for, the same over every transport."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from starlette.requests import HTTPConnection

from killreport.api.door.documents import MAX_ERRORS, DocumentRefused, Documents
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
    documents: Documents
    guard: Guard
    context_of: Callable[[HTTPConnection], Any]

    async def run(self, connection: HTTPConnection, admitted: Admitted) -> dict[str, Any]:
        """Return the content of the answer to an operation; what the schema is like, from memory."""
        document = admitted.document
        if document.schema_answer:
            kept: dict[str, Any] = msgspec.json.decode(zlib.decompress(document.schema_answer))
            return kept
        content = await self._execute(connection, admitted)
        if document.asks_for_schema and content.keys() == {"data"}:
            document.schema_answer = zlib.compress(msgspec.json.encode(content), 6)
        self.documents.settle(document)
        return content

    async def _execute(self, connection: HTTPConnection, admitted: Admitted) -> dict[str, Any]:
        """Execute an operation, for as long as one may take."""
        seconds = self.guard.settings.api_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                result = self._executor(connection, admitted).execute_operation()
                if not isinstance(result, ExecutionResult):
                    result = await result
        except TimeoutError:
            message = f"The query did not finish in {seconds:g} s. Ask for less at once."
            return told(GraphQLError(message, extensions={"code": "TIMEOUT"}))
        except GraphQLError as error:
            return told(error)
        return payload_of(result)

    def _executor(self, connection: HTTPConnection, admitted: Admitted) -> BatchExecutor:
        """Return what executes an operation. Raises GraphQLError where its variables do not fit."""
        executor = BatchExecutor.build(
            self.schema,
            admitted.document.node,
            context_value=self.context_of(connection),
            raw_variable_values=admitted.data.get("variables"),
            operation_name=admitted.data.get("operationName"),
            max_coercion_errors=MAX_ERRORS,
            hide_suggestions=not self.guard.settings.api_introspection,
            plans=admitted.operation.plans,
        )
        if isinstance(executor, list):
            raise DocumentRefused(executor)
        assert isinstance(executor, BatchExecutor)
        return executor

    async def results(
        self, connection: HTTPConnection, client: Client, admitted: Admitted
    ) -> AsyncGenerator[Any, None]:
        """Return the results of an operation one by one; each event of a subscription is paid for.

        Raises GraphQLError where a subscription cannot begin.
        """
        if not admitted.operation.is_subscription:
            return once(as_request_error(await self.run(connection, admitted)))
        gate = self.guard.gate
        price = gate.cost(admitted)

        async def pay() -> None:
            self.documents.settle(admitted.document)
            await gate.take_later(client, price)

        return await subscribe(self._executor(connection, admitted), pay)
