"""`/websocket/`: zKillboard's live channels. `{"action": "sub", "channel": "killstream"}` subscribes, `unsub` ends it.

What is told is what is live, as on every other live door. A socket has the bounds of GraphQL's: a place of its client,
an origin that may connect, small messages, each of them and each killmail paid for; who does not keep up is cut off.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import structlog
from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from killreport.api.context import ApiContext
from killreport.api.door.guard.gate import MIN_COST
from killreport.api.door.guard.guard import Guard
from killreport.api.door.guard.readable import check_fit, read_json
from killreport.api.door.websocket import enter
from killreport.api.rest.channels import Announcements, read_channel
from killreport.api.rest.rate_limit import ROW_COST
from killreport.api.state.live import Subscriber, TooSlow
from killreport.background import beside
from killreport.door.client import Client
from killreport.door.own_names import site_base
from killreport.errors import Malformed

MAX_CHANNELS = 200
MAX_LETTERS = 1_000
# Messages that are none; then it is no client of ours.
MAX_MISTAKES = 20
_log = structlog.get_logger(__name__)

POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013


class Sockets:
    """Serves the live channels of one process."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._announcements: Announcements | None = None

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one connection until either side ends it."""
        client = self._guard.clients.client(websocket)
        place = await enter(self._guard, client, websocket)
        if place is None:
            return
        with place:
            await websocket.accept()
            await self._talk(websocket, client)

    async def _talk(self, websocket: WebSocket, client: Client) -> None:
        context: ApiContext = websocket.app.state.context
        subscribed: set[str] = set()
        news = context.live.subscribe()
        try:
            # Starlette says by RuntimeError that the connection was closed from this side.
            with suppress(WebSocketDisconnect, RuntimeError):
                async with beside(self._tell(websocket, client, news, subscribed, context)):
                    await self._listen(websocket, client, subscribed)
        finally:
            await news.aclose()

    async def _tell(
        self, websocket: WebSocket, client: Client, news: Subscriber, subscribed: set[str], context: ApiContext
    ) -> None:
        """Send what happens on the channels that are subscribed to at that moment."""
        announcements = self._of(context)
        try:
            async for event in news:
                if not subscribed:
                    continue
                try:
                    announcement = await announcements.of(event.value.row)
                except Exception:
                    # Such as one that was taken out meanwhile: the next is told all the same.
                    _log.exception("websocket_announcement_failed", killmail_id=event.value.id)
                    continue
                for text in announcement.texts(subscribed):
                    await self._guard.gate.take_later(client, ROW_COST)
                    await websocket.send_text(text)
        except TooSlow:
            await _close(websocket, TRY_AGAIN_LATER, "You read too slowly: reconnect.")
        except GraphQLError:
            await _close(websocket, TRY_AGAIN_LATER, "Rate limit exceeded: subscribe to fewer channels.")
        except (WebSocketDisconnect, RuntimeError):
            return

    def _of(self, context: ApiContext) -> Announcements:
        if self._announcements is None:
            self._announcements = Announcements(context, site_base(context.settings))
        return self._announcements

    async def _listen(self, websocket: WebSocket, client: Client, subscribed: set[str]) -> None:
        mistakes = 0
        while mistakes < MAX_MISTAKES:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                await self._guard.gate.take(client, MIN_COST)
                answer = _obey(message.get("text") or "", subscribed)
            except Malformed as error:
                mistakes += 1
                answer = {"error": str(error)}
            except GraphQLError as error:
                mistakes += 1
                answer = {"error": error.message}
            if answer is not None:
                await websocket.send_json(answer)
        await _close(websocket, POLICY_VIOLATION, "Too many invalid messages.")


def _obey(text: str, subscribed: set[str]) -> dict[str, Any] | None:
    """Do what a message says, and return what it is answered with. Raises Malformed.

    As zKillboard does, subscribing is not answered: what comes next is a killmail.
    """
    if len(text) > MAX_LETTERS:
        raise Malformed(f"a message of at most {MAX_LETTERS} letters is needed")
    message = _read(text)
    action = message.get("action")
    if action == "ping":
        return {"action": "pong"}
    if action not in ("sub", "unsub"):
        raise Malformed("one of sub, unsub, ping is needed", "action")
    channel = read_channel(message.get("channel"))
    if action == "unsub":
        subscribed.discard(channel)
    elif len(subscribed) >= MAX_CHANNELS and channel not in subscribed:
        raise Malformed(f"one connection may have {MAX_CHANNELS} channels", "channel")
    else:
        subscribed.add(channel)
    return None


def _read(text: str) -> dict[str, Any]:
    try:
        message = read_json(text)
        if not isinstance(message, dict):
            raise TypeError
        check_fit(message, "message")
    except (ValueError, TypeError, RecursionError, GraphQLError):
        raise Malformed('a message such as {"action": "sub", "channel": "killstream"} is needed') from None
    return message


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    if websocket.application_state is WebSocketState.CONNECTED:
        with suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close(code, reason)
