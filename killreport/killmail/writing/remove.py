"""Takes a stored killmail out again, for an operator who has a reason to: all its rows and all it counted for."""

from __future__ import annotations

from collections.abc import Collection

from killreport.db.database import Connection, Database
from killreport.killmail.postings.changes import hold_days_of
from killreport.killmail.stored.event import tell
from killreport.killmail.stored.rollup import Rollup
from killreport.killmail.writing.counted import list_counted
from killreport.killmail.writing.revalue import REVALUE_LOCK


async def remove_killmails(database: Database, mail_ids: Collection[int], reason: str) -> list[int]:
    """Remove these killmails in one transaction and return the ids of those that were stored, ascending.

    Their ids stay taken, so that no source brings them back. Subscribers are told that they changed and find nothing.
    """
    async with database.transaction() as connection:
        # A value must not be corrected while it is taken away, nor a killmail be taken away twice.
        await connection.execute("select pg_advisory_xact_lock($1)", REVALUE_LOCK)
        await hold_days_of(connection, mail_ids)
        rows = await connection.fetch(
            "select killmail_id from killmail where killmail_id = any($1) order by 1", list(mail_ids)
        )
        stored: list[int] = [row[0] for row in rows]
        if not stored:
            return []
        # The order of locks is the writer's: rollups of days, killmails, rollups of whole lives, event.
        rollup = Rollup()
        for counted in await list_counted(connection, stored):
            counted.take_away(rollup)
        await rollup.save_days(connection)
        await _delete(connection, stored, reason)
        await rollup.save_totals(connection)
        await tell(connection, [], stored)
    return stored


async def _delete(connection: Connection, mail_ids: list[int], reason: str) -> None:
    await connection.execute(
        """insert into removed_killmail (killmail_id, hash, killmail_time, reason)
           select killmail_id, killmail_hash(victim_character_id, final_blow_character_id, ship_type_id, killmail_time),
                  killmail_time, $2
           from killmail where killmail_id = any($1) order by 1""",
        mail_ids,
        reason,
    )
    for table in ("killmail", "value_change"):
        await connection.execute(f"delete from {table} where killmail_id = any($1)", mail_ids)  # noqa: S608
