"""GraphQL over WebSocket (graphql-transport-ws) with bounds, and a clean close for whatever is not the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
from ariadne.asgi.handlers import GraphQLTransportWSHandler
from ariadne.asgi.handlers.graphql_transport_ws import ClientContext
from ariadne.types import Operation
from graphql import GraphQLError
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from killreport.api.door.guard.gate import MIN_COST
from killreport.api.door.guard.guard import Guard, told
from killreport.api.door.guard.readable import Unfit, check_fit, read_json
from killreport.api.door.guard.sse import next_payload, once
from killreport.api.door.http import LimitedHTTPHandler
from killreport.api.door.limits import MAX_BODY_BYTES
from killreport.api.engine.shared import SharedData
from killreport.door.client import Client, Clients
from killreport.door.concurrency import LimitReached

PROTOCOL = "graphql-transport-ws"
MAX_OPERATIONS = 20
# Close codes of the protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md, read 2026-11-23.
BAD_MESSAGE = 4400
UNAUTHORIZED = 4401
BAD_PROTOCOL = 4406
KNOWN_OPERATION = 4409
TOO_MANY_OPERATIONS = 4429


class LimitedWebSocket(WebSocket):
    """Reads JSON objects of a bounded size; everything else ends the connection with BAD_MESSAGE."""

    def __init__(self, scope: Any, receive: Any, send: Any, clients: Clients) -> None:
        super().__init__(scope, receive, send)
        self.api_client: Client = clients.client(self)
        self.tasks: list[asyncio.Task[Any]] = []

    async def receive_json(self, mode: str = "text") -> Any:
        """Return the next message. Raises WebSocketDisconnect like its base, ValueError where it is no JSON object."""
        text = (await self.receive_text()) if mode == "text" else ""
        if len(text) > MAX_BODY_BYTES:
            raise ValueError("too long")
        message = read_json(text)
        if not isinstance(message, dict):
            raise TypeError("not an object")
        # What an operation holds is told with its id; the id itself comes back in every answer.
        check_fit({name: value for name, value in message.items() if name != "payload"}, "message")
        return message

    async def send_json(self, data: Any, mode: str = "text") -> None:
        """Send a message; the data of an answer that several get is turned into text once."""
        if mode == "text":
            await self.send_text(_text(data))
        else:
            await super().send_json(data, mode)


def _text(message: dict[str, Any]) -> str:
    payload = message.get("payload")
    if isinstance(payload, dict) and len(payload) == 1 and isinstance(payload.get("data"), SharedData):
        head = msgspec.json.encode({key: value for key, value in message.items() if key != "payload"}).decode()
        return f'{head[:-1]},"payload":{{"data":{payload["data"].text}}}}}'
    return msgspec.json.encode(message).decode()


class LimitedWebSocketHandler(GraphQLTransportWSHandler):
    """Ariadne's handler, for clients that make mistakes, and for more of them than there is room for."""

    def __init__(self, guard: Guard, http: LimitedHTTPHandler) -> None:
        seconds = guard.settings.api_init_seconds
        super().__init__(connection_init_wait_timeout=timedelta(seconds=seconds))
        self._guard = guard
        self._http = http

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection until either side ends it."""
        websocket = LimitedWebSocket(scope, receive, send, self._guard.clients)
        if not self._guard.allows_origin(websocket):
            await _deny(websocket, 403, "Pages of this origin may not connect.")
            return
        try:
            place = self._guard.places.take(websocket.api_client)
        except LimitReached as error:
            await _deny(websocket, error.status, str(error), {"Retry-After": f"{error.retry_after:.0f}"})
            return
        try:
            await self._serve(websocket)
        finally:
            place.give_back()
            for task in websocket.tasks:
                task.cancel()

    async def _serve(self, websocket: LimitedWebSocket) -> None:
        if PROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(BAD_PROTOCOL, f"Offer the subprotocol {PROTOCOL}.")
            return
        try:
            await self.handle_websocket(websocket)
        except (ValueError, TypeError, KeyError, RecursionError, Unfit):
            if websocket.application_state is WebSocketState.CONNECTED:
                await websocket.close(BAD_MESSAGE, "That is not a message of the protocol.")

    async def handle_connection_init_timeout(self, websocket: WebSocket, client_context: ClientContext) -> None:
        """Close a connection that says nothing in time; the task that waits does not outlive the connection."""
        task = asyncio.current_task()
        if isinstance(websocket, LimitedWebSocket) and task is not None:
            websocket.tasks.append(task)
        await super().handle_connection_init_timeout(websocket, client_context)

    async def handle_websocket_subscribe(
        self, websocket: WebSocket, data: Any, operation_id: str, client_context: ClientContext
    ) -> None:
        """Start an operation; one that cannot start is answered with its errors.

        In the place of Ariadne's, which would read, check and execute without the guard.
        """
        refusal = _refusal(operation_id, client_context)
        if refusal is not None:
            await websocket.close(*refusal)
            return
        if not isinstance(operation_id, str):
            raise TypeError("an operation needs an id")
        if not isinstance(websocket, LimitedWebSocket):
            raise TypeError("only connections that were let in ask")
        results = await self._begin(websocket, data)
        if isinstance(results, list):
            await websocket.send_json({"type": self.GQL_ERROR, "id": operation_id, "payload": results})
            return
        name = data.get("operationName")
        client_context.operations[operation_id] = Operation(id=operation_id, name=name, generator=results)
        client_context.operation_tasks[operation_id] = asyncio.ensure_future(
            self.observe_async_results(websocket, results, operation_id, client_context)
        )

    async def observe_async_results(
        self, websocket: WebSocket, results_producer: Any, operation_id: str, client_context: ClientContext
    ) -> None:
        """Send the results of an operation until they end, or nobody is there to hear them.

        In the place of Ariadne's, to which a client that goes is an error of ours, and is sent to it.
        """
        # Starlette says by RuntimeError that the connection was closed from this side.
        with suppress(WebSocketDisconnect, RuntimeError):
            while (payload := await next_payload(results_producer)) is not None:
                await websocket.send_json({"type": self.GQL_NEXT, "id": operation_id, "payload": payload})
            operation = client_context.operations.pop(operation_id)
            del client_context.operation_tasks[operation_id]
            await self.handle_on_complete(websocket, operation)
            await websocket.send_json({"type": self.GQL_COMPLETE, "id": operation_id})

    async def stop_websocket_operation(
        self, websocket: WebSocket, operation_id: str, client_context: ClientContext
    ) -> None:
        """End an operation, however it went.

        In the place of Ariadne's, which raises what a failed operation raised, and leaves the ones after it running.
        """
        operation = client_context.operations.pop(operation_id, None)
        if operation is None:
            return
        task = client_context.operation_tasks.pop(operation_id)
        task.cancel()
        await asyncio.wait({task})
        await self.handle_on_complete(websocket, operation)
        await operation.generator.aclose()

    async def _begin(self, websocket: LimitedWebSocket, data: Any) -> AsyncGenerator[Any, None] | list[dict[str, Any]]:
        """Return the results of an operation, paid for, or the errors for which there are none."""
        gate, client = self._guard.gate, websocket.api_client
        try:
            await gate.take(client, MIN_COST)
            admitted = await gate.admit(client, data)
            await gate.take(client, gate.cost(admitted) - MIN_COST)
            if admitted.is_subscription:
                return await self._http.results(websocket, client, admitted)
        except GraphQLError as error:
            errors: list[dict[str, Any]] = told(error)["errors"]
            return errors
        content = await self._http.run(websocket, admitted)
        return content["errors"] if content.get("data") is None else once(content)


def _refusal(operation_id: str, client_context: ClientContext) -> tuple[int, str] | None:
    """Return the close code and reason where the connection may not begin an operation now."""
    if not client_context.connection_acknowledged:
        return UNAUTHORIZED, "Send connection_init first."
    if len(client_context.operations) >= MAX_OPERATIONS:
        return TOO_MANY_OPERATIONS, f"At most {MAX_OPERATIONS} operations at once."
    if operation_id in client_context.operations:
        return KNOWN_OPERATION, "An operation of this id is running."
    return None


async def _deny(websocket: WebSocket, status: int, message: str, headers: dict[str, str] | None = None) -> None:
    """Refuse the upgrade by an answer of HTTP, which costs no connection."""
    await websocket.send_denial_response(Response(message, status, headers, media_type="text/plain"))
