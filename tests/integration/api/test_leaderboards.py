"""Rankings, statistics, lists of whom and what, and the search, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from killreport.api.leaderboard import queries, statistics
from killreport.api.totals import queries as totals
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.killmail.stored.coverage import keep_published
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import (
    ALLIANCE,
    CORPORATION,
    JITA,
    KILLER,
    KILLERS_CORPORATION,
    NOON,
    PILOT,
    RIFTER,
    arrival,
    name_everybody,
    store,
)
from tests.integration.serving import GraphQL

NOW = NOON + timedelta(minutes=30)
THE_FORGE, KIMOTORO, FRIGATE, DOMAIN = 10000002, 20000020, 25, 10000043


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (queries, statistics, totals):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)


@pytest.fixture
async def kills(database: Database, writer: KillmailWriter) -> None:
    """Store three kills of today with one, two and three attackers, one of yesterday and one of 40 days ago."""
    await store(
        writer,
        database,
        *(arrival(number, NOON + timedelta(minutes=number), attackers=number) for number in range(1, 4)),
        arrival(4, NOON - timedelta(days=1)),
        arrival(5, NOON - timedelta(days=40)),
    )
    await name_everybody(database)
    async with database.transaction() as connection:
        await connection.execute("update killmail set total_value_cents = 100 * killmail_id")
        await connection.execute("update posting set isk_cents = case side when 0 then 1050 else 20 end * killmails")
        await connection.execute(
            "update total_stat set isk_destroyed_cents = 1050 * kills, isk_lost_cents = 20 * losses"
        )
        await connection.execute(
            """update system_figures set figures = (
                   select pack_system_figures(array_agg(entity_kind), array_agg(entity_id), array_agg(kills),
                              array_agg(losses), array_agg(solo_kills), array_agg(points_won),
                              array_agg(1050 * kills), array_agg(20 * losses))
                   from unpack_system_figures(figures))"""
        )
        await connection.execute("update daily_total set total_value_cents = 1001 * killmails")


LEADERS = """query($kind: LeaderboardKind!, $metric: LeaderboardMetric, $window: Window! = DAY, $scope: PlaceScope) {
    leaderboard(kind: $kind, metric: $metric, window: $window, scope: $scope, first: 2) {
    firstDay lastDay countedAt places { rank value entity { __typename ...on Entity { entityName: name }
    ...on Character { id } ...on Corporation { id } ...on Alliance { id } ...on Type { typeId: id }
    ...on Group { typeId: id } ...on SolarSystem { typeId: id name } ...on Region { typeId: id name } } } } }"""


async def leaders(api: GraphQL, kind: str, **variables: object) -> list[tuple[Any, ...]]:
    found = (await api.data(LEADERS, {"kind": kind, **variables}))["leaderboard"]
    return [
        (
            place["rank"],
            place["value"],
            place["entity"]["__typename"],
            place["entity"].get("id", place["entity"].get("typeId")),
        )
        for place in found["places"]
    ]


@pytest.mark.usefixtures("kills")
async def test_everything_that_is_ranked_has_a_leaderboard(api: GraphQL) -> None:
    assert await leaders(api, "CHARACTER") == [(1, 3.0, "Character", KILLER), (2, 2.0, "Character", KILLER + 1)]
    assert await leaders(api, "CORPORATION") == [(1, 3.0, "Corporation", KILLERS_CORPORATION)]
    assert await leaders(api, "ALLIANCE", metric="LOSSES") == [(1, 3.0, "Alliance", ALLIANCE)]
    assert await leaders(api, "SHIP_USED") == [(1, 3.0, "Type", RIFTER)]
    assert await leaders(api, "SHIP_LOST", window="ALL_TIME") == [(1, 5.0, "Type", RIFTER)]
    assert await leaders(api, "SYSTEM") == [(1, 3.0, "SolarSystem", JITA)]
    assert await leaders(api, "REGION", window="DAYS_7") == [(1, 4.0, "Region", THE_FORGE)]
    assert await leaders(api, "GROUP", metric="LOSSES") == [(1, 3.0, "Group", FRIGATE)]


@pytest.mark.usefixtures("kills")
async def test_a_place_has_all_figures_and_isk_is_exact_in_them(api: GraphQL) -> None:
    data = await api.data(
        """{ leaderboard(kind: CHARACTER, metric: ISK_DESTROYED, window: DAY, first: 1) { firstDay lastDay countedAt
             places { value entity { ...on Character { name kind } }
             figures { kills losses soloKills points iskDestroyed iskLost } } } }"""
    )
    place = data["leaderboard"]["places"][0]
    points = place["figures"].pop("points")
    assert points > 0
    assert data["leaderboard"] == {
        "firstDay": "2021-12-02",
        "lastDay": "2021-12-02",
        "countedAt": None,
        "places": [
            {
                "value": 31.5,
                "entity": {"name": None, "kind": "CHARACTER"},
                "figures": {"kills": 3, "losses": 0, "soloKills": 1, "iskDestroyed": "31.50", "iskLost": "0.00"},
            }
        ],
    }


@pytest.mark.usefixtures("kills")
async def test_a_leaderboard_looks_at_one_place_where_it_is_told_to(api: GraphQL) -> None:
    for place in ({"regionId": THE_FORGE}, {"constellationId": KIMOTORO}, {"systemId": JITA}):
        assert await leaders(api, "CORPORATION", scope=place) == [(1, 3.0, "Corporation", KILLERS_CORPORATION)]
        assert await leaders(api, "CORPORATION", scope=place, window="ALL_TIME") == [
            (1, 5.0, "Corporation", KILLERS_CORPORATION)
        ]
    assert await leaders(api, "CORPORATION", scope={"regionId": DOMAIN}) == []


async def test_what_is_not_ranked_is_refused_with_the_argument_named(api: GraphQL) -> None:
    for variables, says in (
        ({"kind": "SHIP_LOST", "metric": "KILLS"}, "`metric` of SHIP_LOST must be LOSSES or ISK_LOST."),
        ({"kind": "SHIP_USED", "metric": "LOSSES"}, "`metric` of SHIP_USED must be a figure of kills"),
        ({"kind": "CHARACTER", "scope": {}}, "`scope` must have exactly one of"),
        ({"kind": "CHARACTER", "scope": {"regionId": 1, "systemId": 1}}, "`scope` must have exactly one of"),
        ({"kind": "CHARACTER", "scope": {"regionId": 1}}, "`scope`: There is no place with the id 1."),
        ({"kind": "GROUP", "scope": {"systemId": JITA}}, "`scope`: Only characters"),
    ):
        error = await api.error(LEADERS, variables)
        assert (error["extensions"], error["message"].startswith(says)) == ({"code": "BAD_REQUEST"}, True), error
    for query, most in (
        ("leaderboard(kind: REGION, first: 0) { lastDay }", 200),
        ("mostValuableKills(first: 0) { id }", 100),
    ):
        error = await api.error(f"{{ {query} }}")
        assert error["message"] == f"`first` must be from 1 to {most}, not 0."
    error = await api.error("{ mostValuableKills(window: ALL_TIME, scope: {systemId: 1}) { id } }")
    assert error["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.usefixtures("kills")
async def test_the_most_valuable_kills_come_first(api: GraphQL) -> None:
    query = """query($window: Window! = DAYS_7, $scope: PlaceScope) {
        mostValuableKills(window: $window, scope: $scope, first: 2) { id values { total }
        victim { character { name } } } }"""

    async def found(**variables: object) -> list[int]:
        return [one["id"] for one in (await api.data(query, variables))["mostValuableKills"]]

    assert (await api.data(query))["mostValuableKills"][0] == {
        "id": 4,
        "values": {"total": "4.00"},
        "victim": {"character": {"name": "Alice"}},
    }
    assert await found() == [4, 3]
    assert await found(window="ALL_TIME") == [5, 4]
    assert await found(window="DAY", scope={"systemId": JITA}) == [3, 2]
    assert await found(window="ALL_TIME", scope={"systemId": JITA}) == [5, 4]
    assert await found(scope={"regionId": DOMAIN}) == []


@pytest.mark.usefixtures("kills")
async def test_statistics_are_of_the_window_and_of_the_whole_life(api: GraphQL) -> None:
    data = await api.data(
        """query($id: ID64!) { character(id: $id) {
            statistics { totals { ...T } months { month figures { kills } } activity { kills losses }
              shipGroups { since isComplete used { count entity { ...on Group { name } } } lost { count } } }
            today: statistics(window: DAY) { totals { ...T } shipGroups { used { count } } } } }
        fragment T on EntityTotals { kills losses soloKills finalBlows iskDestroyed iskLost npcLosses npcIskLost
            dangerPercent gangPercent efficiencyPercent }""",
        {"id": KILLER},
    )
    whole, today = data["character"]["statistics"], data["character"]["today"]
    assert whole["totals"] == {
        "kills": 5,
        "losses": 0,
        "soloKills": 3,
        "finalBlows": 5,
        "iskDestroyed": "52.50",
        "iskLost": "0.00",
        "npcLosses": 0,
        "npcIskLost": "0.00",
        "dangerPercent": 100,
        "gangPercent": 40,
        "efficiencyPercent": 100,
    }
    assert (today["totals"]["kills"], today["totals"]["soloKills"], today["totals"]["gangPercent"]) == (3, 1, 67)
    assert [(month["month"], month["figures"]["kills"]) for month in whole["months"]] == [
        ("2021-10-01", 1),
        ("2021-12-01", 4),
    ]
    assert [len(day) for day in whole["activity"]["kills"]] == [24] * 7
    # Three on a Thursday, one on the Wednesday before, one 40 days before, on a Saturday.
    assert [whole["activity"]["kills"][day][12] for day in (3, 2, 5)] == [3, 1, 1]
    assert sum(map(sum, whole["activity"]["losses"])) == 0
    assert whole["shipGroups"] == {
        "since": "2021-10-23T12:00:00Z",
        "isComplete": True,
        "used": [{"count": 5, "entity": {"name": "Frigate"}}],
        "lost": [],
    }
    assert today["shipGroups"] == {"used": [{"count": 3}]}


@pytest.mark.usefixtures("kills")
async def test_points_and_dangers_of_one_without_a_kill_are_null_or_nothing(api: GraphQL) -> None:
    data = await api.data(
        """{ faction(id: 500001) { statistics { totals { kills pointsWon pointsLost dangerPercent gangPercent
             efficiencyPercent } months { month } shipGroups { isComplete } } } }"""
    )
    assert data["faction"]["statistics"] == {
        "totals": {
            "kills": 0,
            "pointsWon": 0,
            "pointsLost": 0,
            "dangerPercent": None,
            "gangPercent": None,
            "efficiencyPercent": None,
        },
        "months": [],
        "shipGroups": None,
    }


@pytest.mark.usefixtures("kills")
async def test_top_lists_tell_whom_where_and_with_what(api: GraphQL) -> None:
    data = await api.data(
        """query($ids: [ID64!]!) { corporations(ids: $ids) { topLists(window: DAY) { since isComplete
            characters { ...E } corporations { ...E } alliances { ...E } solarSystems { ...E } regions { ...E }
            shipTypes { ...E } weapons { ...E } groupsUsed { ...E } groupsLost { ...E } } } }
        fragment E on TopEntry { count entity { ...on Entity { name } ...on SolarSystem { systemName: name }
            ...on Region { regionName: name } ...on Type { typeName: name } ...on Group { groupName: name } } }""",
        {"ids": [KILLERS_CORPORATION, CORPORATION]},
    )
    killers, losers = (one["topLists"] for one in data["corporations"])
    assert killers == {
        "since": "2021-12-02T12:01:00Z",
        "isComplete": True,
        "characters": [{"count": 3, "entity": {"name": "Alice"}}],
        "corporations": [{"count": 3, "entity": {"name": "Alice Co"}}],
        "alliances": [{"count": 3, "entity": {"name": "Alice Alliance"}}],
        "solarSystems": [{"count": 3, "entity": {"systemName": "Jita"}}],
        "regions": [{"count": 3, "entity": {"regionName": "The Forge"}}],
        "shipTypes": [{"count": 6, "entity": {"typeName": "Rifter"}}],
        "weapons": [{"count": 6, "entity": {"typeName": "Rifter"}}],
        "groupsUsed": [{"count": 6, "entity": {"groupName": "Frigate"}}],
        "groupsLost": [],
    }
    assert losers["groupsLost"] == [{"count": 3, "entity": {"groupName": "Frigate"}}]
    assert losers["characters"] == []
    answer = await api.ask(f"{{ character(id: {PILOT}) {{ topLists(first: 101) {{ since }} }} }}")
    assert answer["errors"][0]["message"] == "`first` must be from 1 to 100, not 101."


@pytest.mark.usefixtures("kills")
async def test_a_search_finds_everything_with_a_name_and_leads_to_it(api: GraphQL) -> None:
    query = """query($query: String!, $kinds: [SearchKind!]) { search(query: $query, kinds: $kinds, first: 3) {
        rank kind id name ticker match kills similarity
        entity { __typename ...on Character { corporation { id } } ...on SolarSystem { security } } } }"""
    found = (await api.data(query, {"query": "alice"}))["search"]
    assert [(one["rank"], one["kind"], one["name"], one["match"], one["entity"]["__typename"]) for one in found] == [
        (1, "CHARACTER", "Alice", "EXACT", "Character"),
        (2, "ALLIANCE", "Alice Alliance", "PREFIX", "Alliance"),
        (3, "CORPORATION", "Alice Co", "PREFIX", "Corporation"),
    ]
    assert (await api.data(query, {"query": "ALCO"}))["search"][0]["match"] == "TICKER"
    assert (await api.data(query, {"query": "jita", "kinds": ["SOLAR_SYSTEM"]}))["search"] == [
        {
            "rank": 1,
            "kind": "SOLAR_SYSTEM",
            "id": JITA,
            "name": "Jita",
            "ticker": None,
            "match": "EXACT",
            "kills": 5,
            "similarity": 0.0,
            "entity": {"__typename": "SolarSystem", "security": 0.9},
        }
    ]
    for text, type_name in (
        ("rifter", "Type"),
        ("frigate", "Group"),
        ("kimotoro", "Constellation"),
        ("the forge", "Region"),
        ("caldari state", "Faction"),
    ):
        assert (await api.data(query, {"query": text}))["search"][0]["entity"]["__typename"] == type_name
    assert (await api.data(query, {"query": " %"}))["search"] == []
    error = await api.error('{ search(query: "a", first: 51) { id } }')
    assert error["message"] == "`first` must be from 1 to 50, not 51."


@pytest.mark.usefixtures("kills")
async def test_the_totals_are_of_everything_of_today_and_of_yesterday(api: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("update event set at = $1", NOW - timedelta(seconds=90))
        await connection.execute("delete from refresh_ledger")
        await connection.execute(
            "insert into refresh_ledger (entity_kind, entity_id) values ($1, 7), ($1, 8)", int(EntityKind.CHARACTER)
        )
    data = await api.data(
        """{ stats { killmails isk killmailsToday iskToday killmailsYesterday iskYesterday feedLagSeconds
             entities { kind known waiting } hours { beginsAt killmails isk } } }"""
    )
    hours = data["stats"].pop("hours")
    assert data["stats"] == {
        "killmails": 5,
        "isk": "50.05",
        "killmailsToday": 3,
        "iskToday": "30.03",
        "killmailsYesterday": 1,
        "iskYesterday": "10.01",
        "feedLagSeconds": 90.0,
        "entities": [
            {"kind": "CHARACTER", "known": 1, "waiting": 2},
            {"kind": "CORPORATION", "known": 1, "waiting": 0},
            {"kind": "ALLIANCE", "known": 1, "waiting": 0},
        ],
    }
    assert len(hours) == 25
    assert hours[0] == {"beginsAt": "2021-12-01T12:00:00Z", "killmails": 0, "isk": "0.00"}
    assert hours[-1] == {"beginsAt": "2021-12-02T12:00:00Z", "killmails": 3, "isk": "6.00"}


async def test_an_empty_installation_has_totals_too(api: GraphQL) -> None:
    data = await api.data("{ stats { killmails isk feedLagSeconds entities { known waiting } } }")
    nothing = {"known": 0, "waiting": 0}
    assert data["stats"] == {"killmails": 0, "isk": "0.00", "feedLagSeconds": None, "entities": [nothing] * 3}


@pytest.mark.usefixtures("kills")
async def test_completeness_compares_the_days_with_zkillboard(api: GraphQL, database: Database) -> None:
    at = datetime(2021, 12, 3, tzinfo=UTC)
    async with database.transaction() as connection:
        await keep_published(connection, {NOON.date(): 4}, at)
    query = "query($from: Date!, $to: Date!) { completeness(from: $from, to: $to) { day stored published comparedAt } }"
    data = await api.data(query, {"from": "2021-12-01", "to": "2021-12-31"})
    assert data["completeness"] == [
        {"day": "2021-12-01", "stored": 1, "published": None, "comparedAt": None},
        {"day": "2021-12-02", "stored": 3, "published": 4, "comparedAt": "2021-12-03T00:00:00Z"},
    ]
    for first, last in (("2021-12-02", "2021-12-01"), ("2001-01-01", "2021-12-01")):
        error = await api.error(query, {"from": first, "to": last})
        assert error["message"] == "`to` must be from 0 to 3660 days after `from`."
        assert error["extensions"] == {"code": "BAD_REQUEST"}
    for day in ("2021-13-01", "20211201", "yesterday"):
        error = await api.error(query, {"from": day, "to": "2021-12-01"})
        assert f"Date must be a day such as 2026-11-23, not '{day}'." in error["message"]
