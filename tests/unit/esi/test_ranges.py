"""A value that cannot be costs its answer nothing but itself, in every answer of ESI that is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from killreport.clock import utc_now
from killreport.decoding import decode_json
from killreport.errors import Malformed
from killreport.esi.model import EsiAffiliation, EsiAlliance, EsiCharacter, EsiCorporation, EsiType, MarketPrice
from killreport.ids import MAX_ENTITY_ID

GOOD: dict[type[msgspec.Struct], dict[str, Any]] = {
    EsiCharacter: {"name": "Ana", "corporation_id": 98_000_001, "birthday": "2010-01-01T00:00:00Z", "gender": "female"},
    EsiCorporation: {"name": "Ana Co", "ticker": "ANA", "member_count": 3},
    EsiAlliance: {"name": "Ana Union", "ticker": "UNI"},
    EsiAffiliation: {"character_id": 90_000_001, "corporation_id": 98_000_001},
    EsiType: {"type_id": 587, "name": "Rifter", "group_id": 25, "published": True},
    MarketPrice: {"type_id": 587, "adjusted_price": 1.5},
}
ODD_IDS = (0, -1, MAX_ENTITY_ID + 1, 2**63, 2**64, -(2**70), None)
ODD_INSTANTS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    (utc_now() + timedelta(days=40)).isoformat(),
    None,
)
ODD_COUNTS = (-1, -(2**31), 2**31, 2**63, None)
ODD_SHARES = (-0.1, 1.1, 1e300, None)
ODD_TEXTS = ("", "x" * 200_000, None)
ODD: list[tuple[type[msgspec.Struct], str, tuple[Any, ...]]] = [
    (EsiCharacter, "name", ("", "  ", None)),
    (EsiCharacter, "birthday", ODD_INSTANTS),
    (EsiCharacter, "security_status", (10.5, -11, 1e300, -1e300, None)),
    *((EsiCharacter, name, ODD_IDS) for name in ("alliance_id", "faction_id", "race_id", "bloodline_id")),
    *((EsiCharacter, name, ODD_TEXTS) for name in ("title", "description")),
    (EsiCorporation, "name", ("", "\t", None)),
    (EsiCorporation, "ticker", ("", " ", "x" * 21, "A\0", None)),
    (EsiCorporation, "member_count", ODD_COUNTS),
    (EsiCorporation, "tax_rate", ODD_SHARES),
    (EsiCorporation, "date_founded", ODD_INSTANTS),
    (EsiCorporation, "ceo_id", (1, *ODD_IDS)),
    *((EsiCorporation, name, ODD_IDS) for name in ("creator_id", "alliance_id", "faction_id", "home_station_id")),
    *((EsiCorporation, name, ODD_TEXTS) for name in ("url", "description")),
    (EsiAlliance, "name", ("", None)),
    (EsiAlliance, "ticker", ("", None)),
    (EsiAlliance, "date_founded", ODD_INSTANTS),
    *(
        (EsiAlliance, name, ODD_IDS)
        for name in ("creator_id", "creator_corporation_id", "executor_corporation_id", "faction_id")
    ),
    *((EsiAffiliation, name, ODD_IDS) for name in ("alliance_id", "faction_id")),
    *((EsiType, name, (-1.0, -1e300, None)) for name in ("mass", "volume", "capacity")),
    (EsiType, "market_group_id", ODD_IDS),
    *((MarketPrice, name, (-0.01, 1e17, None)) for name in ("average_price", "adjusted_price")),
]


def decode(shape: type[Any], **change: Any) -> Any:
    return decode_json(json.dumps({**GOOD[shape], **change}).encode(), shape)


@pytest.mark.parametrize(
    ("shape", "field", "values"), ODD, ids=[f"{shape.__name__}.{field}" for shape, field, _ in ODD]
)
def test_what_cannot_be_is_not_known_and_the_rest_is(
    shape: type[msgspec.Struct], field: str, values: tuple[Any, ...]
) -> None:
    for value in values:
        found = decode(shape, **{field: value})
        assert getattr(found, field) is None, value
        whole = msgspec.structs.asdict(decode(shape))
        assert msgspec.structs.asdict(found) | {field: None} == whole | {field: None}, value


@pytest.mark.parametrize(
    ("shape", "field", "value", "expected"),
    [
        (EsiCharacter, "security_status", 10.0, 10.0),
        (EsiCharacter, "security_status", -10.002, -10.002),
        (EsiCharacter, "birthday", "2003-05-06T00:00:00Z", datetime(2003, 5, 6, tzinfo=UTC)),
        (EsiCharacter, "birthday", "2010-01-01T02:00:00+02:00", datetime(2010, 1, 1, tzinfo=UTC)),
        (EsiCharacter, "birthday", "2010-01-01T00:00:00", datetime(2010, 1, 1, tzinfo=UTC)),
        (EsiCharacter, "title", " a title ", " a title "),
        (EsiCharacter, "description", "a\0b", "ab"),
        (EsiCharacter, "alliance_id", 1, 1),
        (EsiCharacter, "alliance_id", MAX_ENTITY_ID, MAX_ENTITY_ID),
        (EsiCorporation, "member_count", 0, 0),
        (EsiCorporation, "tax_rate", 1.0, 1.0),
        (EsiCorporation, "ticker", "<C C P>", "<C C P>"),
        (EsiCorporation, "creator_id", 1, 1),
        (MarketPrice, "average_price", 0.0, 0.0),
    ],
)
def test_what_can_be_stays(shape: type[msgspec.Struct], field: str, value: Any, expected: Any) -> None:
    assert getattr(decode(shape, **{field: value}), field) == expected


@pytest.mark.parametrize("percent", [-1.0, 101.0, 1e300, None])
def test_a_tax_in_percent_that_cannot_be_is_not_known(percent: float | None) -> None:
    assert decode(EsiCorporation, tax_rates={"isk": percent}).in_present_shape().tax_rate is None


def test_the_title_is_read_under_its_present_name_too() -> None:
    assert decode(EsiCharacter, corporation_title="Fleet Commander").title == "Fleet Commander"
    assert decode(EsiCharacter, title="Recruit").title == "Recruit"


@pytest.mark.parametrize("corporation_id", [0, -1, None, "none", MAX_ENTITY_ID + 1])
def test_a_character_that_is_nowhere_is_no_answer(corporation_id: Any) -> None:
    with pytest.raises(Malformed):
        decode(EsiCharacter, corporation_id=corporation_id)
