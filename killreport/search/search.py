"""One search over the names in the database and those in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from killreport.db.database import Connection
from killreport.eve.universe import Universe
from killreport.search.model import Hit, SearchKind, clean, rank
from killreport.search.queries import add_kills, find_alike, find_beginnings, has_trigrams
from killreport.search.static import static_names


class Search:
    """Searches everything that has a name."""

    def __init__(self, universe: Universe, *, with_trigrams: bool) -> None:
        self._static = static_names(universe)
        self._with_trigrams = with_trigrams

    async def renew(self, universe: Universe) -> None:
        """Search the names of this universe from now on. Made beside the others: it takes a tenth of a second."""
        self._static = await asyncio.to_thread(static_names, universe)

    async def find(
        self, connection: Connection, text: str, *, kinds: Collection[SearchKind] = tuple(SearchKind), limit: int = 20
    ) -> list[Hit]:
        """Return the best matches of these kinds, the best first, at most MAX_HITS; none for a text without a letter.

        Exact names come first, then exact tickers, beginnings of names and tickers, parts and similar names; of equals,
        who has more kills.
        """
        question = clean(text)
        if not question:
            return []
        hits = await add_kills(connection, [hit for hit in self._static.search(question) if hit.kind in kinds])
        hits += [hit for hit in await find_beginnings(connection, question) if hit.kind in kinds]
        # Dearer, and worse matches by definition: only where there is room for them.
        if self._with_trigrams and len(hits) < limit:
            hits += [hit for hit in await find_alike(connection, question) if hit.kind in kinds]
        return rank(hits, limit)


async def load_search(connection: Connection, universe: Universe) -> Search:
    """Return a search that uses what the database has."""
    return Search(universe, with_trigrams=await has_trigrams(connection))
