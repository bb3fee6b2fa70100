"""Filters as plain data: what is refused and where, and that one question has one form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from killreport.errors import Malformed
from killreport.killmail.filters.table import FILTERS
from killreport.killmail.filters.tree import EVERYTHING, MAX_CONDITIONS, MAX_DEPTH, KillmailFilter
from tests.factories import AFTERBURNER, ALICE, BOB, CARGO_CONTAINER, VEXOR
from tests.unit.killmail.rows import attacker_row, item_row, make_facts

read = KillmailFilter.read


def deep(levels: int) -> dict[str, Any]:
    """Return a filter of so many dictionaries inside each other."""
    plain: dict[str, Any] = {"solo": True}
    for _ in range(levels - 1):
        plain = {"not": {**plain, "npc": True}}
    return plain


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"vallueMin": 1}, "there is no such condition at vallueMin"),
        ({"and": [{"solo": True}, {"valueMin": "lots"}]}, "an amount of ISK is needed at and[1].valueMin"),
        ({"valueMin": float("nan")}, "an amount of ISK is needed at valueMin"),
        ({"valueMin": True}, "an amount of ISK is needed at valueMin"),
        ({"valueMax": 1e15}, "an amount from 0 to 100000000000000 is needed at valueMax"),
        (
            {"or": [{"not": {"region": [10000002, 0]}}]},
            "a number from 1 to 576460752303423487 is needed at or[0].not.region[1]",
        ),
        ({"region": 10000002}, "a list is needed at region"),
        ({"region": []}, "a list of 1 to 50 is needed, not 0 at region"),
        ({"region": [True]}, "a whole number is needed at region[0]"),
        ({"solo": 1}, "true or false is needed at solo"),
        (
            {"space": ["moon"]},
            "`moon` is none of highsec, lowsec, nullsec, w-space, drifter, abyssal, pochven, zarzakh",
        ),
        ({"labels": ["x' or 1=1"]}, "no label is spelt like this at labels[0]"),
        ({"from": "yesterday"}, "a time such as 2026-01-31T18:00:00Z is needed at from"),
        ({"to": "2026-01-31T18:00:00"}, "the time needs its time zone, such as the Z of UTC at to"),
        ({"hours": {"from": 24, "to": 3}}, "a number from 0 to 23 is needed at hours.from"),
        ({"hours": {"from": 3}}, "two hours are needed, `from` and `to` at hours"),
        ({"hours": {"from": 0, "to": 24}, "and": []}, "a list of at least one filter is needed at and"),
        ({"not": [{"solo": True}]}, "a dictionary of conditions is needed at not"),
        (deep(MAX_DEPTH + 1), f"filters may be nested {MAX_DEPTH} deep at not.not.not.not.not"),
        (
            {"or": [{"valueMin": number} for number in range(MAX_CONDITIONS + 1)]},
            f"a filter may have {MAX_CONDITIONS} conditions at or[{MAX_CONDITIONS}].valueMin",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_path(plain: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(plain)
    assert message in str(caught.value)


def test_the_deepest_filter_allowed_is_read() -> None:
    assert read(deep(MAX_DEPTH)).plain()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"region": [2, 1, 2]}, {"region": [1, 2]}),
        ({"solo": True, "npc": False}, {"npc": False, "and": [{"solo": True}]}),
        ({"and": [{"and": [{"solo": True}]}, {"npc": False}]}, {"solo": True, "npc": False}),
        ({"or": [{"npc": True}, {"solo": True}]}, {"or": [{"solo": True}, {"or": [{"npc": True}]}, {"solo": True}]}),
        ({"or": [{"npc": True}]}, {"npc": True}),
        ({"not": {"not": {"npc": True}}}, {"npc": True}),
        ({"or": [{"npc": True}, {}]}, {}),
        ({"from": "2021-12-02T20:00:00+02:00"}, {"from": datetime(2021, 12, 2, 18, tzinfo=UTC)}),
        ({"valueMin": 1e9}, {"valueMin": "1000000000.00"}),
        ({"hours": {"from": 22, "to": 0}}, {"hours": {"to": 24, "from": 22}}),
    ],
)
def test_what_asks_the_same_is_equal_and_has_one_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert read(one) == read(other)
    assert hash(read(one)) == hash(read(other))
    assert read(one).plain() == read(other).plain()


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"valueMin": "0.25", "from": "2021-12-02T18:00:00Z", "hours": {"from": 22, "to": 4}, "labels": ["#:2+"]},
        {"not": {"solo": True, "npc": True}},
        {"or": [{"solo": True}, {"region": [1], "npc": False}], "and": [{"or": [{"war": [1]}, {"awox": True}]}]},
        {"valueMin": 1, "and": [{"valueMin": 2}, {"not": {"npc": True}}, {"not": {"solo": True}}]},
    ],
)
def test_a_filter_written_as_plain_data_reads_as_itself(plain: dict[str, Any]) -> None:
    wanted = read(plain)
    assert read(wanted.plain()) == wanted


def test_every_entry_has_words_for_people_and_a_name_of_its_own() -> None:
    assert len(FILTERS) > 40
    for name, entry in FILTERS.items():
        assert name == entry.name
        assert entry.label
        assert entry.help
        assert entry.section


MIDNIGHT = datetime(2021, 12, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ({}, True),
        ({"character": [ALICE]}, True),
        ({"attackerCharacter": [ALICE]}, False),
        ({"attackerCharacter": [ALICE, BOB]}, True),
        ({"attackerShipGroup": [26]}, True),
        ({"victimShipGroup": [26]}, False),
        ({"victimAlliance": [99000001]}, False),
        ({"not": {"victimAlliance": [99000001]}}, True),
        ({"item": [AFTERBURNER]}, True),
        ({"itemFitted": [AFTERBURNER]}, False),
        ({"itemDropped": [AFTERBURNER]}, True),
        ({"itemFitted": [CARGO_CONTAINER]}, True),
        ({"hours": {"from": 22, "to": 1}}, True),
        ({"hours": {"from": 1, "to": 24}}, False),
        ({"from": MIDNIGHT}, True),
        ({"to": MIDNIGHT}, False),
        ({"valueMin": 100, "valueMax": 100}, True),
        ({"space": ["lowsec"]}, True),
        ({"space": ["highsec", "pochven"]}, False),
        ({"labelsNone": ["npc", "awox"]}, True),
        ({"or": [{"npc": True}, {"solo": True}]}, True),
    ],
)
def test_a_stored_killmail_is_tested_in_memory(plain: dict[str, Any], expected: bool) -> None:
    facts = make_facts(
        item_row(0, CARGO_CONTAINER, 11),
        item_row(1, AFTERBURNER, 11, parent_ordinal=0, quantity_dropped=1, quantity_destroyed=0),
        attackers=(attacker_row(ship_type_id=VEXOR),),
        killmail_time=MIDNIGHT,
        total_value_cents=10_000,
        labels=["loc:lowsec", "solo"],
    )
    assert read(plain).matches(facts) is expected


def test_everything_is_the_empty_filter() -> None:
    assert read({}) == EVERYTHING
