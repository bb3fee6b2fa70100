"""A killmail's own bytes come out of every wrapper, with what the wrapper says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from killreport.errors import Malformed
from killreport.killmail.mail.decode import KillmailEnvelope, decode_killmail, unwrap
from killreport.killmail.mail.zkb import ZkbBlock
from tests.unit.killmail.bodies import encode, make_body

HASH = "2eeeb3182c36e83113029ec0e3e211d197d6091c"
OTHER_HASH = "1cdcb58996fd2a32696b74efc09f4db196faab09"
BLOCK = {"locationID": 40152304, "hash": HASH, "points": 3, "labels": ["pvp"]}
READ_BLOCK = ZkbBlock(location_id=40152304, hash=HASH, points=3, labels=("pvp",))


@pytest.mark.parametrize(
    ("wrapped", "expected_hash", "zkb"),
    [
        (make_body(), None, None),
        (make_body(killmail_hash=HASH, http_last_modified="2021"), HASH, None),
        (make_body(zkb=BLOCK), HASH, READ_BLOCK),
        ({"killmail_id": 1, "hash": HASH, "esi": make_body(), "zkb": BLOCK, "sequence_id": 9}, HASH, READ_BLOCK),
        ({"package": {"killID": 1, "killmail": make_body(), "zkb": BLOCK}}, HASH, READ_BLOCK),
        ({"killID": 1, "killmail": make_body(), "zkb": BLOCK}, HASH, READ_BLOCK),
        ({"why": "odd", "source": {}, "zkb": None, "body": make_body(zkb=BLOCK)}, HASH, READ_BLOCK),
        ({"hash": OTHER_HASH, "esi": make_body(killmail_hash=HASH)}, OTHER_HASH, None),
    ],
)
def test_every_known_wrapper_opens(wrapped: Any, expected_hash: str | None, zkb: ZkbBlock | None) -> None:
    envelope = unwrap(encode(wrapped))
    assert decode_killmail(envelope.body) == decode_killmail(encode(make_body()))
    assert (envelope.hash, envelope.zkb) == (expected_hash, zkb)


@pytest.mark.parametrize("raw", [b"", b"[1]", b"\xff", b"[" * 100_000, b'{"killmail_id":1}', b'{"zkb":7,"hash":8}'])
def test_what_is_no_wrapper_comes_back_as_it_is(raw: bytes) -> None:
    assert unwrap(raw) == KillmailEnvelope(raw)


def test_an_empty_package_is_refused_by_decoding() -> None:
    with pytest.raises(Malformed) as caught:
        decode_killmail(unwrap(b'{"package":null}').body)
    assert (caught.value.reason, caught.value.path) == ("expected an object, found nothing", "$")


def test_wrappers_within_wrappers_end_after_four() -> None:
    body: Any = make_body()
    for _ in range(5):
        body = {"body": body}
    with pytest.raises(Malformed):
        decode_killmail(unwrap(encode(body)).body)


def test_a_block_is_read_in_camel_case_and_in_snake_case() -> None:
    camel = {"locationID": 1, "fittedValue": 2.5, "droppedValue": 0, "destroyedValue": 3, "totalValue": 3}
    snake = {"location_id": 1, "fitted_value": 2.5, "dropped_value": 0, "destroyed_value": 3, "total_value": 3}
    flags = {"points": 1.0, "npc": False, "solo": True, "awox": False}
    expected = ZkbBlock(
        location_id=1, fitted_value=2.5, dropped_value=0.0, destroyed_value=3.0, total_value=3.0, points=1,
        is_npc=False, is_solo=True, is_awox=False,
    )  # fmt: skip
    for block in (camel, snake):
        assert unwrap(encode(make_body(zkb=block | flags))).zkb == expected


def test_what_is_wrong_in_a_block_counts_as_absent() -> None:
    block = {
        "locationID": 0, "hash": "", "totalValue": "much", "points": 1.5, "npc": "no", "labels": ["pvp", 7, None],
        "fittedValue": 10**40,
    }  # fmt: skip
    assert unwrap(encode(make_body(zkb=block))).zkb == ZkbBlock(labels=("pvp",))


def test_real_files_of_zkillboard_open(data: Path) -> None:
    folder = data / "zkb"
    names = ["r2z2_900001.json", "r2z2_900002.json", "redisq_package_2024.json",
             "redisq_package_130734446_unknown_group_test.json"]  # fmt: skip
    found = {}
    for name in names:
        envelope = unwrap((folder / name).read_bytes())
        mail = decode_killmail(envelope.body)
        found[name] = (mail.killmail_id, envelope.hash, envelope.zkb.location_id if envelope.zkb else None)
    assert found == {
        "r2z2_900001.json": (435341, "cea7da03d815cbe8d5db3d135ed6f7e3a6ec2e60", 50000001),
        "r2z2_900002.json": (103735737, "3fad4d92ffb177409df71562f3d8c41fd47fe917", 50000001),
        "redisq_package_2024.json": (119455394, "d2913bf8250db18456601a8ae061441e89ccadf3", 40307608),
        "redisq_package_130734446_unknown_group_test.json": (
            130734446, "61a73d34e0e4f2c396905a6f0484668c21781ef7", 40181568,
        ),
    }  # fmt: skip


def test_every_mail_of_the_api_list_has_a_block_and_decodes(data: Path) -> None:
    packed = (data / "zkb" / "killmails_with_zkb.json.zst").read_bytes()
    listed = msgspec.json.decode(zstandard.ZstdDecompressor().stream_reader(packed).read(), type=list[msgspec.Raw])
    assert len(listed) == 38
    for raw in listed:
        envelope = unwrap(raw)
        assert envelope.zkb is not None
        assert decode_killmail(envelope.body).killmail_id > 0
