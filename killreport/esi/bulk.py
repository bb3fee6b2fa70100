"""Questions about many ids at once, of which one that ESI does not take has the whole batch refused.

A refused batch is cut in four, and a piece that is refused again; what is left of a batch is asked as one piece as soon
as one of its pieces was found bad, and the last piece is bad by itself where all before it were answered. One bad id
among 1,000 takes 21 requests at the most, 6 of them errors. Every batch has bounds, because errors are what ESI counts:
what is not told apart within them is left out, like the bad ids themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from killreport.errors import NotFound, Refused, Transient

# Source: the maxItems of both operations in ESI's OpenAPI document.
MAX_IDS = 1000
PIECES = 4
# For one batch; of the 100 errors a minute that ESI allows everybody at this address.
MAX_REFUSALS = 10
MAX_REQUESTS = 40

_Item = TypeVar("_Item")

log = structlog.get_logger()


async def in_bulk(
    ids: Sequence[int], ask: Callable[[Sequence[int]], Awaitable[list[_Item]]], *, patience_seconds: float = 0.0
) -> list[_Item]:
    """Ask for all ids, 1,000 at a time, and return all that was answered.

    patience_seconds: how long in all to wait where ESI asks for a pause; a longer one is raised, as everything else is.
    """
    found: list[_Item] = []
    distinct = list(dict.fromkeys(ids))
    for first in range(0, len(distinct), MAX_IDS):
        batch = _IdBatch(ask, patience_seconds)
        await batch.read(distinct[first : first + MAX_IDS])
        patience_seconds = batch.patience_seconds
        found += batch.found
    return found


class _IdBatch(Generic[_Item]):
    """One batch, and what became of it."""

    def __init__(self, ask: Callable[[Sequence[int]], Awaitable[list[_Item]]], patience_seconds: float) -> None:
        self.found: list[_Item] = []
        self.patience_seconds = patience_seconds
        self._ask = ask
        self._requests = self._refusals = 0
        self._not_told_apart = 0

    async def read(self, ids: Sequence[int]) -> None:
        """Ask for these ids, and as far as the bounds allow for those beside a bad one."""
        if not await self._is_answered(ids):
            await self._search(ids)
        if self._not_told_apart:
            log.warning("esi_ids_not_told_apart", count=self._not_told_apart, refusals=self._refusals)

    async def _search(self, ids: Sequence[int]) -> None:
        """Ask for those ids beside the bad one that is among them."""
        if self._is_spent():
            self._not_told_apart += len(ids)
            return
        if len(ids) == 1:
            log.info("esi_id_left_out", id=ids[0])
            return
        size = -(-len(ids) // PIECES)
        for first in range(0, len(ids), size):
            piece, rest = ids[first : first + size], ids[first + size :]
            if rest and await self._is_answered(piece):
                continue
            # The rest first: where it is answered, the refusals were about ids and no outage.
            is_rest_answered = not rest or await self._is_answered(rest)
            await self._search(piece)
            if not is_rest_answered:
                await self._search(rest)
            return

    async def _is_answered(self, ids: Sequence[int]) -> bool:
        """Ask for these ids, and return whether they were answered; False too where no request is left for them."""
        if self._is_spent():
            return False
        self._requests += 1
        try:
            self.found += await self._ask_patiently(ids)
        except (NotFound, Refused):
            self._refusals += 1
            return False
        return True

    async def _ask_patiently(self, ids: Sequence[int]) -> list[_Item]:
        while True:
            try:
                return await self._ask(ids)
            except Transient as error:
                if error.retry_after is None or error.retry_after > self.patience_seconds:
                    raise
                self.patience_seconds -= max(error.retry_after, 1.0)
                await asyncio.sleep(error.retry_after)

    def _is_spent(self) -> bool:
        return self._refusals >= MAX_REFUSALS or self._requests >= MAX_REQUESTS
