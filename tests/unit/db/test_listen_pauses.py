from __future__ import annotations

import asyncio

import asyncpg
import pytest

from killreport.db.database import Database
from killreport.db.listen import listen


async def test_a_server_that_is_away_is_asked_ever_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    enough = 8

    async def connect(*_arguments: object, **_options: object) -> object:
        raise asyncpg.CannotConnectNowError("the database system is starting up")

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == enough:
            raise asyncio.CancelledError

    monkeypatch.setattr("asyncpg.connect", connect)
    monkeypatch.setattr("asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await anext(listen(Database("postgresql://nowhere/none", None), "news"))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
