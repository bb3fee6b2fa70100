"""Connection poolers that share sessions are told from PostgreSQL, and from those that do not share."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from killreport.db import pooler
from killreport.db.pooler import refuse_pooler, refuse_shared_sessions
from killreport.errors import Refused


class Session:
    """A connection of which we are told one process, and served by another."""

    def __init__(self, told: int, served_by: int) -> None:
        self.told, self.served_by = told, served_by
        self.is_ended = False

    def get_server_pid(self) -> int:
        return self.told

    async def fetchval(self, _query: str) -> int:
        return self.served_by

    def terminate(self) -> None:
        self.is_ended = True


async def test_a_pooler_that_gives_another_the_same_session_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Session(7, 4711)

    async def connect(*_arguments: Any, **_options: Any) -> Session:
        return other

    monkeypatch.setattr(pooler, "connect", connect)
    first: Any = Session(5, 4711)
    with pytest.raises(Refused, match=r"PgBouncer\) that shares sessions between clients, and KillReport needs"):
        await refuse_shared_sessions(first, "postgresql://pooler/name")
    assert other.is_ended
    other.served_by = 4712
    await refuse_shared_sessions(first, "postgresql://pooler/name")


async def test_of_postgresql_itself_nothing_more_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooler, "connect", None)
    itself: Any = Session(4711, 4711)
    await refuse_shared_sessions(itself, "postgresql://server/name")


def test_a_pooler_that_knows_no_settings_of_a_session_is_refused() -> None:
    with pytest.raises(Refused, match="refuses the settings of a session"):
        refuse_pooler(asyncpg.ProtocolViolationError("unsupported startup parameter: jit"))
    refuse_pooler(asyncpg.ProtocolViolationError("something else"))
    refuse_pooler(asyncpg.TooManyConnectionsError("sorry"))
