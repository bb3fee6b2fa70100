"""ESI's ways: versions, caches, limits, refusals; and who is who."""

from __future__ import annotations

from typing import Any

from tests.integration.sim.conftest import FIRST, Client, Clock, Running

NEWEST = {"X-Compatibility-Date": "2026-08-18"}
JITA = 30_000_142
SOMEBODY = 2_112_000_001


async def attacker_of(client: Client) -> dict[str, Any]:
    """Publish mails until one has a player in an alliance among its attackers; return that row."""
    head = await client.publish(30)
    for sequence in range(FIRST, head + 1):
        for attacker in (await client.package(sequence))["esi"]["attackers"]:
            if "alliance_id" in attacker and "character_id" in attacker:
                return dict(attacker)
    raise AssertionError("thirty mails without a player in an alliance")


async def test_what_a_mail_says_of_people_is_what_esi_says(client: Client) -> None:
    attacker = await attacker_of(client)

    character = (await client.get(f"/characters/{attacker['character_id']}/")).body
    corporation = (await client.get(f"/corporations/{attacker['corporation_id']}")).body
    alliance = (await client.get(f"/alliances/{attacker['alliance_id']}/corporations/")).body
    affiliation = (await client.post("/characters/affiliation/", [attacker["character_id"]])).body

    assert character["corporation_id"] == attacker["corporation_id"]
    assert character["alliance_id"] == attacker["alliance_id"]
    assert character["security_status"] == attacker["security_status"]
    assert corporation["alliance_id"] == attacker["alliance_id"]
    assert attacker["corporation_id"] in alliance
    assert affiliation[0]["corporation_id"] == attacker["corporation_id"]
    assert attacker["alliance_id"] in (await client.get("/alliances/")).body


async def test_names_for_ids_and_ids_for_names_agree(client: Client) -> None:
    ids = [SOMEBODY, 98_600_001, 1_000_125, JITA, 587, 500_001]

    names = (await client.post("/universe/names/", ids)).body
    found = (await client.post("/universe/ids/", [row["name"] for row in names])).body

    assert [(row["id"], row["category"]) for row in names] == list(
        zip(ids, ["character", "corporation", "corporation", "solar_system", "inventory_type", "faction"], strict=True)
    )
    assert names[2]["name"] == "CONCORD"
    assert found["characters"] == [{"id": SOMEBODY, "name": "Laikourk Kujand"}]
    assert found["systems"] == [{"id": JITA, "name": "Jita"}]
    assert found["inventory_types"] == [{"id": 587, "name": "Rifter"}]
    assert {"id": 98_600_001, "name": "Cekraem Baeceis Vanguard"} in found["corporations"]


async def test_one_bad_id_fails_the_whole_batch(client: Client) -> None:
    for path, bad in (("/universe/names/", 12_345_678), ("/characters/affiliation/", 98_600_001)):
        answer = await client.post(path, [SOMEBODY, bad])
        assert answer.status == 404
        assert answer.body == {"error": "Ensure all IDs are valid before resolving."}


async def test_batches_have_their_limits(client: Client) -> None:
    thousand = list(range(SOMEBODY, SOMEBODY + 1000))

    assert len((await client.post("/characters/affiliation/", thousand)).body) == 1000
    assert (await client.post("/characters/affiliation/", [*thousand, 1])).status == 400
    assert (await client.post("/universe/names/", [])).status == 400
    assert (await client.post("/universe/names/", [JITA, JITA])).status == 400
    assert (await client.post("/universe/names/", "Jita")).status == 400


async def test_a_wrong_hash_and_an_unknown_mail_are_422(client: Client) -> None:
    await client.publish(1)
    package = await client.package(FIRST)
    right = package["hash"]
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")

    for path in (f"/killmails/{package['killmail_id']}/{wrong}/", f"/killmails/5/{right}/"):
        answer = await client.get(path)
        assert (answer.status, answer.body) == (422, {"error": "Invalid killmail_id and/or killmail_hash"})


async def test_a_mail_not_published_yet_is_unknown(client: Client) -> None:
    # What will be the hash of the first mail is known from another run only.
    answer = await client.get(f"/killmails/1000000000/{'0' * 40}/")

    assert answer.status == 422


async def test_the_shape_follows_the_compatibility_date(client: Client) -> None:
    path = "/corporations/98600001/"
    old = await client.get(path)
    new = await client.get(path, headers=NEWEST)
    by_query = await client.get(f"{path}?compatibility_date=2026-08-18")

    assert old.headers["X-Compatibility-Date"] == "2020-01-01"
    assert "tax_rate" in old.body
    assert "tax_rates" not in old.body
    assert new.body["tax_rates"]["isk"] == round(old.body["tax_rate"] * 100, 6)
    assert (new.body["state"], new.body["type"]) == ("active", "player_owned")
    assert by_query.body == new.body
    character = f"/characters/{SOMEBODY}/"
    assert "achievement_score" not in (await client.get(character)).body
    assert "achievement_score" in (await client.get(character, headers=NEWEST)).body


async def test_dates_that_cannot_be_are_refused(client: Client) -> None:
    for text in ("tomorrow", "2019-12-31", "2030-01-01"):
        answer = await client.get("/status/", headers={"X-Compatibility-Date": text})
        assert answer.status == 400


