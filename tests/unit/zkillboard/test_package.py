"""The envelopes of the feeds: what is read from them, and what is said of those that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from killreport.decoding import is_json
from killreport.errors import Malformed
from killreport.killmail.mail.zkb import ZkbBlock
from killreport.zkillboard.package import decode_package, decode_redisq
from tests.unit.zkillboard.hosts import HASH, package_body


def test_a_package_keeps_the_killmail_as_the_bytes_that_came() -> None:
    body = b'{"killmail_id": 7, "hash": "%s", "esi": {"killmail_id":  7 , "new": [1]}, "zkb": {}}' % HASH.encode()

    package = decode_package(body, 55)

    assert bytes(package.esi) == b'{"killmail_id":  7 , "new": [1]}'
    assert (package.killmail_id, package.hash, package.sequence_id, package.raw) == (7, HASH, 55, body)


def test_the_block_of_zkillboard_is_read_and_unknown_keys_are_left_alone() -> None:
    block = {"locationID": 5, "points": 12.0, "npc": False, "labels": ["ganked"], "attackerCount": 4, "url": "x"}

    package = decode_package(package_body(zkb=block, uploaded_at=1), 1)

    assert package.zkb == ZkbBlock(location_id=5, points=12, is_npc=False, labels=("ganked",))


@pytest.mark.parametrize("block", [None, [], "text", {"points": "many"}, {"labels": 3}])
def test_an_odd_block_costs_the_block_and_not_the_killmail(block: object) -> None:
    assert decode_package(package_body(zkb=block), 1).zkb == ZkbBlock()


def test_the_hash_of_the_block_serves_where_the_envelope_has_none() -> None:
    package = decode_package(package_body(hash=None, zkb={"hash": HASH}), 1)

    assert package.hash == HASH


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"killmail_id": "900"}, "$.killmail_id"),
        ({"esi": []}, "$.esi"),
        ({"esi": None}, "$.esi"),
        ({"hash": 5}, "$.hash"),
        ({"hash": "abc"}, "$.hash"),
        ({"hash": "zz" * 20}, "$.hash"),
        ({"sequence_updated": "1"}, "$.sequence_updated"),
    ],
)
def test_a_bad_envelope_is_refused_with_the_path(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode_package(package_body(**fields), 1)

    assert caught.value.path == path


def test_an_envelope_without_a_killmail_says_what_it_lacks() -> None:
    with pytest.raises(Malformed, match="missing required field `esi`"):
        decode_package(b'{"killmail_id": 1}', 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"\xff\xfe", b'"\xff"'])
def test_what_is_no_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        decode_package(body, 1)

    assert caught.value.path == "$"


def test_half_a_package_is_no_json() -> None:
    body = package_body()

    assert (is_json(body), is_json(body[: len(body) // 2])) == (True, False)


def test_an_empty_redisq_answer_holds_no_package() -> None:
    assert decode_redisq(b'{"package": null}') is None


def test_a_redisq_package_of_late_2025_has_a_hash_and_no_killmail() -> None:
    package = decode_redisq(b'{"package": {"killID": 9, "zkb": {"hash": "%s"}}}' % HASH.encode())

    assert package is not None
    assert (package.killmail_id, package.hash, bytes(package.esi)) == (9, HASH, b"null")


def test_a_redisq_answer_of_another_shape_is_refused_with_the_path() -> None:
    with pytest.raises(Malformed) as caught:
        decode_redisq(b'{"package": {"killID": true}}')

    assert caught.value.path == "$.package.killID"


def test_the_files_of_the_real_feed_are_read(data: Path) -> None:
    package = decode_package((data / "zkb" / "r2z2_900002.json").read_bytes(), 900002)

    assert (package.killmail_id, package.hash) == (103735737, "3fad4d92ffb177409df71562f3d8c41fd47fe917")
    assert package.zkb.location_id == 50000001
    assert msgspec.json.decode(package.esi)["killmail_id"] == 103735737


def test_a_real_answer_of_redisq_is_read(data: Path) -> None:
    package = decode_redisq((data / "zkb" / "redisq_package_2024.json").read_bytes())

    assert package is not None
    assert (package.killmail_id, package.zkb.location_id) == (119455394, 40307608)
    assert msgspec.json.decode(package.esi)["solar_system_id"] == 30004859
