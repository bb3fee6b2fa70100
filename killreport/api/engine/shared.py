"""Events of subscriptions that many operations answer alike: one run, and one text, for all that ask the same.

A thousand subscribers of different filters, who show the same fields, take one execution a killmail instead of a
thousand. What an operation asks may hang on its variables below the event; such a one is run for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

import msgspec
from graphql import ExecutionResult

_Results = ExecutionResult | Awaitable[ExecutionResult]


class SharedData(dict[str, Any]):
    """The data of an answer that is sent to several. text: the same as JSON, made when first sent."""

    _text: str | None = None

    @property
    def text(self) -> str:
        """Return the data as JSON."""
        if self._text is None:
            self._text = msgspec.json.encode(self).decode()
        return self._text


class SharedEvent:
    """An event with the answers that were worked out for it, by plan and context; they live as long as it does."""

    __slots__ = ("_answers", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._answers: dict[tuple[Hashable, int], tuple[Any, asyncio.Future[ExecutionResult]]] = {}

    async def answer(self, plan: Hashable, context: Any, run: Callable[[], _Results]) -> ExecutionResult:
        """Return the answer of a plan, which is run by the first that asks; a failure is everybody's."""
        key = (plan, id(context))
        known = self._answers.get(key)
        if known is None:
            # The context is kept, so that its id means what it meant.
            known = self._answers[key] = (context, asyncio.ensure_future(_shareable(run)))
        answered = known[1]
        # One subscriber may leave while others still wait.
        return answered.result() if answered.done() else await asyncio.shield(answered)


async def _shareable(run: Callable[[], _Results]) -> ExecutionResult:
    found = run()
    result = found if isinstance(found, ExecutionResult) else await found
    return ExecutionResult(None if result.data is None else SharedData(result.data), result.errors)
