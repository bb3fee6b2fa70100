"""GraphQL over WebSocket (graphql-transport-ws) with bounds, and a clean close for whatever is not the protocol."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from ariadne.asgi.handlers import GraphQLTransportWSHandler
from ariadne.asgi.handlers.graphql_transport_ws import ClientContext
from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketState

from killreport.api.engine.shared import SharedData
from killreport.api.limits import MAX_BODY_BYTES
from killreport.api.masking import masked

PROTOCOL = "graphql-transport-ws"
MAX_OPERATIONS = 20
# Close codes of the protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md, read 2026-11-23.
BAD_MESSAGE = 4400
BAD_PROTOCOL = 4406
TOO_MANY_OPERATIONS = 4429


class _TextOnlyWebSocket(WebSocket):
    """Reads JSON objects of a bounded size; everything else ends the connection with BAD_MESSAGE."""

    async def receive_json(self, mode: str = "text") -> Any:
        """Return the next message. Raises WebSocketDisconnect like its base, ValueError where it is no JSON object."""
        text = (await self.receive_text()) if mode == "text" else ""
        if len(text) > MAX_BODY_BYTES:
            raise ValueError("too long")
        message = json.loads(text)
        if not isinstance(message, dict):
            raise TypeError("not an object")
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
    """Ariadne's handler, for clients that make mistakes."""

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection until either side ends it."""
        websocket = _TextOnlyWebSocket(scope, receive, send)
        if PROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(BAD_PROTOCOL, f"Offer the subprotocol {PROTOCOL}.")
            return
        try:
            await self.handle_websocket(websocket)
        except (ValueError, TypeError, KeyError, RecursionError):
            if websocket.application_state is WebSocketState.CONNECTED:
                await websocket.close(BAD_MESSAGE, "That is not a message of the protocol.")

    async def handle_websocket_subscribe(
        self, websocket: WebSocket, data: Any, operation_id: str, client_context: ClientContext
    ) -> None:
        """Start an operation; one that cannot start is answered with its errors."""
        if len(client_context.operations) >= MAX_OPERATIONS:
            await websocket.close(TOO_MANY_OPERATIONS, f"At most {MAX_OPERATIONS} operations at once.")
            return
        if not isinstance(operation_id, str):
            raise TypeError("an operation needs an id")
        try:
            await super().handle_websocket_subscribe(websocket, data, operation_id, client_context)
        except GraphQLError as error:
            await websocket.send_json({"type": self.GQL_ERROR, "id": operation_id, "payload": [masked(error)]})
