"""How parties are written."""

from __future__ import annotations

from killreport.web.images import Images
from killreport.web.parties import party_line
from tests.unit.web.examples import RIFTER, make_attacker

OFF = Images("off")
CORPORATION = {"id": 98000001, "name": None, "ticker": None}
ALLIANCE = {"id": 99000001, "name": "Friends", "ticker": "FRND"}


def written(**keys: object) -> tuple[str, str, bool]:
    """Return name, group and whether it is a name, of an attacker with these keys."""
    line = party_line(make_attacker(**keys), OFF, 32)
    return line.name, line.group, line.is_named


def test_a_pilot_is_written_with_alliance_and_ticker() -> None:
    pilot = {"id": 5, "name": "Bob"}
    named = {"id": 98000001, "name": "Bobs", "ticker": "BOBS"}
    assert written(character=pilot, corporation=named, alliance=ALLIANCE) == ("Bob", "[BOBS] Friends", True)
    assert written(character=pilot, corporation=named) == ("Bob", "Bobs", True)
    assert written(character=pilot) == ("Bob", "", True)


def test_what_is_not_named_yet_is_written_as_kind_and_id() -> None:
    assert written(character={"id": 5, "name": None}, corporation=CORPORATION) == (
        "Character 5",
        "Corporation 98000001",
        False,
    )


def test_an_npc_is_written_as_its_ship_and_its_side() -> None:
    faction = {"id": 500010, "name": "Guristas"}
    assert written(shipType=RIFTER, faction=faction) == ("Rifter", "Guristas", True)


def test_who_has_neither_pilot_nor_ship_is_written_as_its_corporation_or_faction() -> None:
    assert written(corporation=CORPORATION) == ("Corporation 98000001", "", False)
    assert written(corporation=CORPORATION, alliance=ALLIANCE) == ("Corporation 98000001", "Friends", False)
    assert written(faction={"id": 500010, "name": None}) == ("Faction 500010", "", True)
    assert written() == ("Unknown", "", False)
