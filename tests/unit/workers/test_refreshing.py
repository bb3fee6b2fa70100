"""Whom ESI is asked about."""

from __future__ import annotations

import pytest

from killreport.entity.kind import EntityKind
from killreport.workers.refreshing import is_askable


@pytest.mark.parametrize(
    ("kind", "entity_id", "expected"),
    [
        (EntityKind.CHARACTER, 3_000_000, False),
        (EntityKind.CHARACTER, 3_999_999, False),
        (EntityKind.CHARACTER, 90_000_001, True),
        (EntityKind.CHARACTER, 2_112_000_001, True),
        (EntityKind.CORPORATION, 1_000_125, False),
        (EntityKind.CORPORATION, 98_000_001, True),
        (EntityKind.ALLIANCE, 500_001, False),
        (EntityKind.ALLIANCE, 99_000_001, True),
    ],
)
def test_esi_is_asked_about_players_and_never_about_the_game_itself(
    kind: EntityKind, entity_id: int, expected: bool
) -> None:
    assert is_askable(kind, entity_id) is expected
