"""What changes about an entity when it is read again, against an ESI that answers from a table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.queueing.messages import CharacterMessage, CorporationMessage, TypeMessage
from tests.integration.workers.queues import dead_letters, drain, fetch, publish, ready_counts
from tests.integration.zkillboard.site import Answer, Site

PILOT, CORPORATION, OTHER_CORPORATION, ALLIANCE = 2112000001, 98000001, 98000002, 99000001
PERIODS = """
    select corporation_id, alliance_id, until is null from affiliation
    where entity_id = $1 order by since
"""


@pytest.fixture
def at_site(settings: Settings, site: Site) -> Settings:
    return settings.replace(esi_url=site.url, esi_requests_per_second=5000.0)


def answer(site: Site, path: str, **body: Any) -> None:
    site.answers[path] = Answer(json.dumps(body).encode())


def pilot(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Alice",
        "corporation_id": CORPORATION,
        "birthday": "2010-01-01T00:00:00Z",
        "gender": "female",
        "race_id": 1,
        "bloodline_id": 1,
        "security_status": 5.0,
        **fields,
    }


async def a_day_passes(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("update esi_cache set expires_at = now()")


async def refresh(settings: Settings, database: Database) -> None:
    await publish(settings, database, CharacterMessage(PILOT))
    await drain(settings, database, "worker-characters")


async def test_a_member_who_left_an_alliance_shows_none_and_the_period_is_closed(
    at_site: Settings, site: Site, database: Database
) -> None:
    answer(site, f"/characters/{PILOT}", **pilot(alliance_id=ALLIANCE, title="Recruit"))
    await refresh(at_site, database)
    answer(site, f"/characters/{PILOT}", **pilot(corporation_id=OTHER_CORPORATION))
    await a_day_passes(database)
    await refresh(at_site, database)

    assert await fetch(database, "select corporation_id, alliance_id, title from character") == [
        (OTHER_CORPORATION, None, None)
    ]
    assert await fetch(database, PERIODS, PILOT) == [(CORPORATION, ALLIANCE, False), (OTHER_CORPORATION, None, True)]


async def test_a_corporation_that_left_its_alliance_shows_none(
    at_site: Settings, site: Site, database: Database
) -> None:
    corporation = {"name": "Alice Co", "ticker": "ALCO", "member_count": 3, "ceo_id": PILOT, "creator_id": PILOT}
    for rest in ({"alliance_id": ALLIANCE, "tax_rate": 0.1}, {"tax_rates": {"isk": 15.0}}):
        answer(site, f"/corporations/{CORPORATION}", **corporation, **rest)
        await publish(at_site, database, CorporationMessage(CORPORATION))
        await drain(at_site, database, "worker-corporations")
        await a_day_passes(database)

    assert await fetch(database, "select name, alliance_id, round(tax_rate::numeric, 2)::text from corporation") == [
        ("Alice Co", None, "0.15")
    ]
    assert await fetch(database, PERIODS, CORPORATION) == [(None, ALLIANCE, False), (None, None, True)]


async def test_whom_it_names_is_queued_once_and_then_only_when_stale(
    at_site: Settings, site: Site, database: Database
) -> None:
    answer(site, f"/characters/{PILOT}", **pilot(alliance_id=ALLIANCE))
    for _ in range(2):
        await refresh(at_site, database)

    assert await ready_counts(at_site, database) == {"esi_corporation_info_queue": 1, "esi_alliance_info_queue": 1}
    assert await fetch(
        database, "select entity_id, tries from refresh_ledger where queued_at is not null order by 1"
    ) == [
        (CORPORATION, 1),
        (ALLIANCE, 1),
    ]


async def test_an_answer_of_another_shape_is_a_dead_letter_that_says_where(
    at_site: Settings, site: Site, database: Database
) -> None:
    answer(site, f"/characters/{PILOT}", **pilot(corporation_id="none"))

    await refresh(at_site, database)

    (letter,) = await dead_letters(at_site, database, "esi_character_info_queue")
    assert "$.corporation_id" in letter.reason
    assert await fetch(database, "select * from character") == []


async def test_the_details_of_a_type_are_stored_beside_the_static_data(
    at_site: Settings, site: Site, database: Database
) -> None:
    answer(
        site,
        "/universe/types/587",
        type_id=587,
        name="Another name",
        description="Fast.",
        group_id=25,
        published=True,
        mass=1067000.0,
        volume=27289.0,
        capacity=140.0,
    )
    await publish(at_site, database, TypeMessage(587))

    await drain(at_site, database, "worker-types")

    assert await fetch(
        database, "select name, description, mass, volume, capacity from type_detail join eve_type using (type_id)"
    ) == [("Rifter", "Fast.", 1067000.0, 27289.0, 140.0)]
