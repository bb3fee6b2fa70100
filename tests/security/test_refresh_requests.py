"""Refresh requests: what strangers have us ask of EVE's API."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import SecretStr

from killreport.config import Settings
from killreport.db.database import Database
from killreport.queueing.open import open_broker
from tests.integration.api.guarding import guarded, post

TOKEN = "an-operators-token-of-some-length"
PILOTS = range(2_112_000_001, 2_112_000_101)
QUEUE = "esi_character_info_queue"
# Ten visitors' worth of mutations, each of ten refresh requests.
DOCUMENTS = [
    "mutation {"
    + " ".join(f"w{pilot}: refreshEntity(kind: CHARACTER, id: {pilot}) {{ state }}" for pilot in some)
    + "}"
    for some in (PILOTS[start : start + 10] for start in range(0, len(PILOTS), 10))
]


async def ready(database: Database) -> None:
    """Have a hundred pilots on the ledger that nobody has asked for."""
    async with database.connection() as connection:
        await connection.executemany(
            "insert into refresh_ledger (entity_kind, entity_id) values (1, $1)", [(pilot,) for pilot in PILOTS]
        )


async def queued(settings: Settings, database: Database) -> int:
    """Return how many messages wait for ESI's worker."""
    async with open_broker(settings, database) as broker:
        return (await broker.counts(QUEUE)).ready


async def test_visitors_together_have_a_share_of_the_budget_and_an_operator_all_of_it(
    settings: Settings, database: Database
) -> None:
    await ready(database)
    share: dict[str, Any] = {"esi_requests_per_second": 0.4, "esi_share_of_visitors": 0.5}
    async with guarded(settings, database, **share, operator_token=SecretStr(TOKEN)) as api:
        codes: list[str] = []
        for document in DOCUMENTS:
            status, _, body = await post(api, {"query": document})
            codes += [error["extensions"]["code"] for error in _errors(body)]
            assert status == 429
        # A tenth of a request a second, and what ten seconds gain at once.
        assert await queued(settings, database) == 1
        assert set(codes) == {"RATE_LIMITED"}
        status, _, body = await post(api, {"query": DOCUMENTS[1]}, {"Authorization": f"Bearer {TOKEN}"})
        assert _errors(body) == []
        assert await queued(settings, database) == 11


async def test_what_has_not_to_be_asked_for_takes_nothing(settings: Settings, database: Database) -> None:
    await ready(database)
    async with guarded(settings, database, esi_requests_per_second=0.4, esi_share_of_visitors=0.5) as api:
        one = DOCUMENTS[0].split(" w")[0] + "}"
        for number in range(5):
            _, _, body = await post(api, {"query": one})
            # Asked for the first time, waiting after that: the one request was taken by the first.
            assert [error["extensions"]["code"] for error in _errors(body)] == ([] if number == 0 else ["RATE_LIMITED"])
        nobody = one.replace(str(PILOTS[0]), "2112999999")
    async with guarded(settings, database, esi_requests_per_second=0.4, esi_share_of_visitors=0.5) as api:
        for _ in range(5):
            _, _, body = await post(api, {"query": nobody})
            assert [error["extensions"]["code"] for error in _errors(body)] == ["NOT_FOUND"]
            _, _, body = await post(api, {"query": one})
            assert _errors(body) == []
        assert await queued(settings, database) == 1


def _errors(body: bytes) -> list[dict[str, Any]]:
    found: dict[str, Any] = msgspec.json.decode(body)
    errors: list[dict[str, Any]] = found.get("errors", [])
    return errors
