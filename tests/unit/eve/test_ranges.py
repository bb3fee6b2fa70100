"""What an id alone tells, at the edges of each range."""

from __future__ import annotations

import pytest

from killreport.eve.ranges import (
    is_faction,
    is_npc_corporation,
    is_player_character,
    is_player_corporation,
)


@pytest.mark.parametrize(
    ("character_id", "is_player"),
    [
        (None, False),
        (0, False),
        (2_999_999, False),
        (3_000_000, False),
        (3_999_999, False),
        (4_000_000, True),
        (90_000_001, True),
        (2_112_625_428, True),
    ],
)
def test_a_character_is_a_player_above_the_agents(character_id: int | None, is_player: bool) -> None:
    assert is_player_character(character_id) is is_player


@pytest.mark.parametrize(
    ("corporation_id", "is_npc", "is_player"),
    [
        (None, False, False),
        (0, False, False),
        (999_999, False, False),
        (1_000_000, True, False),
        (1_999_999, True, False),
        (2_000_000, False, True),
        (98_000_001, False, True),
    ],
)
def test_a_corporation_is_of_players_above_the_npc_range(
    corporation_id: int | None, is_npc: bool, is_player: bool
) -> None:
    assert is_npc_corporation(corporation_id) is is_npc
    assert is_player_corporation(corporation_id) is is_player


@pytest.mark.parametrize(
    ("faction_id", "expected"), [(None, False), (499_999, False), (500_001, True), (599_999, True), (600_000, False)]
)
def test_a_faction_has_an_id_of_its_own_range(faction_id: int | None, expected: bool) -> None:
    assert is_faction(faction_id) is expected
