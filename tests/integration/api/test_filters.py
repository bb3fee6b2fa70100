"""Lists of killmails that are filtered, ordered and read in either direction, over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from killreport.clock import utc_now
from killreport.db.database import Database
from killreport.killmail.filters.tree import MAX_DEPTH
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import ALLIANCE, JITA, KILLER, NOON, PILOT, TRITANIUM, arrival, store, store_many
from tests.integration.serving import GraphQL

LIST = """query($filter: KillmailFilter, $order: KillmailOrder! = NEWEST, $first: Int, $after: String, $last: Int,
    $before: String) {
  killmails(filter: $filter, order: $order, first: $first, after: $after, last: $last, before: $before) {
    nodes { id cursor } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
RAVEN, AUTOCANNON = 638, 2889
SINCE = {"from": "2021-12-02T00:00:00Z", "to": "2021-12-03T00:00:00Z"}


async def ids(api: GraphQL, **variables: Any) -> list[int]:
    """Return the ids of a page."""
    return [node["id"] for node in (await api.data(LIST, variables))["killmails"]["nodes"]]


async def cargo(writer: KillmailWriter, database: Database, *tritanium: int) -> None:
    """Store killmails 1, 2, … that carried so much of a mineral each."""
    await store(
        writer,
        database,
        *(
            arrival(
                number,
                NOON,
                character_id=PILOT + number,
                items=[{"item_type_id": TRITANIUM, "flag": 5, "singleton": 0, "quantity_dropped": quantity}],
            )
            for number, quantity in enumerate(tritanium, 1)
        ),
    )


async def test_conditions_nest_and_take_literals_and_variables(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 5)
    later = (NOON + timedelta(seconds=3)).isoformat()

    assert await ids(api, filter={"victimCharacter": [PILOT + 1, PILOT + 3]}) == [1003, 1001]
    assert await ids(api, filter={"character": KILLER, "from": later}) == [1004, 1003]
    assert await ids(api, filter={"or": [{"victimCharacter": [PILOT]}, {"from": later}], "attackersMin": None}) == [
        1004,
        1003,
        1000,
    ]
    assert await ids(api, filter={"not": {"from": later}, "and": [{"hours": {"from": 12, "to": 13}}]}) == [
        1002,
        1001,
        1000,
    ]
    assert await ids(api, filter={"valueMin": "1.5", "valueMax": 1}) == []
    written = f'{{ killmails(filter: {{valueMin: 1.5e0, system: {JITA}, to: "{later}"}}) {{ nodes {{ id }} }} }}'
    assert [node["id"] for node in (await api.data(written))["killmails"]["nodes"]] == [1002, 1001, 1000]


async def test_what_is_wrong_with_a_filter_is_named_with_its_path(api: GraphQL) -> None:
    deep: dict[str, Any] = {"solo": True}
    for _ in range(MAX_DEPTH):
        deep = {"not": deep}
    for wrong, message in (
        ({"and": [{"solo": True}, {"valueMin": -1}]}, "`filter.and[1].valueMin`: an amount from 0 to 10"),
        ({"from": "yesterday"}, "`filter.from`: a time such as 2026-01-31T18:00:00Z is needed."),
        ({"victimAlliance": []}, "`filter.victimAlliance`: a list of 1 to 50 is needed, not 0."),
        ({"space": ["outer"]}, "`filter.space[0]`: `outer` is none of highsec, "),
        (deep, f"`filter.not.not.not.not.not`: filters may be nested {MAX_DEPTH} deep."),
    ):
        error = await api.error(LIST, {"filter": wrong})
        assert error["message"].startswith(message)
        assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert "`victimAliance`" in str(await api.error(LIST, {"filter": {"victimAliance": [1]}})).replace("'", "`")


async def test_a_filter_nested_without_end_is_refused_like_any_other(api: GraphQL) -> None:
    for depth in (200, 9_000):
        text = '{"not":' * depth + '{"solo":true}' + "}" * depth
        body = f'{{"query": {json.dumps(LIST)}, "variables": {{"filter": {text}}}}}'
        headers = {"Content-Type": "application/json"}
        async with api.session.post(f"{api.address}/graphql", data=body, headers=headers) as response:
            answer = await response.json()
        assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST", answer


async def test_a_list_is_read_back_as_it_was_read_on(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await cargo(writer, database, 30, 10, 20, 10, 50)
    for order, expected in (("NEWEST", [5, 4, 3, 2, 1]), ("MOST_VALUABLE", [5, 1, 3, 4, 2])):
        asked = {"filter": SINCE, "order": order}
        head = (await api.data(LIST, {**asked, "first": 3}))["killmails"]
        tail = (await api.data(LIST, {**asked, "first": 3, "after": head["pageInfo"]["endCursor"]}))["killmails"]
        assert [node["id"] for node in head["nodes"] + tail["nodes"]] == expected
        assert [head["pageInfo"][key] for key in ("hasPreviousPage", "hasNextPage")] == [False, True]
        assert [tail["pageInfo"][key] for key in ("hasPreviousPage", "hasNextPage")] == [True, False]

        back = (await api.data(LIST, {**asked, "last": 2, "before": tail["pageInfo"]["startCursor"]}))["killmails"]
        assert [node["id"] for node in back["nodes"]] == expected[1:3]
        assert [back["pageInfo"][key] for key in ("hasPreviousPage", "hasNextPage")] == [True, True]
        assert await ids(api, **asked, last=2) == expected[-2:]
        assert await ids(api, **asked, after=head["nodes"][0]["cursor"]) == expected[1:]


async def test_points_order_a_list(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    armed = [
        {"item_type_id": AUTOCANNON, "flag": flag, "singleton": 0, "quantity_destroyed": 1} for flag in range(27, 31)
    ]
    await store(writer, database, arrival(1), arrival(2, ship_type_id=RAVEN, items=armed), arrival(3))
    data = await api.data(
        "query($filter: KillmailFilter) { killmails(filter: $filter, order: MOST_POINTS) { nodes { id points } } }",
        {"filter": SINCE},
    )
    nodes = [(-node["points"], -node["id"]) for node in data["killmails"]["nodes"]]
    assert [-number for _, number in nodes] == [2, 3, 1]
    assert nodes[0][0] < nodes[1][0] == nodes[2][0]


async def test_pages_that_cannot_be_are_refused(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await cargo(writer, database, 1)
    (node,) = (await api.data(LIST, {}))["killmails"]["nodes"]
    for variables, message in (
        (
            {"first": 1, "last": 1},
            "Give `first` and `after` to read on, or `last` and `before` to read back, not both.",
        ),
        ({"last": 201}, "`last` must be from 1 to 200, not 201."),
        ({"before": "x"}, "`before` is not a cursor of this list"),
        ({"order": "MOST_VALUABLE", "after": node["cursor"]}, "`after` is not a cursor of this list"),
        (
            {"order": "MOST_VALUABLE", "filter": {"system": [JITA], "from": "2020-01-01T00:00:00Z"}},
            "`filter.from`: by value or points, at most 366 days may be asked for.",
        ),
    ):
        assert (await api.error(LIST, variables))["message"].startswith(message)


async def test_by_value_a_list_without_a_beginning_is_of_ninety_days(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    now = utc_now()
    await store(writer, database, arrival(1, now - timedelta(days=91)), arrival(2, now - timedelta(days=89)))
    assert await ids(api, order="MOST_VALUABLE") == [2]
    assert await ids(api, order="MOST_VALUABLE", filter={"to": (now - timedelta(days=90)).isoformat()}) == [1]
    assert await ids(api, order="MOST_VALUABLE", filter={"from": "2003-01-01T00:00:00Z"}) == [2, 1]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 5),
        ({"victimAlliance": [ALLIANCE]}, 5),
        ({"victimCharacter": [PILOT + 1]}, 1),
        ({"attackerCharacter": [KILLER]}, 5),
        ({"attackerCharacter": [PILOT]}, 0),
        ({"system": [JITA]}, 5),
        ({"victimShipType": [587]}, 5),
        ({"system": [JITA, 30000144]}, 5),
        ({"character": [KILLER]}, 5),
        ({"weapon": [587]}, 5),
        ({"solo": False}, 5),
        ({"system": [JITA], **SINCE}, 5),
        ({"not": {"system": [JITA]}}, 0),
        ({"attackersMin": 1}, 5),
    ],
)
async def test_every_list_is_counted(
    api: GraphQL, writer: KillmailWriter, database: Database, wanted: dict[str, Any], count: int | None
) -> None:
    await store_many(writer, database, 5)
    page = (await api.data(LIST, {"filter": wanted, "first": 1}))["killmails"]
    assert page["totalCount"] == count
