"""zKillboard's reads: lists by modifiers, history, figures, and the document that describes them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import jsonschema
import msgspec
import pytest
from referencing import Registry, Resource

from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from killreport.zkillboard.character_list import read_page
from killreport.zkillboard.package import Package
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
    store_many,
)
from tests.integration.serving import GraphQL

FRIGATES = 25
FORGE = 10000002


async def ask(api: GraphQL, path: str) -> Any:
    """Return the JSON of a successful answer."""
    async with api.session.get(f"{api.address}{path}") as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def ids(api: GraphQL, path: str) -> list[int]:
    """Return the ids of a list."""
    found = await ask(api, path)
    assert isinstance(found, list), found
    return [killmail["killmail_id"] for killmail in found]


async def error(api: GraphQL, path: str) -> str:
    """Return the sentence of a refusal, which has status 200 as zKillboard's have."""
    found: dict[str, str] = await ask(api, path)
    assert list(found) == ["error"], found
    return found["error"]


@pytest.fixture
async def stored(writer: KillmailWriter, database: Database) -> None:
    """Store three losses of PILOT and one of somebody else, each an hour later."""
    times = [NOON + timedelta(hours=place) for place in range(4)]
    await store(writer, database, arrival(1, times[0]), arrival(2, times[1], attackers=3), arrival(3, times[2]))
    await store(writer, database, arrival(4, times[3], character_id=PILOT + 1, corporation_id=CORPORATION + 1))


CHOSEN: list[tuple[str, list[int]]] = [
    ("kills/", [4, 3, 2, 1]),
    ("losses/", [4, 3, 2, 1]),
    (f"characterID/{PILOT}/", [3, 2, 1]),
    (f"losses/characterID/{PILOT}/", [3, 2, 1]),
    (f"kills/characterID/{PILOT}/", []),
    (f"characterID/{KILLER}/kills/", [4, 3, 2, 1]),
    (f"kills/losses/characterID/{KILLER}/", [4, 3, 2, 1]),
    (f"kills/characterID/{KILLER + 1}/", [2]),
    (f"kills/finalblow-only/characterID/{KILLER + 1}/", []),
    (f"kills/finalblow-only/characterID/{KILLER}/", [4, 3, 2, 1]),
    (f"finalblow-only/groupID/{FRIGATES}/", [4, 3, 2, 1]),
    (f"corporationID/{KILLERS_CORPORATION}/", [4, 3, 2, 1]),
    (f"losses/corporationID/{CORPORATION}/", [3, 2, 1]),
    (f"losses/characterID/{PILOT},{PILOT + 1}/", [4, 3, 2, 1]),
    (f"allianceID/{ALLIANCE}/", [4, 3, 2, 1]),
    ("factionID/500001/", []),
    (f"shipTypeID/{RIFTER}/", [4, 3, 2, 1]),
    (f"losses/groupID/{FRIGATES}/", [4, 3, 2, 1]),
    (f"systemID/{JITA}/", [4, 3, 2, 1]),
    (f"solarSystemID/{JITA}/solo/", [4, 3, 1]),
    (f"regionID/{FORGE}/highsec/", [4, 3, 2, 1]),
    ("constellationID/20000020/", [4, 3, 2, 1]),
    ("w-space/", []),
    ("npc/0/awox/0/", [4, 3, 2, 1]),
    ("npc/1/", []),
    ("kills/iskValue/500000000/", []),
    ("kills/year/2021/month/12/", [4, 3, 2, 1]),
    ("kills/year/2021/month/11/", []),
    ("kills/startTime/202112021300/endTime/202112021500/", [3, 2]),
    ("kills/pastSeconds/3600/", []),
    ("label/loc:highsec/", [4, 3, 2, 1]),
    ("killID/2/", [2]),
    ("killID/99/", []),
    ("kills/page/2/", []),
    ("kills", [4, 3, 2, 1]),
]


@pytest.mark.usefixtures("stored")
async def test_modifiers_choose_killmails(api: GraphQL) -> None:
    assert [(path, await ids(api, f"/api/{path}")) for path, _ in CHOSEN] == CHOSEN


