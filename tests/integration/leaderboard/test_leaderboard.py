"""Rankings, statistics and lists say what the stored killmails say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.errors import NotFound, Refused
from killreport.eve.universe import Universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.leaderboard.dearest import list_dearest
from killreport.leaderboard.model import Metric, Window
from killreport.leaderboard.places import list_hours_of
from killreport.leaderboard.queries import get_ranking, get_ranking_of_place
from killreport.leaderboard.scope import Scope, find_scope
from killreport.leaderboard.statistics import (
    Counted,
    Totals,
    list_activity,
    list_months_of,
    list_totals,
    list_totals_between,
)
from killreport.leaderboard.store import count_rankings
from killreport.leaderboard.tops import Top, Tops, list_tops_of
from killreport.leaderboard.types import find_totals, sum_totals
from tests.integration.kills import CORPORATION, JITA, KILLER, KILLERS_CORPORATION, NOON, PILOT, RIFTER, arrival, store

TODAY = NOON.date()  # a Thursday
THE_FORGE, KIMOTORO, FRIGATE, SHIP = 10000002, 20000020, 25, 6


@pytest.fixture
async def kills(database: Database, writer: KillmailWriter) -> None:
    """Store six kills of today by one pilot with ever fewer helpers, one of a week ago and one of a year ago."""
    await store(
        writer,
        database,
        *(arrival(number, NOON + timedelta(minutes=number), attackers=number) for number in range(1, 7)),
        arrival(7, NOON - timedelta(days=7), attackers=2),
        arrival(8, NOON - timedelta(days=365), attackers=1),
    )


@pytest.mark.parametrize(
    ("window", "most", "second_most"),
    [("day", 6, 5), ("week", 6, 5), ("month", 6, 5), ("7d", 6, 5), ("30d", 7, 6), ("90d", 7, 6), ("all", 8, 6)],
)
@pytest.mark.usefixtures("kills")
async def test_every_window_ranks_the_same_before_and_after_the_job_counted(
    database: Database, window: str, most: int, second_most: int
) -> None:
    async with database.connection() as connection:
        summed = await get_ranking(connection, EntityKind.CHARACTER, Metric.KILLS, Window(window), today=TODAY)
    await count_rankings(database, today=TODAY)
    await count_rankings(database, today=TODAY)
    async with database.connection() as connection:
        counted = await get_ranking(connection, EntityKind.CHARACTER, Metric.KILLS, Window(window), today=TODAY)

    assert summed.places == counted.places
    assert (summed.first_day, summed.last_day, summed.counted_at) == (counted.first_day, TODAY, None)
    first, second = counted.places[:2]
    assert (first.place, first.entity_id, first.figures.kills) == (1, KILLER, most)
    assert (second.place, second.entity_id, second.figures.kills) == (2, KILLER + 1, second_most)


@pytest.mark.usefixtures("kills")
async def test_each_figure_has_a_ranking_and_those_with_none_of_it_have_no_place(database: Database) -> None:
    async with database.connection() as connection:
        found = {
            metric: await get_ranking(connection, EntityKind.CHARACTER, metric, Window.DAY, today=TODAY, limit=1)
            for metric in Metric
        }
    heads = {metric: [place.entity_id for place in ranking.places] for metric, ranking in found.items()}
    assert heads == {
        Metric.KILLS: [KILLER],
        Metric.LOSSES: [PILOT],
        Metric.SOLO_KILLS: [KILLER],
        Metric.POINTS: [KILLER],
        Metric.ISK_DESTROYED: [KILLER],
        Metric.ISK_LOST: [PILOT],
    }
    assert found[Metric.SOLO_KILLS].places[0].figures.solo_kills == 1


@pytest.mark.parametrize(
    ("kind", "place"),
    [(EntityKind.SOLAR_SYSTEM, JITA), (EntityKind.CONSTELLATION, KIMOTORO), (EntityKind.REGION, THE_FORGE)],
)
@pytest.mark.usefixtures("kills")
async def test_a_place_ranks_what_happened_in_its_systems(
    database: Database, universe: Universe, kind: EntityKind, place: int
) -> None:
    scope = find_scope(universe, kind, place)
    elsewhere = find_scope(universe, EntityKind.REGION, 10000043)
    async with database.connection() as connection:

        async def ranked(where: Scope, window: Window) -> list[tuple[int, int]]:
            found = await get_ranking_of_place(
                connection, EntityKind.CORPORATION, Metric.KILLS, window, scope=where, today=TODAY
            )
            return [(at.entity_id, at.figures.kills) for at in found.places]

        assert await ranked(scope, Window.DAYS_30) == [(KILLERS_CORPORATION, 7)]
        assert await ranked(scope, Window.ALL_TIME) == [(KILLERS_CORPORATION, 8)]
        assert await ranked(elsewhere, Window.ALL_TIME) == []


async def test_what_is_no_place_and_what_is_not_kept_of_places_is_refused(
    database: Database, universe: Universe
) -> None:
    with pytest.raises(NotFound):
        find_scope(universe, EntityKind.REGION, 1)
    with pytest.raises(Refused):
        find_scope(universe, EntityKind.ALLIANCE, 1)
    scope = find_scope(universe, EntityKind.SOLAR_SYSTEM, JITA)
    async with database.connection() as connection:
        with pytest.raises(Refused):
            await get_ranking_of_place(
                connection, EntityKind.REGION, Metric.KILLS, Window.DAY, scope=scope, today=TODAY
            )


@pytest.mark.usefixtures("kills")
async def test_the_dearest_killmails_come_first_and_only_those_of_the_window_and_the_place(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("update killmail set total_value_cents = 1000 * killmail_id")

        async def dearest(window: Window, *systems: int) -> list[int]:
            scope = Scope(EntityKind.REGION, THE_FORGE, systems) if systems else None
            found = await list_dearest(connection, window, today=TODAY, scope=scope, limit=3)
            return [dear.killmail_id for dear in found]

        assert await dearest(Window.DAY) == [6, 5, 4]
        assert await dearest(Window.DAYS_30) == [7, 6, 5]
        assert await dearest(Window.ALL_TIME) == [8, 7, 6]
        assert await dearest(Window.DAYS_30, JITA, 30000144) == [7, 6, 5]
        assert await dearest(Window.DAYS_30, 30000144) == []
        assert await dearest(Window.ALL_TIME, JITA) == [8, 7, 6]
        assert await dearest(Window.ALL_TIME, 30000144) == []


@pytest.mark.usefixtures("kills")
async def test_totals_months_and_hours_of_the_week_are_those_of_the_killmails(database: Database) -> None:
    async with database.connection() as connection:
        killer, stranger = Counted(EntityKind.CHARACTER, KILLER), Counted(EntityKind.CHARACTER, 1)
        totals, nobody = await list_totals(connection, [killer, stranger])
        (today,) = await list_totals_between(connection, [killer], TODAY, TODAY)
        (months,) = await list_months_of(connection, [Counted(EntityKind.CORPORATION, CORPORATION)])
        (activity,) = await list_activity(connection, [Counted(EntityKind.CHARACTER, PILOT)])

    assert (totals.kills, totals.losses, totals.final_blows, totals.solo_kills) == (8, 0, 8, 2)
    assert (today.kills, today.solo_kills) == (6, 1)
    assert (totals.danger_percent, totals.gang_percent) == (100, 75)
    assert nobody == Totals()
    assert (nobody.danger_percent, nobody.gang_percent) == (None, None)
    assert [(found.month, found.totals.losses) for found in months] == [
        (date(2020, 12, 1), 1),
        (date(2021, 11, 1), 1),
        (date(2021, 12, 1), 6),
    ]
    assert [len(activity.losses), *map(len, activity.losses)] == [7, *[24] * 7]
    # Two Thursdays, and a Wednesday a year ago.
    assert (activity.losses[3][12], activity.losses[2][12]) == (7, 1)
    assert sum(map(sum, activity.losses)) == 8
    assert sum(map(sum, activity.kills)) == 0


@pytest.mark.usefixtures("kills")
async def test_the_lists_of_a_corporation_count_a_killmail_once_and_its_hulls_by_pilot(
    database: Database, universe: Universe
) -> None:
    async with database.connection() as connection:

        async def list_tops(kind: EntityKind, entity_id: int, window: Window) -> Tops:
            found = await list_tops_of(connection, kind, [entity_id], window, today=TODAY, universe=universe)
            return found[entity_id]

        tops = await list_tops(EntityKind.CORPORATION, KILLERS_CORPORATION, Window.DAY)
        losses = await list_tops(EntityKind.CHARACTER, PILOT, Window.ALL_TIME)
        with pytest.raises(Refused):
            await list_tops(EntityKind.REGION, THE_FORGE, Window.DAY)

    assert (tops.since, tops.is_complete) == (NOON + timedelta(minutes=1), True)
    assert tops.characters == [Top(PILOT, 6)]
    assert (tops.solar_systems, tops.regions) == ([Top(JITA, 6)], [Top(THE_FORGE, 6)])
    assert (tops.ship_types, tops.weapons) == ([Top(RIFTER, 21)], [Top(RIFTER, 21)])
    assert (tops.groups_used, tops.groups_lost) == ([Top(FRIGATE, 21)], [])
    assert (losses.groups_lost, losses.characters) == ([Top(FRIGATE, 8)], [])
    assert losses.since == NOON - timedelta(days=365)


@pytest.mark.usefixtures("kills")
async def test_a_systems_hours_have_no_holes(database: Database) -> None:
    now = datetime(2021, 12, 2, 13, 30, tzinfo=UTC)
    async with database.connection() as connection:
        hours = (await list_hours_of(connection, {JITA: [JITA]}, now=now))[JITA]
        with pytest.raises(Refused):
            await list_hours_of(connection, {JITA: [JITA]}, now=now, span=timedelta(days=8))
    assert len(hours) == 25
    assert [hour.killmails for hour in hours] == [*[0] * 23, 6, 0]
    assert [hour.begins_at.hour for hour in hours[-2:]] == [12, 13]
    assert hours[-2].value_cents > 0


@pytest.mark.usefixtures("kills")
async def test_a_category_is_the_sum_of_its_groups(database: Database, universe: Universe) -> None:
    async with database.connection() as connection:
        groups = [group.group_id for group in universe.groups.values() if group.category_id == SHIP]
        found = await find_totals(connection, EntityKind.SHIP_GROUP, groups)
        (group,) = await list_totals(connection, [Counted(EntityKind.SHIP_GROUP, FRIGATE)])
    whole = sum_totals(found.values())
    assert whole == group
    assert (whole.kills, whole.losses) == (8, 8)
