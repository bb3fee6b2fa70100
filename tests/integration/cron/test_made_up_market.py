"""The simulator's market as the product reads it: a demo's kills are worth what one expects, and say it is made up."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
import pytest

from killreport.cron import update_prices
from killreport.db.database import Database
from killreport.ingest.everef import SOURCE
from killreport.ingest.reading import load_writer
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.market.price import PriceRule
from killreport.market.regions import PLEX
from killreport.sim.world.market import MADE_UP
from tests.integration.cron.conftest import RunJob

KILLS = 150
# Hulls in ISK, from the cheapest to the dearest that a faction or an alliance builds.
HULLS = {"Frigate": (2e5, 5e7), "Destroyer": (8e5, 1e8), "Cruiser": (5e6, 3e8), "Battleship": (1e8, 1.5e9)}


async def made_up(url: str) -> list[Arrival]:
    """Have the simulator make up kills and return them."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/control/publish", json={"count": KILLS}) as answer:
            head = (await answer.json())["head"]

        async def package(number: int) -> dict[str, Any]:
            async with session.get(f"{url}/ephemeral/{number}.json") as answer:
                found: dict[str, Any] = await answer.json()
                return found

        bodies = [(await package(number))["esi"] for number in range(head - KILLS + 1, head + 1)]
    return [Arrival(decode_killmail(msgspec.json.encode(body)), "test", reference="test") for body in bodies]


async def test_made_up_kills_have_believable_worths(
    database: Database, run: RunJob, simulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_prices, "MAX_DAYS", 2)
    await (await load_writer(database)).store(database, await made_up(simulator))
    await run("update-prices")

    async with database.connection() as connection:
        kills = await connection.fetch(
            """select name, ship_value_cents / 100.0 as hull, ship_price_rule as rule, is_value_complete
               from killmail left join eve_group on group_id = ship_group_id"""
        )
        sources = await connection.fetch("select distinct source from price_day")
        plex = await connection.fetchval("select max(average_cents) from price_day where type_id = $1", PLEX)
    assert len(kills) == KILLS
    # Some carry what nobody may sell, as real ones do: things of missions, abyssal modules.
    assert sum(kill["is_value_complete"] for kill in kills) > 0.75 * KILLS
    assert sum(kill["rule"] < PriceRule.BASE_PRICE for kill in kills) > 0.95 * KILLS
    sized = [kill for kill in kills if kill["name"] in HULLS]
    assert len({kill["name"] for kill in sized}) >= 3
    for kill in sized:
        least, most = HULLS[kill["name"]]
        assert least <= kill["hull"] <= most, (kill["name"], kill["hull"])
    assert [row["source"] for row in sources] == [f"{SOURCE}, {MADE_UP}"]
    # PLEX is traded in a region of its own.
    assert 3e8 < plex < 9e8
