"""What ESI answers in its old and its new shapes, and what cannot be an answer."""

from __future__ import annotations

import pytest

from killreport.decoding import decode_json
from killreport.errors import Malformed, NotFound, Refused
from killreport.esi.client import in_bulk
from killreport.esi.model import Character, Corporation

OLD = b'{"name":"A","ticker":"A","member_count":3,"ceo_id":9,"tax_rate":0.1,"faction_id":500001}'
NEW = (
    b'{"name":"A","ticker":"A","member_count":3,"tax_rates":{"isk":10.0,"loyalty_point":5},'
    b'"enlisted_faction_id":500001}'
)


@pytest.mark.parametrize("body", [OLD, NEW], ids=["old", "new"])
def test_tax_and_faction_mean_the_same_in_both_shapes(body: bytes) -> None:
    found: Corporation = decode_json(body, Corporation).in_present_shape()
    assert found.tax_rate == pytest.approx(0.1)
    assert found.faction_id == 500001


def test_a_closed_corporation_has_no_ceo() -> None:
    assert decode_json(NEW, Corporation).ceo_id is None


def test_what_a_character_lacks_is_none_and_what_nobody_knows_is_ignored() -> None:
    body = b'{"name":"A","corporation_id":1,"birthday":"2010-01-01T00:00:00Z","achievement_score":7}'
    found = decode_json(body, Character)
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
        decode_json(body, Character)
    assert caught.value.path == path


class Batches:
    """Answers ids but refuses a batch with a bad one."""

    def __init__(self, *bad: int) -> None:
        self.bad = set(bad)
        self.sizes: list[int] = []

    async def ask(self, ids: object) -> list[int]:
        assert isinstance(ids, list)
        self.sizes.append(len(ids))
        if self.bad.intersection(ids):
            raise NotFound("one of them") if len(self.sizes) % 2 else Refused("one of them")
        return list(ids)


async def test_many_ids_are_asked_a_thousand_at_a_time_and_none_twice() -> None:
    batches = Batches()
    found = await in_bulk([*range(2500), *range(100)], batches.ask)
    assert sorted(found) == list(range(2500))
    assert sorted(batches.sizes) == [500, 1000, 1000]


async def test_a_bad_id_costs_its_halves_and_nobody_else_an_answer() -> None:
    batches = Batches(700)
    found = await in_bulk(range(1000), batches.ask)
    assert sorted(found) == [number for number in range(1000) if number != 700]
    assert len(batches.sizes) <= 21


async def test_no_ids_are_no_request() -> None:
    batches = Batches()
    assert await in_bulk([], batches.ask) == []
    assert batches.sizes == []
