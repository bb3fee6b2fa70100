"""The database's clock was ahead and is back: what it wrote then holds nothing up until that date."""

from __future__ import annotations

from datetime import timedelta

import pytest

from killreport.coordination.job_runs import last_completed, present_instant
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.queries import list_stale_ids
from killreport.entity.refresh import RefreshState, claim_refresh
from killreport.errors import Unavailable
from killreport.esi.budget import DOWNTIME, EVERYBODY, Budget
from killreport.queueing.embedded_store import promote
from killreport.zkillboard.pacing import postpone_requests, reserve_request

AHEAD = "now() + interval '400 days'"


async def execute(database: Database, statement: str) -> None:
    async with database.connection() as connection:
        await connection.execute(statement)


async def test_the_budget_for_esi_gives_turns_at_once(database: Database) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    budget = Budget(database, 50, sleep=sleep)
    await budget.turn()
    await execute(database, f"update esi_budget set free_at = {AHEAD}")
    for _ in range(3):
        await budget.turn()
    assert sum(waited) < 5


async def test_a_pause_of_esi_is_over_and_a_new_one_holds(database: Database) -> None:
    budget = Budget(database, 50)
    await budget.pause(EVERYBODY, 30.0, "told to wait")
    await execute(database, f"update esi_pause set until = {AHEAD}")
    await Budget(database, 50).turn()
    await budget.pause(EVERYBODY, 30.0, "told to wait")
    with pytest.raises(Exception, match=r"ESI asked us to back off for (29|30) s"):
        await Budget(database, 50).turn()


async def test_somebody_looks_whether_a_downtime_is_over(database: Database) -> None:
    budget = Budget(database, 50)
    await budget.pause(DOWNTIME, 10.0, "failures")
    assert not await budget.may_probe()
    await execute(database, f"update esi_pause set until = {AHEAD}")
    assert [await budget.may_probe(), await budget.may_probe()] == [True, False]


async def test_a_host_that_is_asked_slowly_is_asked(database: Database) -> None:
    interval, patience = timedelta(seconds=10), timedelta(minutes=5)
    async with database.connection() as connection:
        await reserve_request(connection, "lists", interval, patience)
        await connection.execute(f"update request_turn set free_at = {AHEAD}")
        assert await reserve_request(connection, "lists", interval, patience) == pytest.approx(0.0, abs=1.0)
        assert await reserve_request(connection, "lists", interval, patience) == pytest.approx(10.0, abs=2.0)
        await connection.execute(f"update request_turn set free_at = {AHEAD}")
        await postpone_requests(connection, "lists", timedelta(hours=1))
        with pytest.raises(Unavailable):
            await reserve_request(connection, "lists", interval, patience)


async def test_a_message_that_was_held_back_is_ready(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            f"""insert into queue_message (queue, priority, ready_at, body)
                values ('q', 1, {AHEAD}, ''), ('q', 1, now() + interval '1 hour', '')"""
        )
        assert await promote(connection, "q") == pytest.approx(3600.0, abs=30.0)
        assert await connection.fetchval("select count(*) from queue_message where ready_at is null") == 1


async def test_an_entity_that_seems_refreshed_is_stale_and_can_be_asked_for(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            f"""insert into character (character_id, name, refreshed_at)
                values (90000001, 'Ahead', {AHEAD}), (90000002, 'Now', now())"""
        )
        stale = await list_stale_ids(connection, EntityKind.CHARACTER, [90000001, 90000002], timedelta(days=7))
        assert stale == [90000001]
        await connection.execute(
            f"insert into refresh_ledger (entity_kind, entity_id, queued_at) values (1, 1, {AHEAD})"
        )
        states = [
            (await claim_refresh(connection, EntityKind.CHARACTER, entity_id, fresh_for=timedelta(hours=1))).state
            for entity_id in (90000001, 90000001, 90000002)
        ]
    assert states == [RefreshState.QUEUED, RefreshState.WAITING, RefreshState.FRESH]


async def test_a_run_of_a_job_in_the_future_is_none(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            f"""insert into job_run (job, trigger, status, started_at, ended_at)
                values ('x', 'schedule', 'succeeded', now() - interval '2 days', now()),
                       ('x', 'schedule', 'succeeded', {AHEAD}, {AHEAD})"""
        )
        now = await present_instant(connection)
        since = await last_completed(connection, "x", now)
        assert since is not None
        assert since < now
