"""Today's prices for the API: one book for the process, read when first asked."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import date

from killreport.db.database import Database
from killreport.eve.keeping import UniverseKeeper
from killreport.eve.universe import Universe
from killreport.market.price import Price, PriceBook, load_price_book


class PriceLookup:
    """Looks prices up in a book that fetches what it does not know yet."""

    def __init__(self, database: Database, static: UniverseKeeper) -> None:
        self._database = database
        self._static = static
        self._known: Universe | None = None
        self._book: PriceBook | None = None
        # What a batch has fetched may be forgotten by the second batch after it.
        self._using = asyncio.Lock()

    async def prices(self, type_ids: Collection[int], day: date) -> dict[int, Price]:
        """Return what one unit of each type was worth on the UTC day, by type."""
        async with self._using, self._database.connection() as connection:
            if self._book is None or self._known is not self._static.universe:
                self._known = self._static.universe
                self._book = await load_price_book(connection, self._known)
            await self._book.prefetch(connection, type_ids, [day])
            return {type_id: self._book.price(type_id, day) for type_id in type_ids}
