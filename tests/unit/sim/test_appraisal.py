"""The `zkb` block, against the blocks zKillboard really sent."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import zstandard

from killreport.eve.universe import Universe
from killreport.sim.publishing.appraisal import Appraiser, can_be_ganked
from killreport.sim.world.market import MadeUpMarket

JITA, TAMA = 30_000_142, 30_002_813


def mail(**changes: Any) -> dict[str, Any]:
    """Return a Rifter lost in Jita to a pilot in a Rifter."""
    attacker = {
        "character_id": 90_000_002,
        "corporation_id": 98_000_002,
        "damage_done": 5,
        "final_blow": True,
        "ship_type_id": 587,
    }
    victim = {"character_id": 90_000_001, "corporation_id": 98_000_001, "ship_type_id": 587, "damage_taken": 5}
    base = {
        "killmail_id": 5,
        "killmail_time": "2026-01-01T12:00:00Z",
        "solar_system_id": JITA,
        "victim": victim,
        "attackers": [attacker],
    }
    return base | changes


def read_odd(data: Path) -> list[dict[str, Any]]:
    """Return the selected real mails that carry a block."""
    with zstandard.open(data / "killmails" / "odd_shared.jsonl.zst", "rt") as lines:
        return [row for row in map(json.loads, lines) if row.get("zkb")]


def test_flags_agree_with_zkillboards_on_real_mails(data: Path, universe: Universe) -> None:
    rows = read_odd(data)
    wrong: dict[str, int] = dict.fromkeys(("npc", "solo", "awox"), 0)
    for row in rows:
        block = Appraiser(universe, MadeUpMarket(universe)).block(row, row["killmail_hash"])
        for flag in wrong:
            wrong[flag] += block[flag] != row["zkb"][flag]

    assert len(rows) >= 300
    assert wrong["solo"] == wrong["awox"] == 0
    assert wrong["npc"] <= 1


def test_labels_agree_with_zkillboards_but_for_worth_and_what_comes_later(data: Path, universe: Universe) -> None:
    # Blocks before 2025 have few labels and no time zone.
    labelled = [row for row in read_odd(data) if any(label.startswith("tz:") for label in row["zkb"].get("labels", ()))]
    later = ("isk:", "padding", "ganked", "atShip")
    for row in labelled:
        ours = {
            label
            for label in Appraiser(universe, MadeUpMarket(universe)).block(row, "")["labels"]
            if not label.startswith("isk:")
        }
        assert ours == {label for label in row["zkb"]["labels"] if not label.startswith(later)}, row["killmail_id"]
    assert len(labelled) == 5


def test_values_are_hull_and_items_with_copies_for_next_to_nothing(universe: Universe) -> None:
    market = MadeUpMarket(universe)
    rifter = market.price(587, date(2026, 1, 1))
    items = [
        {"flag": 5, "item_type_id": 587, "quantity_dropped": 2, "singleton": 0},
        {"flag": 27, "item_type_id": 587, "quantity_destroyed": 1, "singleton": 0},
        {"flag": 5, "item_type_id": 587, "quantity_destroyed": 1, "singleton": 2},
    ]
    assert rifter is not None

    block = Appraiser(universe, market).block(mail(victim=mail()["victim"] | {"items": items}), "ab")

    assert block["droppedValue"] == round(2 * rifter, 2)
    assert block["destroyedValue"] == round(2 * rifter + 0.01, 2)
    assert block["totalValue"] == round(4 * rifter + 0.01, 2)
    assert block["fittedValue"] == round(2 * rifter, 2)


def test_labels_of_a_lone_kill_in_high_security(universe: Universe) -> None:
    block = Appraiser(universe, MadeUpMarket(universe)).block(mail(), "ab", ("ganked",))

    assert block["labels"] == ["tz:au", "cat:6", "solo", "pvp", "loc:highsec", "ganked"]
    assert (block["npc"], block["solo"], block["awox"], block["attackerCount"]) == (False, True, False, 1)


@pytest.mark.parametrize(("system_id", "gankable"), [(JITA, True), (TAMA, False)])
def test_only_high_security_knows_ganks(universe: Universe, system_id: int, gankable: bool) -> None:
    assert can_be_ganked(mail(solar_system_id=system_id), universe) is gankable


def test_a_war_is_no_gank_and_neither_is_a_rat(universe: Universe) -> None:
    rat = {"damage_done": 5, "faction_id": 500_010, "final_blow": True, "ship_type_id": 587}

    assert can_be_ganked(mail(war_id=5), universe) is False
    assert can_be_ganked(mail(attackers=[rat]), universe) is False
