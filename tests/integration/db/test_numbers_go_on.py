"""The upgrade that parts live killmails from everything: followers' cursors mean what they meant."""

from __future__ import annotations

import asyncpg
import pytest

from killreport.db import migrate
from killreport.db.database import AWAY_ERRORS, Connection, is_refusal
from killreport.db.migrate import list_migrations, upgrade
from killreport.killmail.stored.event import tell
from killreport.killmail.stored.published import Published, list_places, list_published, next_sequence

PARTING = "live_and_history"


async def before(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring the database to where it was before that migration."""
    everything = list_migrations()
    (parting,) = (migration.version for migration in everything if migration.name == PARTING)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "list_migrations", lambda: [m for m in everything if m.version < parting])
        await upgrade(connection)


def told(entries: list[Published]) -> list[tuple[int, int, int | None]]:
    return [(entry.sequence, entry.killmail_id, entry.rewritten) for entry in entries]


async def test_a_follower_of_an_older_board_goes_on_where_it_was(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await before(connection, monkeypatch)
    await connection.execute(
        """insert into event (at, kind, killmail_ids, first_sequence) values
           (now() - interval '9 days', 'stored', '{70}', 0),
           (now() - interval '2 days', 'stored', '{71, 72}', 1),
           (now() - interval '1 day', 'changed', '{70, 71}', 3)"""
    )
    await upgrade(connection)
    async with connection.transaction():
        await tell(connection, [], [70, 72])
    async with connection.transaction():
        await tell(connection, [80, 81], [], [90])

    old = [(0, 70, None), (1, 71, None), (2, 72, None), (3, 70, None), (4, 71, None)]
    assert told(await list_published(connection, 0, 100)) == [*old, (5, 80, 2), (6, 81, None)]
    assert told(await list_published(connection, 5, 1)) == [(5, 80, 2)]
    assert await next_sequence(connection) == 7
    assert [(sequence, mail_id) for sequence, mail_id, _ in told(await list_places(connection, 0, 100))] == [
        *((sequence, mail_id) for sequence, mail_id, _ in old),
        *((5, 70), (6, 72), (7, 90), (8, 80), (9, 81)),
    ]


async def test_an_older_board_without_a_killmail_begins_at_one(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await before(connection, monkeypatch)
    await upgrade(connection)
    assert await next_sequence(connection) == 1


async def test_a_process_of_an_older_release_waits_and_takes_no_killmail_for_a_bad_one(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await before(connection, monkeypatch)
    await upgrade(connection)

    with pytest.raises(asyncpg.PostgresError, match="until it is reloaded") as refused:
        await connection.execute("insert into event (kind, killmail_ids, first_sequence) values ('stored', '{70}', 0)")

    assert isinstance(refused.value, AWAY_ERRORS)
    assert not is_refusal(refused.value)
    async with connection.transaction():
        assert await tell(connection, [70], []) is not None
