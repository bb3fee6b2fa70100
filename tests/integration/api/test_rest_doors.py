"""zKillboard's smaller addresses: prices, names that are looked for, killmails that are added."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from killreport.api.state.posting import KillmailPosting
from killreport.clock import utc_now
from killreport.db.database import Database
from killreport.errors import NotFound
from killreport.killmail.stored.queries import KillmailRow, get_killmails
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.store import PriceDay, store_prices
from tests.integration.kills import JITA, RIFTER, TRITANIUM, arrival, store
from tests.integration.serving import GraphQL

HASH = "0123456789abcdef0123456789abcdef01234567"


async def ask(api: GraphQL, path: str, *, method: str = "GET", **others: Any) -> tuple[int, Any]:
    """Return status and JSON of an answer."""
    async with api.session.request(method, f"{api.address}{path}", **others) as response:
        return response.status, await response.json()


async def test_prices_are_those_of_the_days_and_of_today(api: GraphQL, database: Database) -> None:
    today = utc_now().date()
    days = [today - timedelta(days=2), today - timedelta(days=1)]
    async with database.connection() as connection:
        await store_prices(connection, [PriceDay(TRITANIUM, day, 412, "test") for day in days])

    status, found = await ask(api, f"/api/prices/{TRITANIUM}/")

    assert status == 200
    assert {name: found[name] for name in ("typeID", *map(str, days))} == {
        "typeID": TRITANIUM,
        **dict.fromkeys(map(str, days), 4.12),
    }
    assert found["currentPrice"] == 4.12
    assert (await ask(api, "/api/prices/999999999/"))[0] == 404
    async with api.session.get(f"{api.address}/api/prices/{TRITANIUM}?format=csv") as response:
        assert (await response.text()).splitlines()[-1] == f"{days[-1]},4.12"


async def test_names_are_found_in_both_of_zkillboards_shapes(api: GraphQL) -> None:
    status, found = await ask(api, "/autocomplete/Jita/")
    assert status == 200
    assert {"id": JITA, "name": "Jita (The Forge)", "type": "system", "image": ""} in found
    _, ships = await ask(api, "/autocomplete/shipTypeID/rifter/")
    assert ships[0] == {
        "id": RIFTER,
        "name": "Rifter",
        "type": "ship",
        "image": f"https://images.evetech.net/types/{RIFTER}/icon?size=32",
    }
    assert (await ask(api, "/autocomplete/", method="POST", data={"query": "Jita"})) == (200, found)
    _, suggested = await ask(api, "/cache/1hour/autocomplete/?query=rifter")
    assert {"value": "Rifter", "data": {"type": "ship", "groupBy": "ships", "id": RIFTER}} in suggested["suggestions"]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/autocomplete/nonsenseID/jita/", {}),
        ("/autocomplete/" + 101 * "a", {}),
        ("/cache/1hour/autocomplete/", {}),
        ("/autocomplete/", {"method": "POST", "json": {"query": "Jita"}}),
        ("/autocomplete/", {"method": "POST", "data": {"other": "Jita"}}),
        ("/autocomplete/", {"method": "POST", "data": {"query": 5_000 * "a"}}),
    ],
)
async def test_what_cannot_be_looked_for_is_refused(api: GraphQL, path: str, options: dict[str, Any]) -> None:
    status, found = await ask(api, path, **options)

    assert (status, list(found)) == (400, ["error"])


async def test_a_killmail_that_is_stored_is_told_with_its_page(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(7))
    async with database.connection() as connection:
        (row,) = await get_killmails(connection, [7])
    for path in (f"/api/killmail/add/7/{row.hash.hex()}/", f"/api/killmail/add/7/{row.hash.hex().upper()}/0"):
        status, found = await ask(api, path, method="POST")
        assert status == 200, found
        assert found.pop("url").endswith("/kill/7/")
        assert found == {"status": "success", "new": False, "delayed": False, "delay": 0}


async def test_a_killmail_that_is_new_is_stored_by_the_one_that_stores_what_is_posted(
    api: GraphQL, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(writer, database, arrival(7))

    async def post(_self: KillmailPosting, killmail_id: int, hash_text: str | None) -> tuple[KillmailRow, bool]:
        if hash_text != HASH:
            raise NotFound(f"ESI has no killmail {killmail_id} with this hash.")
        async with database.connection() as connection:
            (row,) = await get_killmails(connection, [7])
        return row, True

    monkeypatch.setattr(KillmailPosting, "post", post)

    status, found = await ask(api, f"/api/killmail/add/7/{HASH}/", method="POST")
    assert (status, found["status"], found["new"]) == (200, "success", True)
    wrong = HASH.replace("0", "1")
    assert await ask(api, f"/api/killmail/add/8/{wrong}/", method="POST") == (
        422,
        {"status": "error", "error": "ESI has no killmail 8 with this hash."},
    )


@pytest.mark.parametrize("path", ["0/" + HASH, "x/" + HASH, "7/abc", "7/" + 40 * "g", f"7/{HASH}/24"])
async def test_what_names_no_killmail_is_refused_as_zkillboard_does(api: GraphQL, path: str) -> None:
    status, found = await ask(api, f"/api/killmail/add/{path}/", method="POST")

    assert (status, found["status"]) == (422, "error")


async def test_a_killmail_is_added_by_post_alone(api: GraphQL) -> None:
    async with api.session.get(f"{api.address}/api/killmail/add/7/{HASH}/") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert await response.json() == {"error": "This address takes POST only."}
