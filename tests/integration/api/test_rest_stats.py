"""`/api/stats`: GraphQL's figures, and lists, hours and facts in the shape that zKillboard's readers take apart."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from killreport.clock import utc_now
from killreport.db.database import Database
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import CORPORATION, JITA, KILLER, KILLERS_CORPORATION, NOON, PILOT, RIFTER, arrival, store
from tests.integration.serving import GraphQL

THE_FORGE, KIMOTORO, FRIGATES, THRASHER, DESTROYERS = 10000002, 20000020, 25, 16242, 420
SERPENTIS, SERPENTIS_CORPORATION = 500020, 1000135
PILOTS, CORPORATIONS, ALLIANCES, FACTIONS = 12, 5, 3, (500001, 500002)


async def ask(api: GraphQL, path: str) -> Any:
    """Return the JSON of a successful answer."""
    async with api.session.get(f"{api.address}{path}") as response:
        assert response.status == 200, await response.text()
        return await response.json()


def party(number: int) -> dict[str, int]:
    """Return a pilot with where it belongs."""
    found = {"character_id": PILOT + number, "corporation_id": CORPORATION + number % CORPORATIONS}
    if number % 4:
        found["alliance_id"] = 99000001 + number % ALLIANCES
    if number % 5 == 0:
        found["faction_id"] = FACTIONS[number % 2]
    return found


def fights(seed: int, number: int) -> list[Arrival]:
    """Return losses of a few pilots to each other, alone and in gangs, and a third of them to NPCs alone."""
    chance = random.Random(seed)
    found = []
    for place in range(number):
        victim, *others = chance.sample(range(PILOTS), chance.choice((2, 2, 4)))
        if chance.random() < 1 / 3:
            attackers: list[dict[str, Any]] = [
                {"faction_id": SERPENTIS, "corporation_id": SERPENTIS_CORPORATION, "ship_type_id": RIFTER}
            ]
        else:
            attackers = [{**party(other), "ship_type_id": RIFTER, "weapon_type_id": RIFTER} for other in others]
        for order, attacker in enumerate(attackers):
            attacker |= {"damage_done": 100, "final_blow": order == 0, "security_status": 0.0}
        body = {
            "killmail_id": 1000 + place,
            "killmail_time": f"{NOON + timedelta(days=17 * place % 90, minutes=place):%Y-%m-%dT%H:%M:%SZ}",
            "solar_system_id": JITA,
            "victim": {**party(victim), "ship_type_id": chance.choice((RIFTER, THRASHER)), "damage_taken": 100},
            "attackers": attackers,
        }
        found.append(Arrival(decode_killmail(msgspec.json.encode(body)), "test", reference=f"test:{place}"))
    return found


async def test_both_doors_have_the_same_figures_of_everybody(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, *fights(7, 90))
    totals = """statistics { totals { kills losses soloKills soloLosses iskDestroyed iskLost pointsWon pointsLost
                dangerPercent gangPercent } months { month figures { kills losses soloKills } } }"""
    data = await api.data(
        f"""query($characters: [ID64!]!, $corporations: [ID64!]!, $alliances: [ID64!]!,
                  $factions: [ID64!]!) {{
            characters(ids: $characters) {{ id {totals} }} corporations(ids: $corporations) {{ id {totals} }}
            alliances(ids: $alliances) {{ id {totals} }} factions(ids: $factions) {{ id {totals} }} }}""",
        {
            "characters": [PILOT + number for number in range(PILOTS)],
            "corporations": [CORPORATION + number for number in range(CORPORATIONS)],
            "alliances": [99000001 + number for number in range(ALLIANCES)],
            "factions": list(FACTIONS),
        },
    )
    walked = 0
    for plural, kind in (
        ("characters", "characterID"), ("corporations", "corporationID"),
        ("alliances", "allianceID"), ("factions", "factionID"),
    ):  # fmt: skip
        for entity in data[plural]:
            theirs, ours = await ask(api, f"/api/stats/{kind}/{entity['id']}/"), entity["statistics"]
            counted = ours["totals"]
            assert (theirs.get("dangerRatio"), theirs.get("gangRatio")) == (
                counted["dangerPercent"],
                counted["gangPercent"],
            ), (kind, entity["id"])
            assert {name: theirs[name] for name in SAME} == {
                name: float(counted[same]) if "Isk" in same or "isk" in same else counted[same]
                for name, same in SAME.items()
            }
            assert [
                (name, month["shipsDestroyed"], month["shipsLost"]) for name, month in theirs["months"].items()
            ] == [
                (month["month"][:7].replace("-", ""), month["figures"]["kills"], month["figures"]["losses"])
                for month in ours["months"]
            ]
            walked += bool(counted["kills"] or counted["losses"])
    assert walked >= PILOTS + CORPORATIONS + ALLIANCES + len(FACTIONS)


SAME = {
    "shipsDestroyed": "kills",
    "shipsLost": "losses",
    "soloKills": "soloKills",
    "soloLosses": "soloLosses",
    "iskDestroyed": "iskDestroyed",
    "iskLost": "iskLost",
    "pointsDestroyed": "pointsWon",
    "pointsLost": "pointsLost",
}


async def test_solo_losses_are_those_to_one_player_alone(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1), arrival(2), arrival(3, attackers=2))

    for path in (f"characterID/{PILOT}", f"shipTypeID/{RIFTER}", f"groupID/{FRIGATES}"):
        found = await ask(api, f"/api/stats/{path}/")
        assert (found["shipsLost"], found["soloLosses"]) == (3, 2)
    assert (await ask(api, f"/api/stats/regionID/{THE_FORGE}/"))["soloLosses"] == 0


@pytest.fixture
async def week(database: Database, writer: KillmailWriter) -> datetime:
    """Store two kills of yesterday, by one and by three pilots, and one of last month; return when the first was."""
    yesterday = utc_now().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC) - timedelta(hours=5)
    await store(
        writer,
        database,
        arrival(1, yesterday),
        arrival(2, yesterday + timedelta(hours=1), attackers=3, ship_type_id=THRASHER),
        arrival(3, yesterday - timedelta(days=30)),
    )
    return yesterday


def lines(found: dict[str, Any], kind: str, key: str) -> list[tuple[int, int]]:
    """Return ids and kills of one of the lists."""
    (values,) = [one["values"] for one in found["topLists"] if one["type"] == kind]
    assert all(line[key] == line["id"] for line in values)
    return [(line["id"], line["kills"]) for line in values]


@pytest.mark.parametrize(
    ("path", "pilots"),
    [
        (f"characterID/{KILLER}", [(KILLER, 2)]),
        (f"corporationID/{KILLERS_CORPORATION}", [(KILLER, 2), (KILLER + 1, 1), (KILLER + 2, 1)]),
        (f"shipTypeID/{RIFTER}", [(KILLER, 2), (KILLER + 1, 1), (KILLER + 2, 1)]),
        (f"groupID/{FRIGATES}", [(KILLER, 2), (KILLER + 1, 1), (KILLER + 2, 1)]),
        (f"solarSystemID/{JITA}", [(KILLER, 2), (KILLER + 1, 1), (KILLER + 2, 1)]),
        (f"regionID/{THE_FORGE}", [(KILLER, 2), (KILLER + 1, 1), (KILLER + 2, 1)]),
    ],
)
@pytest.mark.usefixtures("week")
async def test_top_lists_are_of_seven_days_and_name_the_killing_side(
    api: GraphQL, database: Database, path: str, pilots: list[tuple[int, int]]
) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "insert into character (character_id, name, refreshed_at) values ($1, 'Bob', now())", KILLER
        )
        await connection.execute("update killmail set total_value_cents = 1000 * killmail_id")
    found = await ask(api, f"/api/stats/{path}/")

    assert [one["type"] for one in found["topLists"]] == [
        *("character", "corporation", "alliance", "shipType", "solarSystem", "location")
    ]
    assert lines(found, "character", "characterID") == pilots
    assert lines(found, "corporation", "corporationID") == [(KILLERS_CORPORATION, 2)]
    assert lines(found, "alliance", "allianceID") == []
    assert lines(found, "shipType", "shipTypeID") == [(RIFTER, 2)]
    assert lines(found, "solarSystem", "solarSystemID") == [(JITA, 2)]
    assert found["topIskKillIDs"] == [2, 1]
    assert found["topLists"][0]["values"][0]["characterName"] == "Bob"
    assert found["topLists"][3]["values"][0] | {"kills": 2} == {
        "kills": 2,
        "shipTypeID": RIFTER,
        "shipName": "Rifter",
        "groupID": FRIGATES,
        "groupName": "Frigate",
        "id": RIFTER,
        "typeID": None,
        "name": "Rifter",
    }
    assert found["topLists"][4]["values"][0]["solarSystemSecurity"] == "0.9"


@pytest.mark.usefixtures("week")
async def test_groups_are_of_the_victims_ship_over_all_time(api: GraphQL) -> None:
    killer = await ask(api, f"/api/stats/characterID/{KILLER}/")
    victim = await ask(api, f"/api/stats/characterID/{PILOT}/")
    region = await ask(api, f"/api/stats/regionID/{THE_FORGE}/")

    def counts(found: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
        return {
            name: (row["groupID"], row["shipsDestroyed"], row["shipsLost"]) for name, row in found["groups"].items()
        }

    assert counts(killer) == counts(region) == {"25": (25, 2, 0), "420": (420, 1, 0)}
    assert counts(victim) == {"25": (25, 0, 2), "420": (420, 0, 1)}
    assert sum(row["iskLost"] for row in victim["groups"].values()) == pytest.approx(victim["iskLost"])
    assert sum(row["pointsDestroyed"] for row in killer["groups"].values()) == killer["pointsDestroyed"]


async def test_activity_counts_by_day_from_sunday_and_hour(api: GraphQL, week: datetime) -> None:
    found = await ask(api, f"/api/stats/corporationID/{CORPORATION}/")

    at = [week, week + timedelta(hours=1), week - timedelta(days=30)]
    expected: dict[str, dict[str, int]] = {}
    for time in at:
        expected.setdefault(str(time.isoweekday() % 7), {})[str(time.hour)] = 1
    assert found["activity"].pop("days") == ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    assert found["activity"].pop("max") == 1
    assert found["activity"] == expected
    assert "activity" not in await ask(api, "/api/stats/corporationID/98111111/")


async def test_info_tells_what_is_known_in_both_spellings(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1))
    born = datetime(2009, 3, 4, 5, 6, 7, tzinfo=UTC)
    async with database.transaction() as connection:
        await connection.execute(
            """insert into character (character_id, name, corporation_id, alliance_id, birthday, security_status,
                                      refreshed_at)
               values ($1, 'Alice', $2, 99000001, $3, -1.5, now())""",
            PILOT, CORPORATION, born,
        )  # fmt: skip
        await connection.execute(
            """insert into corporation (corporation_id, name, ticker, member_count, alliance_id, ceo_id, refreshed_at)
               values ($1, 'Alice Co', 'ALCO', 42, 99000001, $2, now())""",
            CORPORATION, PILOT,
        )  # fmt: skip
        await connection.execute(
            """insert into alliance (alliance_id, name, ticker, member_count, corporation_count, refreshed_at)
               values (99000001, 'Alice Alliance', 'ALLI', 4200, 3, now())"""
        )
    assert (await ask(api, f"/api/stats/characterID/{PILOT}/"))["info"] == {
        "id": PILOT,
        "type": "characterID",
        "name": "Alice",
        "birthday": "2009-03-04T05:06:07Z",
        "corporationID": CORPORATION,
        "corporation_id": CORPORATION,
        "allianceID": 99000001,
        "alliance_id": 99000001,
        "secStatus": -1.5,
        "security_status": -1.5,
    }
    corporation = (await ask(api, f"/api/stats/corporationID/{CORPORATION}/"))["info"]
    assert [corporation[name] for name in ("ticker", "memberCount", "alliance_id", "ceoID")] == [
        "ALCO", 42, 99000001, PILOT,
    ]  # fmt: skip
    alliance = (await ask(api, "/api/stats/allianceID/99000001/"))["info"]
    assert [alliance[name] for name in ("ticker", "memberCount", "corpCount")] == ["ALLI", 4200, 3]
    system = (await ask(api, f"/api/stats/systemID/{JITA}/"))["info"]
    assert (system["regionID"], system["secStatus"]) == (THE_FORGE, 0.9)


async def test_of_somebody_who_is_gone_nothing_says_where_they_belong(api: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            """insert into character (character_id, name, corporation_id, alliance_id, refreshed_at, gone_at)
               values ($1, 'Alice', $2, 99000001, now(), now())""",
            PILOT, CORPORATION,
        )  # fmt: skip
    assert (await ask(api, f"/api/stats/characterID/{PILOT}/"))["info"] == {
        "id": PILOT, "type": "characterID", "name": "Alice",
    }  # fmt: skip


async def test_nothing_is_told_of_what_is_no_place(api: GraphQL) -> None:
    found = await ask(api, "/api/stats/regionID/1/")

    assert (found["topIskKillIDs"], found["groups"], found["info"]["name"]) == ([], {}, None)
    assert all(one["values"] == [] for one in found["topLists"])
