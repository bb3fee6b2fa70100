"""Bytes become a killmail, or a Malformed that says what and where; nothing else ever comes out."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from killreport.errors import Malformed
from killreport.killmail.mail.decode import decode_killmail, unwrap
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.legacy import read_killmail
from killreport.killmail.mail.model import Attacker, Item, Killmail, Position, Victim
from tests.unit.killmail.bodies import encode, make_body, make_victim


def refusal_of(body: object) -> tuple[str, str]:
    with pytest.raises(Malformed) as caught:
        decode_killmail(body if isinstance(body, bytes) else encode(body))
    return caught.value.reason, caught.value.path


def test_a_killmail_in_the_present_shape_is_read_field_by_field() -> None:
    assert decode_killmail(encode(make_body(war_id=7, moon_id=40_000_001))) == Killmail(
        killmail_id=97_000_001,
        killmail_time=datetime(2021, 12, 2, 18, 30, tzinfo=UTC),
        solar_system_id=30002813,
        war_id=7,
        moon_id=40_000_001,
        victim=Victim(
            ship_type_id=587,
            damage_taken=300,
            character_id=90_000_001,
            corporation_id=98_000_001,
            position=Position(1.5, -2.0, 3e12),
            items=(
                Item(3467, 5, quantity_destroyed=1, items=(Item(34, 0, quantity_destroyed=7),)),
                Item(439, 11, quantity_dropped=1),
            ),
        ),
        attackers=(
            Attacker(200, False, -2.5, 90_000_002, 98_000_002, ship_type_id=626, weapon_type_id=2185),
            Attacker(100, True, 0.0, corporation_id=1_000_125, ship_type_id=3885),
        ),
    )


def test_raw_bytes_inside_another_document_decode_like_bytes() -> None:
    body = encode(make_body())
    assert decode_killmail(msgspec.Raw(body)) == decode_killmail(body)


def test_unknown_keys_are_ignored() -> None:
    assert decode_killmail(encode(make_body(kinds=["x"], zkb={"points": 1}))) == decode_killmail(encode(make_body()))


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2021-12-02T18:30:00Z", 18),
        ("2021-12-02T18:30:00+00:00", 18),
        ("2021-12-02T11:30:00-07:00", 18),
        ("2021-12-03T00:00:00+05:30", 18),
        ("2021-12-02T18:30:00", 18),
        ("2021-12-02 18:30:00", 18),
        ("2021.12.02 18:30:00", 18),
    ],
)
def test_a_time_is_converted_to_utc_however_it_is_written(written: str, hour: int) -> None:
    time = decode_killmail(encode(make_body(killmail_time=written))).killmail_time
    assert time == datetime(2021, 12, 2, hour, 30, tzinfo=UTC)
    assert time.tzinfo is UTC


def test_a_zero_id_means_nobody() -> None:
    body = make_body(victim=make_victim(alliance_id=0, character_id=0, faction_id=0), war_id=0)
    mail = decode_killmail(encode(body))
    assert (mail.victim.alliance_id, mail.victim.character_id, mail.victim.faction_id, mail.war_id) == (None,) * 4


def test_null_means_absent_and_a_whole_float_is_a_number() -> None:
    attacker = {"character_id": None, "damage_done": 20613.0, "final_blow": True, "weapon_type_id": None}
    mail = decode_killmail(encode(make_body(attackers=[attacker])))
    assert mail.attackers == (Attacker(20613, True),)


def test_items_beside_the_victim_are_the_victims() -> None:
    rows = [{"flag": 5, "item_type_id": 34, "quantity_dropped": 3}]
    for victim in (make_victim(items=None), make_victim(items=[])):
        mail = decode_killmail(encode(make_body(victim=victim, items=rows)))
        assert mail.victim.items == (Item(34, 5, quantity_dropped=3),)


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"killmail_id": None}, "the id is missing", "$.killmail_id"),
        ({"killmail_id": 0}, "the id is missing", "$.killmail_id"),
        ({"killmail_id": -1}, "the number is not between 0 and 9223372036854775807", "$.killmail_id"),
        ({"killmail_id": 2**63}, "the number is not between 0 and 9223372036854775807", "$.killmail_id"),
        ({"killmail_id": True}, "expected a whole number, found true or false", "$.killmail_id"),
        ({"solar_system_id": 30002813.5}, "expected a whole number, found a fraction", "$.solar_system_id"),
        ({"solar_system_id": 2**59}, "the number is not between 0 and 576460752303423487", "$.solar_system_id"),
        ({"killmail_time": None}, "the time is missing", "$.killmail_time"),
        ({"killmail_time": "KILLTIME"}, "it is not a time", "$.killmail_time"),
        ({"killmail_time": 1638469800}, "it is not a time", "$.killmail_time"),
        ({"killmail_time": "2021-02-30T00:00:00Z"}, "there is no such time", "$.killmail_time"),
        ({"killmail_time": "2003-05-05T23:59:59Z"}, "the time is before the game began", "$.killmail_time"),
        ({"killmail_time": "0001-01-01T00:00:00+14:00"}, "the time is before the game began", "$.killmail_time"),
        ({"killmail_time": "9999-12-31T23:59:59-14:00"}, "the time lies in the future", "$.killmail_time"),
        ({"victim": None}, "it is missing", "$.victim"),
        ({"victim": []}, "expected an object, found a list", "$.victim"),
        ({"victim": make_victim(ship_type_id=None)}, "the id is missing", "$.victim.ship_type_id"),
        ({"victim": make_victim(ship_type_id=0)}, "the id is missing", "$.victim.ship_type_id"),
        ({"victim": make_victim(items={})}, "expected a list, found an object", "$.victim.items"),
        ({"victim": make_victim(items=[7])}, "expected an object, found a number", "$.victim.items[0]"),
        ({"victim": make_victim(items=[{"flag": 5}])}, "the id is missing", "$.victim.items[0].item_type_id"),
        ({"victim": make_victim(items=[{"item_type_id": 34}])}, "it is missing", "$.victim.items[0].flag"),
        (
            {"victim": make_victim(items=[{"item_type_id": 34, "flag": 5, "quantity_dropped": 2**63}])},
            "the number is not between 0 and 9223372036854775807",
            "$.victim.items[0].quantity_dropped",
        ),
        (
            {"victim": make_victim(position={"x": 1e300, "y": 0, "z": 0})},
            "the number is beyond 1e+18",
            "$.victim.position.x",
        ),
        (
            {"victim": make_victim(position={"x": "far", "y": 0, "z": 0})},
            "expected a number, found text",
            "$.victim.position.x",
        ),
        ({"attackers": None}, "there is no attacker", "$.attackers"),
        ({"attackers": []}, "there is no attacker", "$.attackers"),
        ({"attackers": [{"damage_done": 1}]}, "one attacker must have the final blow, 0 have it", "$.attackers"),
        ({"attackers": [{"final_blow": True}] * 2}, "one attacker must have the final blow, 2 have it", "$.attackers"),
        (
            {"attackers": [{"final_blow": True}] + [{}] * 32767},
            "there are more than 32767 attackers",
            "$.attackers",
        ),
        (
            {"attackers": [{"final_blow": True}, {"final_blow": 2}]},
            "the number is not between 0 and 1",
            "$.attackers[1].final_blow",
        ),
        (
            {"attackers": [{"final_blow": True, "security_status": 1e9}]},
            "the number is beyond 100",
            "$.attackers[0].security_status",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason_and_path(change: Any, reason: str, path: str) -> None:
    assert refusal_of(make_body(**change)) == (reason, path)


def test_more_items_than_can_be_numbered_are_refused_wherever_they_lie() -> None:
    row = {"item_type_id": 34, "flag": 5}
    flat = make_victim(items=[row] * 32768)
    nested = make_victim(items=[row | {"items": [row] * 32767}])
    for victim in (flat, nested):
        assert refusal_of(make_body(victim=victim)) == ("there are more than 32767 items", "$.victim.items")
    most = make_victim(items=[row | {"items": [row] * 32766}])
    items = decode_killmail(encode(make_body(victim=most))).victim.items
    assert items is not None
    assert len(items[0].items or ()) == 32766


def nested_items(levels: int, **extra: object) -> list[Any]:
    rows: list[Any] = []
    for _ in range(levels):
        rows = [{"item_type_id": 3467, "flag": 5, "items": rows, **extra}]
    return rows


def test_containers_may_nest_four_levels_and_no_more() -> None:
    assert decode_killmail(encode(make_body(victim=make_victim(items=nested_items(4))))).killmail_id == 97_000_001
    body = make_body(victim=make_victim(items=nested_items(5)))
    assert refusal_of(body) == ("containers are nested too deeply", "$.victim.items[0]")


def test_the_lenient_path_has_the_same_limit_of_nesting() -> None:
    deepest = make_body(victim=make_victim(items=nested_items(4, singleton=0.0)))
    assert decode_killmail(encode(deepest)).killmail_id == 97_000_001
    reason, path = refusal_of(make_body(victim=make_victim(items=nested_items(5, singleton=0.0))))
    assert (reason, path) == ("containers are nested too deeply", "$.victim.items[0].items[0].items[0].items[0].items")


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"{", b'{"a":NaN}', b'{"a":-Infinity}'])
def test_bytes_that_are_no_json_are_refused_as_such(raw: bytes) -> None:
    reason, path = refusal_of(raw)
    assert reason.startswith("it is not JSON that can be read")
    assert path == "$"


@pytest.mark.parametrize("number", [b"9" * 5000, b"1e999"])
def test_numbers_that_no_number_can_hold_are_refused(number: bytes) -> None:
    reason, path = refusal_of(b'{"killmail_id":' + number + b"}")
    assert (reason.endswith("out of range"), path) == (True, "$.*")


@pytest.mark.parametrize("opening", [b"[", b'{"x":', b'{"victim":{"items":[{"items":', b'{"items":'])
def test_endless_nesting_is_refused(opening: bytes) -> None:
    reason, _ = refusal_of(opening * 100_000)
    assert "nested too deeply" in reason


@pytest.mark.parametrize(
    ("raw", "found"), [(b"null", "nothing"), (b"[]", "a list"), (b'"kill"', "text"), (b"7", "a number")]
)
def test_json_that_is_no_object_is_refused(raw: bytes, found: str) -> None:
    assert refusal_of(raw) == (f"expected an object, found {found}", "$")


def test_a_kill_may_be_a_day_ahead_of_our_clock_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2021, 12, 1, 18, 30, tzinfo=UTC)
    monkeypatch.setattr("killreport.killmail.mail.sanity.utc_now", lambda: now)
    assert decode_killmail(encode(make_body())).killmail_time == now + timedelta(days=1)
    monkeypatch.setattr("killreport.killmail.mail.sanity.utc_now", lambda: now - timedelta(seconds=1))
    assert refusal_of(make_body()) == ("the time lies in the future", "$.killmail_time")


def test_the_lenient_path_reads_every_real_mail_like_the_fast_one(data: Path) -> None:
    for line in lines_of(data / "killmails" / "odd_shared.jsonl.zst"):
        fast, lenient = decode_killmail(line), read_killmail(msgspec.json.decode(line))
        assert lenient == msgspec.structs.replace(
            fast, victim=msgspec.structs.replace(fast.victim, items=fast.victim.items or ())
        )


def test_every_odd_real_mail_decodes_and_its_hash_is_the_games(data: Path) -> None:
    checked = 0
    for line in lines_of(data / "killmails" / "odd_shared.jsonl.zst"):
        envelope = unwrap(line)
        assert killmail_hash(decode_killmail(envelope.body)).hex() == envelope.hash
        checked += 1
    assert checked == 1042


def test_every_hash_of_a_real_day_is_the_games(data: Path) -> None:
    checked = 0
    with tarfile.open(data / "killmails" / "everef" / "killmails-2021-12-02.tar.bz2", "r|bz2") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                envelope = unwrap(content.read())
                assert killmail_hash(decode_killmail(envelope.body)).hex() == envelope.hash
                checked += 1
    assert checked == 10938


def test_the_malformed_corpus_is_read_or_refused_line_by_line(data: Path) -> None:
    outcomes: dict[str, list[int]] = {}
    for number, line in enumerate(lines_of(data / "killmails" / "weird_inputs.jsonl.zst")):
        try:
            decode_killmail(unwrap(line).body)
        except Malformed as error:
            outcomes.setdefault(str(error), []).append(number)
        else:
            outcomes.setdefault("read", []).append(number)
    assert outcomes == {
        "read": [0, 1, 27, 28, 29, 30, 31],
        "the id is missing at $.killmail_id": [*range(2, 27), 33, 35, 36],
        "one attacker must have the final blow, 0 have it at $.attackers": [32],
        "there is no attacker at $.attackers": [34],
    }


def lines_of(path: Path) -> list[bytes]:
    with path.open("rb") as stream:
        return zstandard.ZstdDecompressor().stream_reader(stream).read().splitlines()
