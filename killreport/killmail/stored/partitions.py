"""The partitions that killmails are stored in, by ranges of their ids; each is made when its first killmail comes."""

from __future__ import annotations

from collections.abc import Iterable

from killreport.db.database import Connection

# Ids in a partition, as the database's `make_killmail_partition` has it; of these days a year's.
SPAN = 5_000_000


class Partitions:
    """Makes partitions and remembers which there are; keep one for the process.

    One that was taken away by hand meanwhile is not made again: its killmails may be about to come back with it.
    """

    def __init__(self) -> None:
        self._made: set[int] = set()

    async def make(self, connection: Connection, killmail_ids: Iterable[int]) -> None:
        """Make those that killmails with these ids need. Outside a transaction: others wait for it."""
        for number in sorted({killmail_id // SPAN for killmail_id in killmail_ids} - self._made):
            await connection.execute("select make_killmail_partition($1)", number * SPAN)
            self._made.add(number)