REFUSED = [
    ("", "Please provide at least one modifier, such as kills or characterID/268946627"),
    ("nonsense/1/", "nonsense is an invalid parameter"),
    ("character/1/", "character is invalid for API calls, please use characterID"),
    ("characterID/x/", "x is not a valid entry for characterID: a whole number is needed"),
    ("characterID/", "nothing is not a valid entry for characterID: a whole number is needed"),
    ("characterID/01/", "Do not prefix values with 0"),
    ("characterID/1/characterID/2/", "characterID is given twice"),
    ("kills//solo/", "Please remove the double slash // from the call"),
    ("npc/2/", "Only values of 0 or 1 allowed with the npc filter"),
    ("kills/page/101/", "page must be from 1 to 100"),
    ("kills/pastSeconds/100/", "pastSeconds must be a multiple of 3600 and no more than 7 days (604800)"),
    ("kills/iskValue/7/", "iskValue must be a multiple of 500000000"),
    ("kills/year/1999/month/1/", "1999 is not a valid entry for year: 2007 to "),
    ("kills/month/1/", "month needs a year"),
    ("finalblow-only/", "finalblow-only needs whose final blow it was, such as characterID/268946627"),
    ("beforeKillID/5/", "beforeKillID is not supported; page, year and month, or the feed, lead to the same"),
    ("stats/nonsense/1/", "nonsense is an invalid type: one of characterID, "),
    ("stats/characterID/x/", "x is not a valid parameter"),
]


async def test_what_cannot_be_asked_is_refused_with_a_sentence(api: GraphQL) -> None:
    for path, sentence in REFUSED:
        assert (await error(api, f"/api/{path}")).startswith(sentence)


async def test_numbered_pages_hold_two_hundred_and_none_twice(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 450)

    last_first = [await ids(api, f"/api/kills/page/{page}/") for page in (3, 1, 2, 4)]

    assert [len(page) for page in last_first] == [50, 200, 200, 0]
    third, first, second, _ = last_first
    assert first + second + third == list(range(1449, 999, -1))


@pytest.mark.usefixtures("stored")
async def test_a_listed_killmail_is_the_whole_of_it_and_our_own_reader_reads_it(api: GraphQL) -> None:
    async with api.session.get(f"{api.address}/api/losses/characterID/{PILOT}/") as response:
        body = await response.read()

    packages = read_page(body)
    assert [type(package) for package in packages] == [Package] * 3
    (newest, *_) = msgspec.json.decode(body)
    assert list(newest)[-1] == "zkb"
    assert {"attackers", "victim", "killmail_time", "solar_system_id"} < set(newest)
    assert list(newest["zkb"]) == [
        *("hash", "fittedValue", "droppedValue", "destroyedValue", "totalValue"),
        *("points", "npc", "solo", "awox", "labels"),
    ]


@pytest.mark.usefixtures("stored")
async def test_parts_can_be_left_out(api: GraphQL) -> None:
    (only,) = await ask(api, "/api/killID/1/zkbOnly/")
    (bare,) = await ask(api, "/api/killID/1/no-items/no-attackers/")

    assert list(only) == ["killmail_id", "zkb"]
    assert "attackers" not in bare
    assert "items" not in bare["victim"]