async def test_an_answer_known_already_is_not_sent_again(client: Client) -> None:
    first = await client.get(f"/characters/{SOMEBODY}/")

    for known in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": f"W/{first.headers['ETag']}"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        again = await client.get(f"/characters/{SOMEBODY}/", headers=known)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert (await client.get(f"/characters/{SOMEBODY}/", headers={"If-None-Match": '"other"'})).status == 200


async def test_answers_expire_together_when_their_cache_runs_out(client: Client, clock: Clock) -> None:
    # 1,790,000,000 lies 800 s into its hour.
    first = await client.get("/markets/prices/")
    clock.now += 2799
    last = await client.get("/markets/prices/")
    clock.now += 1
    next_one = await client.get("/markets/prices/")

    assert first.headers["Cache-Control"] == "public, max-age=2800"
    assert last.headers["Cache-Control"] == "public, max-age=1"
    assert first.headers["Expires"] == last.headers["Expires"] == next_one.headers["Last-Modified"]
    assert first.headers["Expires"] == "Mon, 21 Sep 2026 15:00:00 GMT"


async def test_a_route_has_one_family_of_limits_or_the_other(running: Running) -> None:
    async with running(has_limits=True) as client:
        bucket = await client.get("/status/")
        errors = await client.get("/alliances/")

    assert bucket.headers["X-Ratelimit-Group"] == "status"
    assert bucket.headers["X-Ratelimit-Limit"] == "600/15m"
    assert bucket.headers["X-Ratelimit-Remaining"] == "598"
    assert "X-ESI-Error-Limit-Remain" not in bucket.headers
    assert errors.headers["X-ESI-Error-Limit-Remain"] == "100"
    assert "X-Ratelimit-Group" not in errors.headers


async def test_a_bucket_that_is_empty_says_when_it_will_not_be(running: Running, clock: Clock) -> None:
    async with running(has_limits=True) as client:
        for _ in range(75):
            assert (await client.get("/meta/compatibility-dates")).status == 200
        refused = await client.get("/meta/compatibility-dates")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "901")
        assert refused.headers["X-Ratelimit-Remaining"] == "0"
        assert (await client.get("/status/")).status == 200

        clock.now += 901
        assert (await client.get("/meta/compatibility-dates")).status == 200


async def test_a_hundred_errors_close_every_route_until_the_minute_is_over(running: Running, clock: Clock) -> None:
    async with running(has_limits=True) as client:
        statuses = [(await client.get("/characters/1/")).status for _ in range(101)]
        closed = await client.get("/status/")
        clock.now += int(closed.headers["X-ESI-Error-Limit-Reset"])
        open_again = await client.get("/status/")

    assert statuses == [404] * 100 + [420]
    assert closed.status == 420
    assert closed.headers["X-ESI-Error-Limit-Remain"] == "0"
    assert open_again.status == 200


async def test_a_blank_user_agent_is_refused_and_a_browsers_way_is_not(client: Client) -> None:
    assert (await client.get("/status/", headers={"User-Agent": ""})).status == 403
    assert (await client.get("/status/", headers={"User-Agent": "", "X-User-Agent": "me@example.com"})).status == 200


async def test_old_versions_in_the_path_still_answer(client: Client) -> None:
    wanted = (await client.get("/universe/systems/30000142/")).body

    for path in ("/latest/universe/systems/30000142/", "/v4/universe/systems/30000142"):
        assert (await client.get(path)).body == wanted
    assert wanted["name"] == "Jita"


async def test_lists_are_paged_and_the_page_after_the_last_is_not_there(client: Client) -> None:
    first = await client.get("/universe/types/")
    pages = int(first.headers["X-Pages"])
    last = await client.get(f"/universe/types/?page={pages}")

    assert len(first.body) == 1000
    assert 0 < len(last.body) <= 1000
    assert (pages - 1) * 1000 + len(last.body) > 50_000
    assert (await client.get(f"/universe/types/?page={pages + 1}")).status == 404
    assert (await client.get("/universe/types/?page=0")).status == 400


async def test_what_does_not_exist_is_told_in_esis_words(client: Client) -> None:
    for path in (
        "/characters/1/",
        "/corporations/2112000001/",
        "/alliances/98600001/",
        "/universe/types/999999999/",
        "/universe/systems/1/",
        "/markets/10000002/history?type_id=1",
        "/nowhere/",
    ):
        answer = await client.get(path)
        assert answer.status == 404, path
        assert set(answer.body) == {"error"}
    assert (await client.ask("DELETE", "/alliances/")).status == 405


async def test_the_kills_of_the_last_full_hour_are_counted_by_system(client: Client, clock: Clock) -> None:
    hour = int(clock.now) // 3600 * 3600
    await client.publish(40, published_at=hour - 600)
    await client.publish(5, published_at=int(clock.now))

    rows = (await client.get("/universe/system_kills/")).body

    assert sum(row["ship_kills"] + row["pod_kills"] for row in rows) == 40


async def test_a_war_lists_its_killmails(client: Client) -> None:
    head = await client.publish(300)
    mails = [(await client.package(n))["esi"] for n in range(FIRST, head + 1)]
    mail = next(mail for mail in mails if "war_id" in mail)

    rows = (await client.get(f"/wars/{mail['war_id']}/killmails/")).body

    assert mail["killmail_id"] in [row["killmail_id"] for row in rows]
    assert (await client.get(f"/wars/{mail['war_id']}/")).body["id"] == mail["war_id"]
    assert (await client.get("/wars/?max_war_id=740010")).body == list(range(740_009, 739_999, -1))
