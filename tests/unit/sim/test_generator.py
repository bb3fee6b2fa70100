"""Made-up mails: the same for ever, true hashes, real types in real slots, and the game's distributions."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from typing import Any

import msgspec
import pytest

from killreport.eve.universe import Universe
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash
from killreport.sim.world.generator import Generator, killmail_id_of, sequence_of
from killreport.sim.world.journal import FIRST_SEQUENCE
from killreport.sim.world.people import World
from killreport.sim.world.space import kind_of_space

Mail = dict[str, Any]
SLOTS = {"high": range(27, 35), "mid": range(19, 27), "low": range(11, 19), "rig": range(92, 95)}
CAPSULE_GROUP_ID = 29


def test_the_same_seed_number_and_time_give_the_same_mail(universe: Universe, generator: Generator) -> None:
    another = Generator(universe, World(1))

    # Asked for in another order, and by a generator that has made nothing else.
    for sequence in (FIRST_SEQUENCE + 77, FIRST_SEQUENCE + 3):
        assert another.generate(sequence, 1_760_000_000) == generator.generate(sequence, 1_760_000_000)


def test_another_seed_gives_other_mails(universe: Universe, generator: Generator) -> None:
    another = Generator(universe, World(2))

    same = sum(
        another.generate(FIRST_SEQUENCE + n, 0)["victim"] == generator.generate(FIRST_SEQUENCE + n, 0)["victim"]
        for n in range(50)
    )

    assert same == 0


def test_the_time_changes_nothing_but_the_time(generator: Generator) -> None:
    early = generator.generate(FIRST_SEQUENCE, 1_760_000_000)
    late = generator.generate(FIRST_SEQUENCE, 1_760_000_001)

    assert early.pop("killmail_time") == "2025-10-09T08:53:20Z"
    assert late.pop("killmail_time") == "2025-10-09T08:53:21Z"
    assert early == late


def test_every_mail_is_one_the_product_accepts_as_it_is(mails: list[Mail]) -> None:
    for mail in mails:
        decoded = decode_killmail(msgspec.json.encode(mail))
        assert msgspec.to_builtins(decoded)["killmail_id"] == mail["killmail_id"]
        assert decoded.victim.ship_type_id == mail["victim"]["ship_type_id"]


def test_the_hash_is_the_games(mails: list[Mail]) -> None:
    mail = next(mail for mail in mails if "character_id" in mail["victim"])
    final = next(attacker for attacker in mail["attackers"] if attacker["final_blow"])
    ticks = (1_760_000_400 + mails.index(mail)) * 10**7 + 116_444_736_000_000_000
    text = f"{mail['victim']['character_id']}{final.get('character_id')}{mail['victim']['ship_type_id']}{ticks}"

    found = killmail_hash(decode_killmail(msgspec.json.encode(mail)))

    assert found.hex() == hashlib.sha1(text.encode()).hexdigest()


def test_killmail_ids_are_unique_rise_and_lead_back_to_their_numbers(mails: list[Mail]) -> None:
    ids = [mail["killmail_id"] for mail in mails]

    assert ids == sorted(set(ids))
    assert ids[0] >= 1_000_000_000
    assert [sequence_of(killmail_id) for killmail_id in ids[:100]] == [FIRST_SEQUENCE + n for n in range(100)]


def test_an_id_that_no_number_has_leads_nowhere() -> None:
    given = {killmail_id_of(FIRST_SEQUENCE + n) for n in range(4)}
    missing = next(i for i in range(1_000_000_000, 1_000_000_009) if i not in given)

    assert sequence_of(missing) is None
    assert sequence_of(97_069_698) is None


def test_everything_named_exists(mails: list[Mail], universe: Universe) -> None:
    for mail in mails:
        assert mail["solar_system_id"] in universe.systems
        assert mail["victim"]["ship_type_id"] in universe.types
        for attacker in mail["attackers"]:
            for key in ("ship_type_id", "weapon_type_id"):
                assert attacker.get(key, 587) in universe.types
            assert attacker.get("faction_id", 500001) in universe.factions
        for row in mail["victim"].get("items", []):
            assert row["item_type_id"] in universe.types


def test_modules_are_in_slots_they_fit_and_no_slot_holds_two(mails: list[Mail], universe: Universe) -> None:
    fitted = 0
    for mail in mails:
        modules: Counter[int] = Counter()
        for row in mail["victim"].get("items", []):
            kind = universe.types[row["item_type_id"]]
            for slot, flags in SLOTS.items():
                if row["flag"] in flags and kind.category_id != 8:
                    assert kind.slot == slot, (kind.name, row["flag"])
                    modules[row["flag"]] += 1
        assert set(modules.values()) <= {1}
        fitted += len(modules)
    assert fitted > 10_000


def test_each_row_either_dropped_or_was_destroyed(mails: list[Mail]) -> None:
    for mail in mails:
        for row in mail["victim"].get("items", []):
            fates = {"quantity_dropped", "quantity_destroyed"} & row.keys()
            assert len(fates) == 1
            assert row[fates.pop()] >= 1


def test_the_damage_of_the_attackers_sums_to_what_the_victim_took(mails: list[Mail]) -> None:
    for mail in mails:
        assert sum(a["final_blow"] for a in mail["attackers"]) == 1
        assert all(a["damage_done"] >= 0 for a in mail["attackers"])
        if mail["victim"]["damage_taken"]:
            assert sum(a["damage_done"] for a in mail["attackers"]) == mail["victim"]["damage_taken"]


def test_nobody_is_twice_on_a_mail_or_shoots_themselves(mails: list[Mail]) -> None:
    for mail in mails:
        people = [a["character_id"] for a in mail["attackers"] if "character_id" in a]
        assert len(set(people)) == len(people)
        assert mail["victim"].get("character_id") not in people


def test_a_capsule_often_follows_the_ship_it_came_out_of(mails: list[Mail], universe: Universe) -> None:
    following = [
        (ship, capsule)
        for ship, capsule in itertools.pairwise(mails)
        if ship["victim"].get("character_id") == capsule["victim"].get("character_id") is not None
        and universe.group_id_of(capsule["victim"]["ship_type_id"]) == CAPSULE_GROUP_ID
    ]

    assert len(following) > 150
    for ship, capsule in following:
        assert ship["solar_system_id"] == capsule["solar_system_id"]
        shooters = {a.get("character_id") for a in capsule["attackers"]}
        assert shooters <= {a.get("character_id") for a in ship["attackers"]}


def test_large_fights_are_between_two_alliances_in_one_system(mails: list[Mail]) -> None:
    systems: Counter[tuple[int, int]] = Counter()
    for place, mail in enumerate(mails):
        if len(mail["attackers"]) >= 10:
            systems[place // 64, mail["solar_system_id"]] += 1

    # Without battles, ten large kills would hardly ever meet in one of 5,000 systems.
    assert sum(count >= 3 for count in systems.values()) >= 20


def test_a_mail_may_be_asked_to_have_thousands_of_attackers(generator: Generator) -> None:
    mail = generator.generate(FIRST_SEQUENCE + 4, 1_760_000_000, players=4000)

    people = {attacker.get("character_id") for attacker in mail["attackers"]} - {None}
    # The victim may have been drawn among them, and is taken out.
    assert 3999 <= len(people) <= 4000
    assert len(decode_killmail(msgspec.json.encode(mail)).attackers) == len(mail["attackers"])


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def percentile(values: list[int], part: float) -> int:
    return sorted(values)[int(len(values) * part)]


def test_attackers_are_as_many_as_in_the_game(mails: list[Mail]) -> None:
    rows = [len(mail["attackers"]) for mail in mails]
    players = [sum("character_id" in a for a in mail["attackers"]) for mail in mails]

    assert sum(rows) / len(rows) == pytest.approx(5.13, abs=0.6)
    assert [percentile(rows, part) for part in (0.25, 0.5)] == [1, 2]
    assert percentile(rows, 0.9) == pytest.approx(9, abs=1)
    assert percentile(rows, 0.99) == pytest.approx(63, abs=12)
    assert share([n == 1 for n in rows]) == pytest.approx(0.453, abs=0.03)
    assert share([n == 0 for n in players]) == pytest.approx(0.155, abs=0.025)
    assert share([n == 1 for n in players]) == pytest.approx(0.379, abs=0.025)
    assert share([p == 1 < n for p, n in zip(players, rows, strict=True)]) == pytest.approx(0.05, abs=0.015)


def test_items_are_as_many_as_in_the_game(mails: list[Mail]) -> None:
    items = [mail["victim"].get("items", []) for mail in mails]
    counts = [len(rows) for rows in items]
    rows = [row for part in items for row in part]

    assert sum(counts) / len(counts) == pytest.approx(16.2, abs=1.5)
    assert share([n == 0 for n in counts]) == pytest.approx(0.268, abs=0.03)
    assert percentile(counts, 0.5) == pytest.approx(15, abs=2)
    assert percentile(counts, 0.9) == pytest.approx(35, abs=5)
    assert percentile(counts, 0.99) == pytest.approx(61, abs=12)
    assert share(["quantity_dropped" in row for row in rows]) == pytest.approx(0.448, abs=0.02)
    assert share([row["flag"] == 5 for row in rows]) == pytest.approx(0.27, abs=0.03)
    assert share([any("items" in row for row in part) for part in items]) == pytest.approx(0.007, abs=0.004)


def test_victims_are_what_they_are_in_the_game(mails: list[Mail], universe: Universe) -> None:
    groups = Counter(universe.groups[universe.types[mail["victim"]["ship_type_id"]].group_id].name for mail in mails)
    expected = {"Capsule": 0.274, "Frigate": 0.153, "Cruiser": 0.101, "Destroyer": 0.072, "Combat Battlecruiser": 0.056}

    for name, part in expected.items():
        assert groups[name] / len(mails) == pytest.approx(part, abs=0.022), name
    ships = [universe.category_id_of(mail["victim"]["ship_type_id"]) == 6 for mail in mails]
    assert share(ships) == pytest.approx(0.95, abs=0.015)
    assert share([mail["victim"]["corporation_id"] < 2_000_000 for mail in mails]) == pytest.approx(0.133, abs=0.03)
    assert share(["alliance_id" not in mail["victim"] for mail in mails]) == pytest.approx(0.317, abs=0.04)


def test_kills_happen_where_they_do_in_the_game(mails: list[Mail], universe: Universe) -> None:
    kinds = Counter(kind_of_space(universe.systems[mail["solar_system_id"]]) for mail in mails)
    expected = {
        "nullsec": 0.482,
        "lowsec": 0.219,
        "highsec": 0.114,
        "wormhole": 0.087,
        "abyssal": 0.053,
        "pochven": 0.045,
    }

    assert set(kinds) == set(expected)
    for name, part in expected.items():
        assert kinds[name] / len(mails) == pytest.approx(part, abs=0.03), name