@pytest.mark.usefixtures("stored")
async def test_an_answer_the_caller_has_already_is_not_sent_again(api: GraphQL) -> None:
    async with api.session.get(f"{api.address}/api/kills/") as response:
        tag = response.headers["ETag"]
    async with api.session.get(f"{api.address}/api/kills/", headers={"If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")


@pytest.mark.usefixtures("stored")
async def test_the_history_has_every_day_with_hashes_at_its_present_and_its_old_address(api: GraphQL) -> None:
    hashes = await ask(api, "/history/20211202.json")

    assert await ask(api, "/api/history/20211202.json") == hashes
    for root in ("/history", "/api/history"):
        assert await ask(api, f"{root}/totals.json") == {"20211202": 4}
    assert list(hashes) == ["1", "2", "3", "4"]
    assert {len(text) for text in hashes.values()} == {40}


async def test_the_bodies_of_a_day_are_one_object_however_many_pages_they_are(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 230)

    bodies = await ask(api, "/history/raw/20211202.json")

    assert sorted(map(int, bodies)) == list(range(1000, 1230))
    assert all(int(name) == body["killmail_id"] for name, body in bodies.items())


async def test_a_day_without_killmails_is_not_found(api: GraphQL) -> None:
    for path in ("/history/20200101.json", "/history/raw/20200101.json", "/history/yesterday.json"):
        async with api.session.get(f"{api.address}{path}") as response:
            assert (response.status, list(await response.json())) == (404, ["error"])


@pytest.mark.usefixtures("stored")
async def test_figures_are_those_of_the_rollup_under_zkillboards_names(api: GraphQL, database: Database) -> None:
    await name_everybody(database)
    pilot = await ask(api, f"/api/stats/characterID/{PILOT}/")
    killer = await ask(api, f"/api/stats/characterID/{KILLER}/")

    assert (pilot["shipsLost"], pilot["shipsDestroyed"], pilot["dangerRatio"]) == (3, 0, 0)
    assert (killer["shipsDestroyed"], killer["soloKills"], killer["dangerRatio"]) == (4, 3, 100)
    assert killer["iskDestroyed"] == killer["months"]["202112"]["iskDestroyed"] > 0
    assert (killer["months"]["202112"]["year"], killer["months"]["202112"]["month"]) == (2021, 12)
    assert pilot["info"] == {"id": PILOT, "type": "characterID", "name": "Alice"}
    assert (await ask(api, f"/api/stats/shipTypeID/{RIFTER}/"))["info"]["name"] == "Rifter"
    assert "dangerRatio" not in await ask(api, "/api/stats/allianceID/1/")


ANSWERS = [
    ("/ephemeral/sequence.json", "/ephemeral/sequence.json"),
    ("/ephemeral/{sequence}.json", "/ephemeral/1.json"),
    ("/feed", "/feed"),
    ("/listen.php", "/listen.php?queueID=x&ttw=1"),
    ("/history/totals.json", "/history/totals.json"),
    ("/history/{day}.json", "/history/20211202.json"),
    ("/history/raw/{day}.json", "/history/raw/20211202.json"),
    ("/api/history/totals.json", "/api/history/totals.json"),
    ("/api/history/{day}.json", "/api/history/20211202.json"),
    ("/api/stats/{kind}/{id}", f"/api/stats/characterID/{PILOT}/"),
    ("/api/stats/{kind}/{id}", f"/api/stats/regionID/{FORGE}"),
    ("/api/{modifiers}", "/api/kills/"),
    ("/api/{modifiers}", "/api/kills/zkbOnly/"),
    ("/api/{modifiers}", "/api/nonsense/"),
    ("/api/prices/{id}", f"/api/prices/{RIFTER}/"),
    ("/autocomplete/{text}", "/autocomplete/rift/"),
    ("/autocomplete/{kind}/{text}", "/autocomplete/solarSystemID/Jita/"),
    ("/cache/1hour/autocomplete", "/cache/1hour/autocomplete/?query=Jita"),
]


@pytest.mark.usefixtures("stored")
async def test_every_answer_is_as_the_openapi_document_says(api: GraphQL) -> None:
    document = await ask(api, "/openapi.json")
    described = {
        path
        for path, item in document["paths"].items()
        if "get" in item and "json" in str(item["get"]["responses"]["200"])
    }
    registry: Registry[Any] = Registry().with_resource("", Resource.opaque(document))

    assert {template for template, _ in ANSWERS} == {path for path in described if not path.startswith("/feeds/")}
    for template, path in ANSWERS:
        schema = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]}, registry=registry)
        validator.validate(await ask(api, path))


@pytest.mark.usefixtures("stored")
async def test_a_list_comes_as_csv_where_csv_is_asked_for(api: GraphQL, database: Database) -> None:
    await name_everybody(database, '=cmd|"x"')
    asked: list[tuple[str, dict[str, str]]] = [
        ("/api/losses/", {"Accept": "text/csv"}),
        ("/api/losses/?format=csv", {}),
        (f"/feeds/killmails.csv?solo=true&victimCharacter={PILOT}", {}),
    ]
    for path, headers in asked:
        async with api.session.get(f"{api.address}{path}", headers=headers) as response:
            assert (response.status, response.content_type) == (200, "text/csv"), await response.text()
            table = list(csv.DictReader(io.StringIO(await response.text(), newline="")))
        assert [line["killmail_id"] for line in table] == (["4", "3", "2", "1"] if "solo" not in path else ["3", "1"])
        assert table[-1]["killed_at"] == "2021-12-02T12:00:00Z"
        assert table[-1]["victim_character_id"] == str(PILOT)
        # A spreadsheet must not run what a player calls himself.
        assert table[-1]["victim_character_name"] == '\'=cmd|"x"'
        assert (table[-1]["solar_system_name"], table[-1]["ship_type_name"]) == ("Jita", "Rifter")
        assert float(table[-1]["total_isk"]) > 0


async def test_csv_of_what_is_no_table_and_other_forms_are_refused(api: GraphQL) -> None:
    for path, status, sentence in (
        ("/api/kills/zkbOnly/?format=csv", 404, "zkbOnly cannot be CSV"),
        ("/api/nonsense/?format=csv", 404, "nonsense is an invalid parameter"),
        ("/api/kills/?page=2", 400, "There is no parameter 'page' here, only format."),
        ("/api/kills/?format=xml", 400, "one of json, csv is needed at format"),
        ("/api/stats/characterID/1/?format=csv", 400, "There is no parameter 'format' here, there are none."),
    ):
        async with api.session.get(f"{api.address}{path}") as response:
            assert (response.status, (await response.json())["error"][: len(sentence)]) == (status, sentence)
