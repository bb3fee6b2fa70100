"""How far the recent killmails of players who logged in have been read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from killreport.db.database import Connection


@dataclass(frozen=True, slots=True)
class KillmailSync:
    """The last reading of an account's killmails that came to its end.

    newest_killmail_id: None where there was none.
    """

    account_id: int
    character_id: int
    last_killmail_sync_at: datetime
    newest_killmail_id: int | None


async def find_sync(connection: Connection, account_id: int) -> KillmailSync | None:
    """Return the account's last reading, None where it never had one."""
    row = await connection.fetchrow(
        """select account_id, character_id, last_killmail_sync_at, newest_killmail_id
           from killmail_sync where account_id = $1""",
        account_id,
    )
    return None if row is None else KillmailSync(*row)


async def save_sync(connection: Connection, sync: KillmailSync) -> None:
    """Note a reading that came to its end."""
    await connection.execute(
        """insert into killmail_sync (account_id, character_id, last_killmail_sync_at, newest_killmail_id)
           values ($1, $2, $3, $4)
           on conflict (account_id) do update
               set character_id = excluded.character_id, last_killmail_sync_at = excluded.last_killmail_sync_at,
                   newest_killmail_id = excluded.newest_killmail_id""",
        sync.account_id,
        sync.character_id,
        sync.last_killmail_sync_at,
        sync.newest_killmail_id,
    )
