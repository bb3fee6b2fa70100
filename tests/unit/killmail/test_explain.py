"""The factors of the points and the evidence for labels, from stored rows."""

from __future__ import annotations

from typing import Any

import pytest

from killreport.killmail.filters.predicates import Facts
from killreport.killmail.shown.explain import explain_labels, explain_points
from tests.factories import (
    ADRESTIA,
    AFTERBURNER,
    ASTRAHUS,
    BOB,
    CARGO_CONTAINER,
    DOMINIX,
    POCHVEN_SYSTEM,
    RIFTER,
    THERA,
)
from tests.unit.killmail.rows import attacker_row, item_row, make_facts

MODULES = tuple(item_row(slot, AFTERBURNER, 19 + slot) for slot in range(4))


def test_the_worked_example_is_explained_factor_by_factor() -> None:
    factors = explain_points(make_facts(*MODULES, attackers=(attacker_row(ship_type_id=DOMINIX),)))
    assert (factors.base, factors.danger, factors.rate, factors.raw) == (5, 4, 1.0, 9.0)
    assert (factors.characters, factors.crowd, factors.average_hull, factors.size_factor) == (1, 1.0, 125.0, 0.5)
    assert factors.only_one_because is None
    assert factors.points == 4


def test_what_a_container_held_is_no_danger() -> None:
    inside = item_row(1, AFTERBURNER, 19, parent_ordinal=0)
    assert explain_points(make_facts(item_row(0, CARGO_CONTAINER, 5), inside)).danger == 0


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (make_facts(*MODULES, attackers=(attacker_row(ship_type_id=ASTRAHUS),)), "a structure took part"),
        (make_facts(*MODULES, is_npc=True), "it was a kill by or of NPCs"),
        (make_facts(*MODULES, attackers=(attacker_row(character_id=None),)), "no attacker has a character"),
    ],
)
def test_a_kill_that_is_worth_one_point_whatever_died_says_why(facts: Facts, reason: str) -> None:
    factors = explain_points(facts)
    assert (factors.points, factors.only_one_because) == (1, reason)


@pytest.mark.parametrize(
    ("label", "evidence", "facts"),
    [
        ("tz:eu", "It was 18:30 UTC.", {}),
        ("cat:6", "Rifter is of the category Ship.", {}),
        ("#:10+", "12 attackers, NPCs counted.", {"attacker_count": 12}),
        ("solo", "One player alone.", {}),
        ("solo", "One player alone, with 2 beside who are no players.", {"attacker_count": 3}),
        ("pvp", "1 player among the attackers.", {}),
        ("npc", "No attacker was a player or of a player corporation, or an NPC died.", {"player_count": 0}),
        ("awox", "The final blow came from the victim's own corporation.", {}),
        ("loc:lowsec", "Tama in The Forge has security 0.3 (0.3064).", {}),
        ("loc:w-space", "Thera in G-R00031 is w-space.", {"solar_system_id": THERA}),
        ("loc:nullsec", "Kuharah in Pochven is pochven.", {"solar_system_id": POCHVEN_SYSTEM}),
        ("loc:nullsec", "The static data does not have this system any more.", {"solar_system_id": 30999999}),
        ("isk:1b+", "It was worth 1,234,567,890 ISK in all.", {"total_value_cents": 123_456_789_012}),
        ("atShip", "On the mail: Adrestia.", {"ship_type_id": ADRESTIA}),
        ("capital", "Rifter is sold among the capital ships.", {"ship_type_id": RIFTER}),
        (
            "fw:caldari",
            "The victim fought for a militia; among the attackers: its enemy.",
            {"victim_faction_id": 500004},
        ),
        ("ganked", "Given by the source, or by another killmail.", {}),
    ],
)
def test_every_label_has_its_evidence(label: str, evidence: str, facts: dict[str, Any]) -> None:
    assert explain_labels(make_facts(labels=[label], **facts)) == {label: evidence}


def test_the_labels_keep_their_order() -> None:
    facts = make_facts(labels=["tz:eu", "solo", "pvp"], attackers=(attacker_row(character_id=BOB),))
    assert list(explain_labels(facts)) == ["tz:eu", "solo", "pvp"]
