"""Static data by id, what lies in what, and what happened there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from killreport.clock import utc_now
from killreport.db.database import Database
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.recording import RecordingDatabase
from tests.integration.api.test_statements import api as api  # noqa: PLC0414 - the fixture whose statements are noted
from tests.integration.api.test_statements import recording as recording  # noqa: PLC0414
from tests.integration.kills import DAMAGE_CONTROL, JITA, RIFTER, TRITANIUM, arrival, store, store_many
from tests.integration.serving import GraphQL

THE_FORGE, KIMOTORO, FRIGATE, SHIP = 10000002, 20000020, 25, 6
PERIMETER, AMARR = 30000144, 30002187
NOBODY = {"kills": 0, "losses": 0}


async def test_a_system_lies_in_its_constellation_and_region(api: GraphQL) -> None:
    query = """query($id: ID64!) { system(id: $id) { id name security trueSecurity spaceClass
        constellation { id name region { id } } region { id name } } }"""
    system = (await api.data(query, {"id": JITA}))["system"]
    assert system.pop("trueSecurity") == pytest.approx(0.9459, abs=1e-4)
    assert system == {
        "id": JITA,
        "name": "Jita",
        "security": 0.9,
        "spaceClass": "highsec",
        "constellation": {"id": KIMOTORO, "name": "Kimotoro", "region": {"id": THE_FORGE}},
        "region": {"id": THE_FORGE, "name": "The Forge"},
    }


async def test_what_lies_in_what_is_that_of_the_static_data(api: GraphQL, database: Database) -> None:
    async with database.connection() as connection:
        universe = await load_universe(connection)
    region = (
        await api.data("""{ region(id: 10000002) { name systems { id } constellations { id systems { id } } } }""")
    )["region"]
    systems = sorted(one.solar_system_id for one in universe.systems.values() if one.region_id == THE_FORGE)
    assert [one["id"] for one in region["systems"]] == systems
    below = [system["id"] for constellation in region["constellations"] for system in constellation["systems"]]
    assert sorted(below) == systems
    groups = (await api.data("{ category(id: 6) { name published groups { id } } }"))["category"]
    assert (groups["name"], groups["published"]) == ("Ship", True)
    assert [one["id"] for one in groups["groups"]] == sorted(
        one.group_id for one in universe.groups.values() if one.category_id == SHIP
    )
    every = await api.data("{ regions { id } categories { id } }")
    assert [one["id"] for one in every["regions"]] == sorted(universe.regions)
    assert [one["id"] for one in every["categories"]] == sorted(universe.categories)


async def test_the_types_of_a_group_come_page_by_page(api: GraphQL, database: Database) -> None:
    async with database.connection() as connection:
        universe = await load_universe(connection)
    expected = sorted(one.type_id for one in universe.types.values() if one.group_id == FRIGATE)
    query = """query($after: String) { group(id: 25) { published category { id } types(first: 30, after: $after) {
        totalCount nodes { id } pageInfo { hasNextPage endCursor } } } }"""
    found: list[int] = []
    after = None
    while True:
        group = (await api.data(query, {"after": after}))["group"]
        assert (group["category"], group["types"]["totalCount"]) == ({"id": SHIP}, len(expected))
        found += [node["id"] for node in group["types"]["nodes"]]
        after = group["types"]["pageInfo"]["endCursor"]
        if not group["types"]["pageInfo"]["hasNextPage"]:
            break
    assert found == expected


async def test_ids_that_are_unknown_are_null(api: GraphQL) -> None:
    ones = "region constellation system type group category"
    query = " ".join(f"{name}(id: 999999) {{ id }}" for name in ones.split())
    assert list((await api.data(f"{{ {query} }}")).values()) == [None] * 6
    plurals = "regions constellations systems types groups categories"
    query = " ".join(f"{name}(ids: [999999999]) {{ id }}" for name in plurals.split())
    assert list((await api.data(f"{{ {query} }}")).values()) == [[None]] * 6
    two = await api.data(f"{{ types(ids: [{RIFTER}, 999999, {TRITANIUM}, {RIFTER}]) {{ name }} }}")
    assert two["types"] == [{"name": "Rifter"}, None, {"name": "Tritanium"}, {"name": "Rifter"}]


async def test_arguments_that_cannot_be_are_refused(api: GraphQL) -> None:
    many = ", ".join(str(number) for number in range(201))
    for query, message in (
        ("{ types(ids: []) { id } }", "`ids` may have from 1 to 200 ids, not 0."),
        (f"{{ systems(ids: [{many}]) {{ id }} }}", "`ids` may have from 1 to 200 ids, not 201."),
        ("{ system(id: 30000142) { killmails(first: 0) { nodes { id } } } }", "`first` must be from 1 to 200, not 0."),
        ("{ group(id: 25) { types(first: 201) { nodes { id } } } }", "`first` must be from 1 to 200, not 201."),
        ("{ type(id: 587) { priceHistory(days: 367) { day } } }", "`days` must be from 1 to 366, not 367."),
        (
            "{ regions { systems { activity { killmails } } } }",
            "`activity` is of at most 200 places, not",
        ),
    ):
        # Below a list, every place that is null has its own error.
        error = (await api.ask(query))["errors"][0]
        assert error["message"].startswith(message)
        assert error["extensions"] == {"code": "BAD_REQUEST"}
    answer = await api.ask("{ regions { systems { killmails(first: 200) { nodes { id } } } } }")
    assert answer["errors"][0]["extensions"] == {"code": "REFUSED"}
    for cursor in ("nonsense", "aQ", "x" * 100):
        query = f'{{ group(id: 25) {{ types(after: "{cursor}") {{ nodes {{ id }} }} }} }}'
        assert (await api.error(query))["extensions"] == {"code": "BAD_CURSOR"}


async def test_killmails_of_a_place_come_page_by_page_the_newest_first(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 5)
    for place, place_id in (("system", JITA), ("constellation", KIMOTORO), ("region", THE_FORGE)):
        query = f"""query($after: String) {{ {place}(id: {place_id}) {{ totals {{ kills losses }}
            killmails(first: 2, after: $after) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
        pages, after = [], None
        for _ in range(3):
            found = (await api.data(query, {"after": after}))[place]
            assert found["totals"] == {"kills": 5, "losses": 0}
            pages.append([node["id"] for node in found["killmails"]["nodes"]])
            after = found["killmails"]["pageInfo"]["endCursor"]
        assert pages == [[1004, 1003], [1002, 1001], [1000]]
        assert found["killmails"]["pageInfo"]["hasNextPage"] is False
    for kind, one in (("type", RIFTER), ("group", FRIGATE)):
        query = f"{{ {kind}(id: {one}) {{ totals {{ kills losses }} losses(first: 3) {{ nodes {{ id }} }} }} }}"
        found = (await api.data(query))[kind]
        assert found["totals"] == {"kills": 5, "losses": 5}
        assert [node["id"] for node in found["losses"]["nodes"]] == [1004, 1003, 1002]
    assert (await api.data("{ category(id: 6) { totals { kills losses } } }"))["category"]["totals"] == {
        "kills": 5,
        "losses": 5,
    }
    assert (await api.data("{ type(id: 34) { totals { kills losses } } }"))["type"]["totals"] == NOBODY


async def test_killmails_of_a_place_are_read_back_from_the_end(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 5)
    asked = "nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor }"
    for place, place_id, name in (
        ("system", JITA, "killmails"),
        ("region", THE_FORGE, "killmails"),
        ("type", RIFTER, "losses"),
        ("group", FRIGATE, "losses"),
    ):
        query = f"""query($before: String) {{ {place}(id: {place_id}) {{
            list: {name}(last: 2, before: $before) {{ {asked} }} }} }}"""
        pages, before = [], None
        for _ in range(3):
            found = (await api.data(query, {"before": before}))[place]["list"]
            pages.append([node["id"] for node in found["nodes"]])
            assert found["pageInfo"]["hasNextPage"] is (before is not None)
            assert found["pageInfo"]["hasPreviousPage"] is (len(pages) < 3)
            before = found["pageInfo"]["startCursor"]
        assert pages == [[1001, 1000], [1003, 1002], [1004]]
        total = await api.data(f"{{ {place}(id: {place_id}) {{ list: {name}(first: 1) {{ totalCount }} }} }}")
        assert total[place]["list"] == {"totalCount": 5}
        both = await api.ask(f"{{ {place}(id: {place_id}) {{ {name}(first: 1, last: 1) {{ nodes {{ id }} }} }} }}")
        assert both["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


async def test_activity_counts_each_hour_of_a_place(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    now = utc_now()
    await store(
        writer,
        database,
        arrival(1, now - timedelta(minutes=1)),
        arrival(2, now - timedelta(hours=5)),
        arrival(3, now - timedelta(hours=30)),
    )
    query = """{ region(id: 10000002) { activity { beginsAt killmails isk } }
        system(id: 30000142) { activity(span: WEEK) { killmails } }
        other: system(id: 30002187) { activity { killmails } } }"""
    found = await api.data(query)
    day = found["region"]["activity"]
    assert len(day) == 25
    hours = {datetime.fromisoformat(hour["beginsAt"]): hour for hour in day}
    this_hour = (now - timedelta(minutes=1)).replace(minute=0, second=0, microsecond=0)
    five_ago = (now - timedelta(hours=5)).replace(minute=0, second=0, microsecond=0)
    assert {at: hour["killmails"] for at, hour in hours.items() if hour["killmails"]} == {this_hour: 1, five_ago: 1}
    assert float(hours[five_ago]["isk"]) > 0
    week = found["system"]["activity"]
    assert (len(week), sum(hour["killmails"] for hour in week)) == (169, 3)
    assert sum(hour["killmails"] for hour in found["other"]["activity"]) == 0


async def test_a_type_tells_its_price_its_slots_and_its_detail(api: GraphQL, database: Database) -> None:
    today = datetime.now(UTC).date()
    async with database.transaction() as connection:
        await connection.execute(
            "insert into type_detail values ($1, 'A fast frigate.', 1067000, 27289, 140, '2026-01-01T00:00:00Z')",
            RIFTER,
        )
        for back, cents in ((0, 50_000_00), (2, 52_000_00), (40, 51_000_00)):
            await connection.execute(
                "insert into price_day (type_id, day, average_cents, source) values ($1, $2, $3, 'test')",
                *(RIFTER, today - timedelta(days=back), cents),
            )
        await connection.execute("update price_version set version = version + 1")
    query = f"""{{ type(id: {RIFTER}) {{ published slot slots {{ high mid low rig }}
        detail {{ description mass volume capacity refreshedAt }} price {{ day isk rule explanation }}
        priceHistory {{ day average }} }}
        module: type(id: {DAMAGE_CONTROL}) {{ slot slots {{ high }} detail {{ mass }} }}
        }}"""
    found = await api.data(query)
    rifter = found["type"]
    assert (rifter["published"], rifter["slot"]) == (True, None)
    assert rifter["slots"] == {"high": 3, "mid": 3, "low": 4, "rig": 3}
    assert rifter["detail"] == {
        "description": "A fast frigate.",
        "mass": 1067000.0,
        "volume": 27289.0,
        "capacity": 140.0,
        "refreshedAt": "2026-01-01T00:00:00Z",
    }
    assert (rifter["price"]["day"], rifter["price"]["isk"]) == (today.isoformat(), "50000.00")
    assert rifter["price"]["rule"] == "MARKET_DAY"
    assert "that very day" in rifter["price"]["explanation"]
    assert rifter["priceHistory"] == [
        {"day": (today - timedelta(days=2)).isoformat(), "average": "52000.00"},
        {"day": today.isoformat(), "average": "50000.00"},
    ]
    assert found["module"] == {"slot": "low", "slots": None, "detail": None}


TYPE_FIELDS = """name published slot slots { high } detail { mass } price { isk } priceHistory(days: 5) { average }
    totals { losses } losses(first: 2) { totalCount nodes { id victim { character { name } } } }
    group { category { totals { kills } } }"""
PLACE_FIELDS = """activity { killmails } totals { kills }
    killmails(first: 2) { totalCount nodes { id victim { character { name } } } }"""


@pytest.mark.parametrize(
    ("field", "selection"),
    [
        ("types", TYPE_FIELDS),
        (
            "groups",
            "types(first: 2) { nodes { id price { isk } } } totals { kills } losses(first: 1) { nodes { id } }",
        ),
        ("categories", "totals { kills } groups { id totals { losses } }"),
        ("systems", PLACE_FIELDS),
        ("constellations", PLACE_FIELDS),
        ("regions", PLACE_FIELDS),
    ],
)
async def test_a_hundred_take_as_many_statements_as_one(
    api: GraphQL,
    writer: KillmailWriter,
    recording: RecordingDatabase,
    field: str,
    selection: str,
) -> None:
    await store_many(writer, recording, 3)
    async with recording.connection() as connection:
        known: dict[int, Any] = getattr(await load_universe(connection), field)
    one = {"types": RIFTER, "groups": FRIGATE, "categories": SHIP, "systems": JITA, "constellations": KIMOTORO}
    first = one.get(field, THE_FORGE)
    ids = [first, *(other for other in sorted(known) if other != first)][:100]
    query = f"query($ids: [ID64!]!) {{ {field}(ids: $ids) {{ id {selection} }} }}"
    await api.data(query, {"ids": ids})  # a price that was asked for is remembered for the day
    for_one = await recording.count(api, query, {"ids": ids[:1]})
    assert 0 < for_one <= 10
    assert await recording.count(api, query, {"ids": ids}) == for_one, recording.statements


async def test_static_data_alone_takes_no_statement(api: GraphQL, recording: RecordingDatabase) -> None:
    query = "{ regions { name constellations { name systems { name security trueSecurity } } } }"
    assert await recording.count(api, query, {}) == 0, recording.statements


async def test_places_and_types_never_scan_the_facts(
    api: GraphQL, writer: KillmailWriter, recording: RecordingDatabase
) -> None:
    await store_many(writer, recording, 3)
    async with recording.transaction() as connection:
        await connection.execute(_MULTIPLY)
    async with recording.connection() as connection:
        await connection.execute("analyze")
    recording.statements.clear()
    for field, ids, selection in (
        ("systems", [JITA, PERIMETER, AMARR], PLACE_FIELDS),
        ("constellations", [KIMOTORO], PLACE_FIELDS),
        ("regions", [THE_FORGE], "activity(span: WEEK) { killmails } killmails { nodes { id } } totals { kills }"),
        ("types", [RIFTER, TRITANIUM], TYPE_FIELDS),
        ("groups", [FRIGATE], "totals { kills } losses { nodes { id } }"),
    ):
        await api.data(f"query($ids: [ID64!]!) {{ {field}(ids: $ids) {{ {selection} }} }}", {"ids": ids})
    statements = list(recording.statements)
    assert len(statements) > 15
    async with recording.connection() as connection:
        for statement, arguments in statements:
            plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement}", *arguments))
            for table in ("killmail", "price_day"):
                assert f"Seq Scan on {table} " not in f"{plan} ", f"{statement}\n{plan}"


# 20,000 killmails like the first in as many hours and other systems, and prices, so that the planner has a choice.
_MULTIPLY = """
create temporary table copy on commit drop as select * from killmail where killmail_id = 1000;
insert into killmail
  select (jsonb_populate_record(copy, jsonb_build_object('killmail_id', 5000 + number,
    'killmail_time', copy.killmail_time - number * interval '1 hour', 'solar_system_id', 30000001 + number % 5000,
    'constellation_id', 20000001 + number % 700, 'region_id', 10000001 + number % 60,
    'ship_type_id', 582 + number % 30, 'ship_group_id', 25 + number % 9))).*
    from copy, generate_series(1, 20000) as number;
insert into price_day (type_id, day, average_cents, source)
  select 580 + number % 100, date '2026-11-01' - number / 100, 100, 'test' from generate_series(0, 19999) as number;
"""
