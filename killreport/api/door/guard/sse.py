"""Subscriptions over HTTP: one stream of events each.

Source: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, "Distinct connections mode".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLError
from starlette.types import Receive, Scope, Send

from killreport.api.door.guard.negotiation import EVENTS
from killreport.api.door.masking import masked
from killreport.door.concurrency import Permit
from killreport.door.streams import PlacedStream

_BEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class EventStream(PlacedStream):
    """Sends results until they end, the client goes, or `stop` is set; gives its place back then."""

    def __init__(
        self,
        results: AsyncGenerator[Any, None],
        place: Permit,
        *,
        heartbeat_seconds: float,
        stop: asyncio.Event,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(
            place,
            stream(results, heartbeat_seconds, stop),
            headers={**headers, "X-Accel-Buffering": "no"},
            media_type=EVENTS,
        )
        self._results = results

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also where the client was gone before the first event was asked for.
            with suppress(RuntimeError):
                await self._results.aclose()


async def stream(
    results: AsyncGenerator[Any, None], heartbeat_seconds: float, stop: asyncio.Event
) -> AsyncIterator[bytes]:
    """Yield the results as events, and heartbeats where there is nothing to tell."""
    stopping = asyncio.create_task(stop.wait())
    coming = asyncio.create_task(next_payload(results))
    try:
        yield _BEAT
        while not stop.is_set():
            await asyncio.wait({coming, stopping}, timeout=heartbeat_seconds, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                yield _BEAT
                continue
            payload = coming.result()
            if payload is None:
                break
            yield b"event: next\ndata: " + msgspec.json.encode(payload) + b"\n\n"
            coming = asyncio.create_task(next_payload(results))
        yield _COMPLETE
    finally:
        for task in (coming, stopping):
            task.cancel()
        await asyncio.wait({coming, stopping})


async def next_payload(results: AsyncGenerator[Any, None]) -> dict[str, Any] | None:
    """Return what to send for the next result, None at the end; what fails inside is told like an error of a query."""
    try:
        result = await anext(results)
    except StopAsyncIteration:
        return None
    except Exception as error:
        inner = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
        return {"errors": [masked(inner)]}
    return payload_of(result)


def payload_of(result: Any) -> dict[str, Any]:
    """Return a result as JSON has it, with its errors masked."""
    if not isinstance(result, ExecutionResult):
        found: dict[str, Any] = result
        return found
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [masked(error) for error in result.errors]
    return payload


async def once(result: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the result of a query, which is the only one."""
    yield result
