"""Telling a connection pooler (PgBouncer and the like) that hands one session to several clients in turn.

LISTEN and the locks by which a worker is the only one belong to a session: with a pooler that gives it to somebody else
between two transactions they are lost or held for ever, without any error. So it is refused at the start.
"""

from __future__ import annotations

import asyncpg

from killreport.db.connection import SHORT_SECONDS, LiveConnection, connect
from killreport.errors import Refused

SENTENCE = (
    "KILLREPORT_DATABASE_URL leads to a connection pooler (such as PgBouncer) that {why}, and KillReport needs "
    "sessions of its own, for LISTEN and for locks: name PostgreSQL's own port, or let the pooler pool by session."
)


def refuse_pooler(error: BaseException) -> None:
    """Raise Refused where the error is a pooler's, which does not know the settings of a session of PostgreSQL."""
    if isinstance(error, asyncpg.ProtocolViolationError) and "startup parameter" in str(error):
        raise Refused(SENTENCE.format(why="refuses the settings of a session")) from error


async def refuse_shared_sessions(connection: LiveConnection, url: str) -> None:
    """Ask the server whether `connection` is to itself; raise Refused where others get its session between statements.

    PostgreSQL tells a client the number of its process; a pooler tells one of its own. Then another connection shows
    whether it is given the very process that this one was served by a moment ago.
    """
    own = await connection.fetchval("select pg_backend_pid()")
    if own == connection.get_server_pid():
        return
    other = await connect(url, "killreport asks for a pooler", seconds=SHORT_SECONDS)
    try:
        if await other.fetchval("select pg_backend_pid()") == own:
            raise Refused(SENTENCE.format(why="shares sessions between clients"))
    finally:
        other.terminate()
