"""What nobody knows a price of is null, adds nothing to a sum, and the sum says that it misses something."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import msgspec
import pytest

from killreport.db.database import Database
from killreport.killmail.mail.label_numbers import pack_labels
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import PriceRule
from killreport.zkillboard.character_list import read_page
from tests.integration.kills import CONTAINER, DAMAGE_CONTROL, PILOT, arrival, store
from tests.integration.packed_rows import change_prices
from tests.integration.serving import GraphQL

# Beyond the static data, so that no rule has a price of them.
NOVELTY, NEW_HULL = 3_900_001, 3_900_002
PRICED = {"item_type_id": DAMAGE_CONTROL, "flag": 11, "singleton": 0, "quantity_destroyed": 1}
UNPRICED = {"item_type_id": NOVELTY, "flag": 5, "singleton": 0, "quantity_dropped": 3, "quantity_destroyed": 1}
WHOLE, PART, NOTHING, INSIDE = 1, 2, 3, 4


@pytest.fixture(autouse=True)
async def stored(writer: KillmailWriter, database: Database) -> None:
    """Store a kill with all prices, one that misses an item, one of which nothing has a price, one with a container."""
    box = {"item_type_id": CONTAINER, "flag": 5, "singleton": 1, "quantity_destroyed": 1, "items": [UNPRICED]}
    await store(
        writer,
        database,
        arrival(WHOLE, items=[PRICED]),
        arrival(PART, items=[PRICED, UNPRICED]),
        arrival(NOTHING, items=[UNPRICED], ship_type_id=NEW_HULL),
        arrival(INSIDE, items=[PRICED, box]),
    )


async def values(api: GraphQL, killmail_id: int) -> dict[str, Any]:
    """Return the sums of a killmail."""
    data = await api.data(
        """query($id: ID64!) { killmail(id: $id) { values {
            ship shipPriceRule fitted dropped destroyed total isComplete } } }""",
        {"id": killmail_id},
    )
    found: dict[str, Any] = data["killmail"]["values"]
    return found


async def test_sums_say_whether_they_miss_something(api: GraphQL) -> None:
    whole, part, nothing = [await values(api, one) for one in (WHOLE, PART, NOTHING)]

    assert (whole["isComplete"], part["isComplete"], nothing["isComplete"]) == (True, False, False)
    assert {**part, "isComplete": True} == whole
    assert (nothing["ship"], nothing["shipPriceRule"], nothing["total"]) == (None, "UNKNOWN", "0.00")
    assert (await values(api, INSIDE))["isComplete"] is False


async def test_one_thing_without_a_price_has_null(api: GraphQL) -> None:
    data = await api.data(
        f"""{{ part: killmail(id: {PART}) {{ items {{ type {{ id }} unitPrice priceRule }} }}
              type(id: {DAMAGE_CONTROL}) {{ price {{ isk rule }} }} }}"""
    )
    priced, unpriced = data["part"]["items"]

    assert unpriced == {"type": {"id": NOVELTY}, "unitPrice": None, "priceRule": "UNKNOWN"}
    assert float(priced["unitPrice"]) > 0
    assert data["type"]["price"]["isk"] is not None


async def test_a_type_without_a_price_of_today_has_null(api: GraphQL) -> None:
    # A hull of the static data that is neither sold nor has a base price.
    data = await api.data("{ type(id: 0) { price { isk rule explanation } } }")

    assert (data["type"]["price"]["isk"], data["type"]["price"]["rule"]) == (None, "UNKNOWN")


async def test_a_valuation_has_lines_without_worth_and_sections_that_are_not_complete(api: GraphQL) -> None:
    data = await api.data(
        f"""{{ killmail(id: {INSIDE}) {{ valuation {{ hull {{ unitPrice }} total isComplete
                lines {{ type {{ id }} unitPrice worth {{ total isComplete }} }}
                sections {{ slot worth {{ total isComplete }} }} }}
              fitting {{ worth {{ isComplete }} sections {{ slot worth {{ total isComplete }}
                slots {{ worth {{ isComplete }} }} }} }} }}
              nothing: killmail(id: {NOTHING}) {{ valuation {{ hull {{ unitPrice }} isComplete }} }} }}"""
    )
    valuation, fitting = data["killmail"]["valuation"], data["killmail"]["fitting"]

    assert (valuation["isComplete"], fitting["worth"]["isComplete"]) == (False, False)
    lines = {line["type"]["id"]: line for line in valuation["lines"]}
    assert (lines[NOVELTY]["unitPrice"], lines[NOVELTY]["worth"]) == (None, None)
    assert lines[DAMAGE_CONTROL]["worth"]["isComplete"] is True
    for sections in (valuation["sections"], fitting["sections"]):
        told = {section["slot"]: section["worth"]["isComplete"] for section in sections}
        assert (told["low"], told["cargo"]) == (True, False)
    assert all(slot["worth"]["isComplete"] for section in fitting["sections"] for slot in section["slots"])
    assert data["nothing"]["valuation"] == {"hull": {"unitPrice": None}, "isComplete": False}


async def test_a_killmail_of_an_older_release_is_told_the_same(api: GraphQL, database: Database) -> None:
    # It stored a cent, and nothing of what is missing.
    async with database.transaction() as connection:
        await change_prices(
            connection,
            lambda row: (
                (1, row.price_rule) if (row.killmail_id, row.price_rule) == (NOTHING, PriceRule.UNKNOWN) else None
            ),
        )
        await connection.execute(
            "update killmail set ship_value_cents = 1, is_value_complete = true where killmail_id = $1", NOTHING
        )
    data = await api.data(f"{{ killmail(id: {NOTHING}) {{ values {{ ship isComplete }} items {{ unitPrice }} }} }}")

    assert data["killmail"] == {"values": {"ship": None, "isComplete": False}, "items": [{"unitPrice": None}]}


async def test_evidence_for_a_label_of_worth_says_at_least(api: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "update killmail set total_value_cents = 150000000000, labels = $2 where killmail_id <= $1",
            PART,
            pack_labels(["isk:1b+"])[0],
        )
    data = await api.data("{ killmails { nodes { id labelEvidence { label evidence } } } }")

    nodes = [node for node in data["killmails"]["nodes"] if node["id"] <= PART]
    evidence = {
        node["id"]: one["evidence"] for node in nodes for one in node["labelEvidence"] if one["label"] == "isk:1b+"
    }
    assert evidence == {
        WHOLE: "It was worth 1,500,000,000 ISK in all.",
        PART: "It was worth at least 1,500,000,000 ISK in all.",
    }


async def test_zkillboards_block_has_the_known_part_and_says_so_only_where_it_is_one(api: GraphQL) -> None:
    async with api.session.get(f"{api.address}/api/losses/characterID/{PILOT}/") as response:
        body = await response.read()
    blocks = {one["killmail_id"]: one["zkb"] for one in msgspec.json.decode(body)}

    assert len(read_page(body)) == 4
    assert "valueIsComplete" not in blocks[WHOLE]
    assert [blocks[one]["valueIsComplete"] for one in (PART, NOTHING, INSIDE)] == [False] * 3
    for name in ("fittedValue", "droppedValue", "destroyedValue", "totalValue"):
        assert blocks[PART][name] == blocks[WHOLE][name]
        assert blocks[NOTHING][name] == 0


@pytest.mark.parametrize(
    ("suffix", "entries", "title"), [("atom", "{*}entry", "{*}title"), ("rss", "channel/item", "title")]
)
async def test_feeds_for_people_say_at_least_and_no_price(api: GraphQL, suffix: str, entries: str, title: str) -> None:
    async with api.session.get(f"{api.address}/feeds/killmails.{suffix}") as response:
        feed = ET.fromstring(await response.read())
    inside, nothing, part, whole = [entry.findtext(title) or "" for entry in feed.findall(entries)]

    total = (await values(api, WHOLE))["total"]
    assert whole.endswith(f", {float(total):,.2f} ISK")
    assert part.endswith(f", at least {float(total):,.2f} ISK")
    assert nothing.endswith(", no price known")
    assert ", at least " in inside
    assert "0.01" not in nothing
