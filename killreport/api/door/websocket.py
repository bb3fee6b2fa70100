"""GraphQL over WebSocket, by the protocol graphql-transport-ws: a clean close for whatever is not the protocol.

Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md, read 2026-11-23.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import msgspec
from graphql import GraphQLError
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from killreport.api.door.execution import Execution
from killreport.api.door.guard.gate import MIN_COST
from killreport.api.door.guard.guard import Guard, told
from killreport.api.door.guard.readable import check_fit, read_json
from killreport.api.door.guard.sse import next_payload, once
from killreport.api.door.limits import MAX_BODY_BYTES
from killreport.api.engine.shared import SharedData
from killreport.door.client import Client
from killreport.door.concurrency import LimitReached, Permit

PROTOCOL = "graphql-transport-ws"
MAX_OPERATIONS = 20
# Close codes of the protocol.
BAD_MESSAGE = 4400
UNAUTHORIZED = 4401
BAD_PROTOCOL = 4406
INIT_TIMEOUT = 4408
KNOWN_OPERATION = 4409
TOO_MANY = 4429

Results = AsyncGenerator[Any, None]


class WebSocketHandler:
    """Lets connections in, as many as there is room for."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._guard = execution.guard

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one connection until either side ends it."""
        client = self._guard.clients.client(websocket)
        place = await enter(self._guard, client, websocket)
        if place is None:
            return
        with place:
            if PROTOCOL in websocket.scope.get("subprotocols", ()):
                await websocket.accept(PROTOCOL)
                await _GraphQLSocket(websocket, client, self._execution).serve()
            else:
                await websocket.accept()
                await websocket.close(BAD_PROTOCOL, f"Offer the subprotocol {PROTOCOL}.")


async def enter(guard: Guard, client: Client, websocket: WebSocket) -> Permit | None:
    """Return the place of a connection; None for one that was refused, by an answer of HTTP, which costs none."""
    if not guard.allows_origin(websocket):
        refusal = PlainTextResponse("Pages of this origin may not connect.", 403)
    else:
        try:
            return guard.places.take(client)
        except LimitReached as error:
            refusal = PlainTextResponse(str(error), error.status, {"Retry-After": f"{error.retry_after:.0f}"})
    await websocket.send_denial_response(refusal)
    return None


class _GraphQLSocket:
    def __init__(self, websocket: WebSocket, client: Client, execution: Execution) -> None:
        self._websocket = websocket
        self._client = client
        self._execution = execution
        self._is_acknowledged = False
        self._operations: dict[str, tuple[asyncio.Task[None], Results]] = {}

    async def serve(self) -> None:
        """Handle messages until either side ends the connection; then end its operations."""
        websocket = self._websocket
        try:
            async with asyncio.timeout(self._execution.guard.settings.api_init_seconds) as until_init:
                while WebSocketState.DISCONNECTED not in (websocket.client_state, websocket.application_state):
                    await self._handle(await self._receive())
                    if self._is_acknowledged:
                        until_init.reschedule(None)
        except WebSocketDisconnect:
            pass
        except TimeoutError:
            if not until_init.expired():  # of what was asked for, not of the client
                raise
            await self._close(INIT_TIMEOUT, "Send connection_init in time.")
        except (ValueError, TypeError, KeyError, RecursionError, GraphQLError):
            await self._close(BAD_MESSAGE, "That is not a message of the protocol.")
        finally:
            for operation_id in list(self._operations):
                await self._stop(operation_id)

    async def _receive(self) -> dict[str, Any]:
        """Return the next message. Raises ValueError, TypeError or KeyError where it is no JSON object."""
        text = await self._websocket.receive_text()
        if len(text) > MAX_BODY_BYTES:
            raise ValueError("too long")
        message = read_json(text)
        if not isinstance(message, dict):
            raise TypeError("not an object")
        # What an operation holds is told with its id; the id itself comes back in every answer.
        check_fit({name: value for name, value in message.items() if name != "payload"}, "message")
        return message

    async def _handle(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "connection_init" if self._is_acknowledged:
                await self._close(TOO_MANY, "Send connection_init once.")
            case "connection_init":
                await self._send("connection_ack")
                self._is_acknowledged = True
            case "ping":
                await self._send("pong")
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message.get("id"), message.get("payload"))
            case "complete":
                await self._stop(message.get("id"))
            case _:
                await self._close(BAD_MESSAGE, "There is no message of this type.")

    async def _subscribe(self, operation_id: Any, data: Any) -> None:
        """Start an operation; one that cannot start is answered with its errors."""
        if not self._is_acknowledged:
            await self._close(UNAUTHORIZED, "Send connection_init first.")
        elif len(self._operations) >= MAX_OPERATIONS:
            await self._close(TOO_MANY, f"At most {MAX_OPERATIONS} operations at once.")
        elif operation_id in self._operations:
            await self._close(KNOWN_OPERATION, "An operation of this id is running.")
        elif not isinstance(operation_id, str):
            raise TypeError("an operation needs an id")
        else:
            results = await self._begin(data)
            if isinstance(results, list):
                await self._send("error", id=operation_id, payload=results)
            else:
                self._operations[operation_id] = asyncio.create_task(self._tell(operation_id, results)), results

    async def _begin(self, data: Any) -> Results | list[dict[str, Any]]:
        """Return the results of an operation, paid for, or the errors for which there are none."""
        gate, client = self._execution.guard.gate, self._client
        try:
            await gate.take(client, MIN_COST)
            admitted = await gate.admit(client, data)
            await gate.take(client, gate.cost(admitted) - MIN_COST)
            if admitted.operation.is_subscription:
                return await self._execution.results(self._websocket, client, admitted)
        except GraphQLError as error:
            errors: list[dict[str, Any]] = told(error)["errors"]
            return errors
        content = await self._execution.run(self._websocket, admitted)
        return content["errors"] if content.get("data") is None else once(content)

    async def _tell(self, operation_id: str, results: Results) -> None:
        """Send the results of an operation until they end, or nobody is there to hear them."""
        # Starlette says by RuntimeError that the connection was closed from this side.
        with suppress(WebSocketDisconnect, RuntimeError):
            while (payload := await next_payload(results)) is not None:
                await self._send("next", id=operation_id, payload=payload)
            del self._operations[operation_id]
            await self._send("complete", id=operation_id)

    async def _stop(self, operation_id: Any) -> None:
        """End an operation, however it went."""
        task, results = self._operations.pop(operation_id, (None, None))
        if task is not None and results is not None:
            task.cancel()
            await asyncio.wait({task})
            await results.aclose()

    async def _send(self, kind: str, **parts: Any) -> None:
        await self._websocket.send_text(_text({"type": kind, **parts}))

    async def _close(self, code: int, reason: str) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            await self._websocket.close(code, reason)


def _text(message: dict[str, Any]) -> str:
    """Return a message as JSON; the data of an answer that several get is turned into text once."""
    payload = message.get("payload")
    if isinstance(payload, dict) and len(payload) == 1 and isinstance(payload.get("data"), SharedData):
        head = msgspec.json.encode({key: value for key, value in message.items() if key != "payload"}).decode()
        return f'{head[:-1]},"payload":{{"data":{payload["data"].text}}}}}'
    return msgspec.json.encode(message).decode()
