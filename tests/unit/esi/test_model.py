"""What ESI answers in its old and its new shapes, and what cannot be an answer."""

from __future__ import annotations

import pytest

from killreport.decoding import decode_json
from killreport.errors import Malformed
from killreport.esi.model import EsiCharacter, EsiCorporation

OLD = b'{"name":"A","ticker":"A","member_count":3,"ceo_id":9,"tax_rate":0.1,"faction_id":500001}'
NEW = (
    b'{"name":"A","ticker":"A","member_count":3,"tax_rates":{"isk":10.0,"loyalty_point":5},'
    b'"enlisted_faction_id":500001}'
)


@pytest.mark.parametrize("body", [OLD, NEW], ids=["old", "new"])
def test_tax_and_faction_mean_the_same_in_both_shapes(body: bytes) -> None:
    found: EsiCorporation = decode_json(body, EsiCorporation).in_present_shape()
    assert found.tax_rate == pytest.approx(0.1)
    assert found.faction_id == 500001


def test_a_closed_corporation_has_no_ceo() -> None:
    assert decode_json(NEW, EsiCorporation).ceo_id is None


def test_what_a_character_lacks_is_none_and_what_nobody_knows_is_ignored() -> None:
    body = b'{"name":"A","corporation_id":1,"birthday":"2010-01-01T00:00:00Z","achievement_score":7}'
    found = decode_json(body, EsiCharacter)
    assert (found.alliance_id, found.title, found.security_status) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"name":7,"corporation_id":1,"birthday":"2010-01-01T00:00:00Z"}', "$.name"),
        (b'{"name":"A","birthday":"2010-01-01T00:00:00Z"}', "$"),
        (b"<html>", "$"),
        (b"", "$"),
        (b"\xff\xfe", "$"),
    ],
)
def test_another_shape_is_refused_with_the_place(body: bytes, path: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode_json(body, EsiCharacter)
    assert caught.value.path == path
