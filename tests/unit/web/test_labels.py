"""Labels as badges."""

from __future__ import annotations

from killreport.web.labels import badges


def texts(*labels: str, solo: bool = False, npc: bool = False, awox: bool = False) -> list[str]:
    """Return the words of the badges."""
    return [badge.text for badge in badges(labels, is_solo=solo, is_npc=npc, is_awox=awox)]


def test_only_what_is_worth_a_glance_is_a_badge() -> None:
    assert texts("tz:eu", "cat:6", "#:5+", "pvp", "loc:nullsec") == []
    assert texts("capital", "fw:cal", "fw:calgal", "ganked", solo=True, awox=True) == [
        "solo",
        "awox",
        "capital",
        "ganked",
        "fw",
    ]
    assert texts("solo", "npc", npc=True) == ["npc"]


def test_of_the_bands_of_value_only_the_highest_is_shown() -> None:
    assert texts("isk:1b+", "isk:10b+", "isk:5b+") == ["10b+"]
