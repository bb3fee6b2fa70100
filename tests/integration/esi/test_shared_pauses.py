"""What ESI tells one process, all processes keep: those that never asked, and those that wait for their turn."""

from __future__ import annotations

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import HostAway, Transient
from killreport.esi.budget import DOWNTIME, EVERYBODY, Budget
from killreport.esi.client import open_esi
from tests.integration.zkillboard.site import Answer, Site

HASH = "ab" * 20
KILLMAIL = f"/killmails/1/{HASH}"
RECENT = "/characters/1/killmails/recent"
GROUP = {"X-Ratelimit-Group": "killmail"}


@pytest.fixture
def at_site(settings: Settings, site: Site) -> Settings:
    return settings.replace(esi_url=site.url, esi_requests_per_second=5000.0)


async def test_a_paused_group_is_left_alone_by_who_never_asked_it(
    at_site: Settings, site: Site, database: Database
) -> None:
    site.answers = {RECENT: Answer(b"[]", headers=GROUP), KILLMAIL: Answer(b"{}", headers=GROUP)}
    async with open_esi(at_site, database) as first:
        await first.killmail(1, HASH)
        site.answers[RECENT] = Answer(status=429, headers={**GROUP, "Retry-After": "50"})
        with pytest.raises(Transient):
            await first.character_killmails(1, "token", 1)
        site.asked.clear()

        for route in ("killmail", "recent"):
            async with open_esi(at_site, database) as other:
                with pytest.raises(Transient) as caught:
                    await (other.killmail(1, HASH) if route == "killmail" else other.character_killmails(1, "t", 1))
                assert caught.value.retry_after == pytest.approx(50, abs=5)
        with pytest.raises(Transient):
            await first.killmail(1, HASH)

    assert site.asked == []


async def test_a_downtime_that_another_process_ended_is_over(database: Database) -> None:
    now = 0.0
    waiting, other = (Budget(database, 5000, clock=lambda: now) for _ in range(2))
    await other.pause(DOWNTIME, 10, "away")
    with pytest.raises(HostAway):
        await waiting.turn("/characters/{id}")
    await other.end_pause()
    now = 2.0

    await waiting.turn("/characters/{id}")


@pytest.mark.parametrize("scope", [EVERYBODY, "/characters/{id}", "char-detail"])
async def test_a_pause_that_is_set_while_a_request_waits_for_its_moment_holds_it_back(
    database: Database, scope: str
) -> None:
    now = 0.0
    other = Budget(database, 0.2)
    await other.learn("/characters/{id}", "char-detail")

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        await other.pause(scope, 60, "told to wait")

    waiting = Budget(database, 0.2, clock=lambda: now, sleep=sleep)
    await waiting.turn("/characters/{id}")

    with pytest.raises(Transient):
        await waiting.turn("/characters/{id}")


async def test_a_killmail_is_not_kept_because_whoever_asks_stores_it(
    at_site: Settings, site: Site, database: Database
) -> None:
    site.answers[KILLMAIL] = Answer(b"{}", headers={"Expires": "Thu, 01 Jan 2099 00:00:00 GMT"})
    async with open_esi(at_site, database) as esi:
        await esi.killmail(1, HASH)
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from esi_cache") == 0
