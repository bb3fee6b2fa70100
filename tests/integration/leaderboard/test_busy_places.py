"""What the job counts of busy places over all time is what the days say: once a day, and of busy places only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import msgspec
import pytest

from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.eve.universe import Universe
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.stored.system_figures import SYSTEM_KINDS
from killreport.killmail.writing.store import KillmailWriter
from killreport.leaderboard import place_count
from killreport.leaderboard.dearest import Dear, list_dearest
from killreport.leaderboard.model import Metric, Ranked, Ranking, Window
from killreport.leaderboard.place_count import COUNT_EVERY, count_places
from killreport.leaderboard.queries import get_ranking_of_place
from killreport.leaderboard.scope import find_scope
from tests.integration.kills import CORPORATION, JITA, KILLER, NOON, PILOT, arrival, store

TODAY = NOON.date()
PERIMETER, KIMOTORO, THE_FORGE = 30000144, 20000020, 10000002
PLACES = (
    (EntityKind.SOLAR_SYSTEM, JITA),
    (EntityKind.SOLAR_SYSTEM, PERIMETER),
    (EntityKind.CONSTELLATION, KIMOTORO),
    (EntityKind.REGION, THE_FORGE),
)
KILLMAILS = 80
BUSY = 30  # Perimeter has fewer, everything else more

Answer = Sequence[Ranked | Dear]


@pytest.fixture(autouse=True)
async def _kills(database: Database, writer: KillmailWriter) -> None:
    """Store kills of two systems over two years, by and of so few that many have more than one and some the same."""
    dice = Random(4)

    def kill(number: int) -> Arrival:
        found = arrival(
            number,
            NOON - timedelta(days=dice.randrange(700), minutes=number),
            attackers=dice.randrange(1, 5),
            character_id=PILOT + dice.randrange(9),
            corporation_id=CORPORATION + dice.randrange(3),
        )
        system = JITA if number % 4 else PERIMETER
        return replace(found, mail=msgspec.structs.replace(found.mail, solar_system_id=system))

    await store(writer, database, *map(kill, range(1, KILLMAILS + 1)))


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_count, "LIVE_KILLMAILS", BUSY)


async def _read(database: Database, universe: Universe) -> tuple[dict[object, Answer], dict[int, Ranking]]:
    """Return every ranking of every place with its dearest killmails, and one whole ranking of each place."""
    answers: dict[object, Answer] = {}
    whole: dict[int, Ranking] = {}
    async with database.connection() as connection:
        for place in PLACES:
            scope = find_scope(universe, *place)
            for kind in SYSTEM_KINDS:
                for metric in Metric:
                    ranking = await get_ranking_of_place(
                        connection, kind, metric, Window.ALL_TIME, scope=scope, today=TODAY
                    )
                    whole[scope.place_id], answers[place, kind, metric] = ranking, ranking.places
            answers[place] = await list_dearest(connection, Window.ALL_TIME, today=TODAY, scope=scope, limit=30)
    return answers, whole


async def test_every_ranking_of_every_place_is_the_same_before_and_after_the_job_counted(
    database: Database, universe: Universe
) -> None:
    summed, whole = await _read(database, universe)
    assert {ranking.counted_at for ranking in whole.values()} == {None}
    assert await count_places(database, now=NOON) == 3
    counted, whole = await _read(database, universe)

    assert counted == summed
    assert {place: ranking.counted_at for place, ranking in whole.items()} == {
        **dict.fromkeys((JITA, KIMOTORO, THE_FORGE), NOON),
        PERIMETER: None,
    }
    heads = summed[PLACES[3], EntityKind.CHARACTER, Metric.KILLS]
    assert len(heads) == 4
    assert len(summed[PLACES[3]]) == 30


async def test_only_the_head_is_kept_and_whoever_leads_by_any_figure_is_in_it(
    database: Database, universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    summed, _ = await _read(database, universe)
    monkeypatch.setattr(place_count, "_HEADS", place_count._HEADS.replace("<= 200", "<= 2"))
    await count_places(database, now=NOON)
    counted, _ = await _read(database, universe)

    for key, answer in summed.items():
        assert counted[key][:2] == answer[:2], key
    async with database.connection() as connection:
        kept = await connection.fetchval(
            "select count(*) from place_head where place_id = $1 and entity_kind = $2",
            THE_FORGE,
            int(EntityKind.CHARACTER),
        )
    everybody = [summed[PLACES[3], EntityKind.CHARACTER, metric] for metric in (Metric.KILLS, Metric.LOSSES)]
    assert 2 <= kept < sum(map(len, everybody))


async def test_a_region_is_counted_again_when_it_is_due_and_forgotten_when_it_is_quiet(
    database: Database, writer: KillmailWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    assert await count_places(database, now=NOON, counted=told.append) == 3
    assert told == [3]
    await store(writer, database, arrival(1000, NOON, attackers=1, character_id=PILOT))

    async def kills() -> int:
        async with database.connection() as connection:
            found: int = await connection.fetchval(
                "select coalesce(max(kills), 0) from place_head where place_id = $1 and entity_id = $2",
                THE_FORGE,
                KILLER,
            )
        return found

    assert await kills() == KILLMAILS
    assert await count_places(database, now=NOON + COUNT_EVERY - timedelta(seconds=1)) == 0
    assert await kills() == KILLMAILS
    assert await count_places(database, now=NOON + COUNT_EVERY) == 3
    assert await kills() == KILLMAILS + 1
    assert await count_places(database, now=NOON + COUNT_EVERY, everything=True) == 3

    monkeypatch.setattr(place_count, "LIVE_KILLMAILS", 10_000)
    assert await count_places(database, now=NOON + 2 * COUNT_EVERY) == 0
    async with database.connection() as connection:
        for table in ("place_head", "place_dearest", "place_run"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0


async def test_two_runs_at_once_count_each_place_once(database: Database, universe: Universe) -> None:
    summed, _ = await _read(database, universe)
    counted = await asyncio.gather(*(count_places(database, now=NOON) for _ in range(3)))
    # Whoever looks when another has counted finds less that is due.
    assert max(counted) == 3
    assert (await _read(database, universe))[0] == summed
