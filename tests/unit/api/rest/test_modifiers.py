"""The path of zKillboard's API, taken apart."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killreport.api.rest.modifiers import FLAGS, NUMBERS, PARTIES, PLACES, read_modifiers
from killreport.errors import Refused
from killreport.killmail.filters.tree import KillmailFilter

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("characterID/7/", {"character": [7]}),
        ("kills/characterID/7/", {"attackerCharacter": [7]}),
        ("losses/groupID/25/", {"victimShipGroup": [25]}),
        ("shipID/587/losses/", {"victimShipType": [587]}),
        ("finalblow-only/allianceID/9/", {"attackerAlliance": [9]}),
        ("solarSystemID/30000142/w-space/", {"system": [30000142], "space": ["w-space"]}),
        ("npc/0/awox/1/solo/", {"npc": False, "awox": True, "solo": True}),
        ("kills/year/2024/month/12/", {"from": "2024-12-01T00:00:00Z", "to": "2025-01-01T00:00:00Z"}),
        ("kills/year/2024/month/02/", {"from": "2024-02-01T00:00:00Z", "to": "2024-03-01T00:00:00Z"}),
        ("kills/year/2024/", {"from": "2024-01-01T00:00:00Z", "to": "2025-01-01T00:00:00Z"}),
        ("kills/pastSeconds/3600/", {"from": "2026-11-28T11:00:00Z"}),
        ("kills/iskValue/500000000/", {"valueMin": 500_000_000}),
        ("kills/json/", {}),
    ],
)
def test_modifiers_become_a_filter(path: str, expected: dict[str, object]) -> None:
    assert KillmailFilter.read(read_modifiers(path).plain_filter(NOW)) == KillmailFilter.read(expected)


@given(
    st.lists(
        st.sampled_from([*FLAGS, *NUMBERS, *PARTIES, *PLACES, "nonsense", ""]) | st.text(max_size=8), max_size=12
    ).map("/".join)
)
def test_any_path_is_read_or_refused_and_never_fails_otherwise(path: str) -> None:
    with suppress(Refused):
        query = read_modifiers(path)
        plain = query.plain_filter(NOW)
        assert isinstance(plain, dict)
        assert query.page >= 1


def test_too_many_ids_or_modifiers_are_refused() -> None:
    with pytest.raises(Refused, match="no more than 10 ids"):
        read_modifiers("characterID/" + ",".join(str(number) for number in range(1, 12)))
    with pytest.raises(Refused, match="no more than 20 modifiers"):
        read_modifiers("solo/" * 50)
