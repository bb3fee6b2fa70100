"""NPC, solo and awox."""

from __future__ import annotations

import pytest

from killreport.killmail.mail.model import Attacker, Killmail
from killreport.killmail.rules.classify import classify
from tests.factories import (
    AGENT,
    ALICES_ALLIANCE,
    ALICES_CORPORATION,
    ASTRAHUS,
    BOB,
    BOBS_CORPORATION,
    CAPSULE,
    CHARLIE,
    CONCORD,
    GURISTAS,
    IBIS,
    MOBILE_TRACTOR_UNIT,
    NOT_IN_THE_UNIVERSE,
    RIFTER,
    SHUTTLE,
    make_attacker,
    make_killmail,
    make_npc,
    make_universe,
)

UNIVERSE = make_universe()
KILLER = make_attacker(final_blow=True)
NPC_KILLER = make_npc(final_blow=True)
STRUCTURE = make_attacker(None, BOBS_CORPORATION, ship_type_id=ASTRAHUS)


def flags(mail: Killmail) -> set[str]:
    marks = classify(mail, UNIVERSE, 0)
    named = {"npc": marks.is_npc, "solo": marks.is_solo, "awox": marks.is_awox}
    return {name for name, holds in named.items() if holds}


def test_one_player_against_one_ship_is_solo() -> None:
    assert flags(make_killmail()) == {"solo"}


def test_an_npc_only_killmail_is_not_solo() -> None:
    assert flags(make_killmail(NPC_KILLER)) == {"npc"}


def test_npcs_that_help_one_player_leave_the_kill_solo() -> None:
    assert flags(make_killmail(KILLER, make_npc(), make_attacker(AGENT, CONCORD))) == {"solo"}
    assert flags(make_killmail(make_attacker(), NPC_KILLER)) == {"solo"}


@pytest.mark.parametrize(
    "attackers",
    [
        (KILLER, make_attacker(CHARLIE)),
        (KILLER, STRUCTURE),
    ],
    ids=["a second player", "a structure"],
)
def test_players_or_structures_that_help_end_solo(attackers: tuple[Attacker, ...]) -> None:
    assert flags(make_killmail(*attackers)) == set()


@pytest.mark.parametrize("hull", [CAPSULE, SHUTTLE, IBIS, MOBILE_TRACTOR_UNIT, ASTRAHUS, NOT_IN_THE_UNIVERSE])
def test_only_a_real_ship_makes_a_solo_kill(hull: int) -> None:
    assert flags(make_killmail(ship_type_id=hull)) == set()


def test_a_hull_of_the_killer_that_nobody_knows_does_not_matter() -> None:
    assert flags(make_killmail(make_attacker(ship_type_id=NOT_IN_THE_UNIVERSE, final_blow=True))) == {"solo"}
    assert flags(make_killmail(make_attacker(ship_type_id=None, final_blow=True))) == {"solo"}


@pytest.mark.parametrize(
    ("character_id", "corporation_id", "is_npc"),
    [
        (3_999_999, CONCORD, True),
        (4_000_000, CONCORD, False),
        (None, 1_999_999, True),
        (None, 2_000_000, False),
        (None, None, True),
    ],
)
def test_the_id_ranges_tell_a_player_from_an_npc(
    character_id: int | None, corporation_id: int | None, is_npc: bool
) -> None:
    marks = classify(make_killmail(make_attacker(character_id, corporation_id, final_blow=True)), UNIVERSE, 0)
    assert marks.is_npc is is_npc


def test_a_faction_without_a_corporation_is_an_npc() -> None:
    rat = make_attacker(None, None, faction_id=GURISTAS, final_blow=True)
    assert flags(make_killmail(rat)) == {"npc"}


def test_a_players_structure_alone_is_no_npc_and_no_player() -> None:
    gun = make_attacker(None, BOBS_CORPORATION, ship_type_id=ASTRAHUS, final_blow=True)
    marks = classify(make_killmail(gun), UNIVERSE, 0)
    assert (marks.is_npc, marks.is_solo, marks.player_count) == (False, False, 0)


def test_a_victim_that_is_an_npc_makes_the_kill_one_of_npcs() -> None:
    assert flags(make_killmail(character_id=None, corporation_id=CONCORD)) == {"npc"}
    assert flags(make_killmail(corporation_id=CONCORD)) == {"solo"}
    assert flags(make_killmail(character_id=None)) == {"solo"}


def test_the_final_blow_of_the_own_corporation_is_awox() -> None:
    traitor = make_attacker(BOB, ALICES_CORPORATION, final_blow=True)
    assert flags(make_killmail(traitor, make_attacker(CHARLIE))) == {"awox"}
    assert flags(make_killmail(traitor)) == {"awox", "solo"}


def test_help_of_the_own_corporation_is_no_awox() -> None:
    assert flags(make_killmail(KILLER, make_attacker(CHARLIE, ALICES_CORPORATION))) == set()


def test_the_own_alliance_is_no_awox() -> None:
    ally = make_attacker(alliance_id=ALICES_ALLIANCE, final_blow=True)
    assert flags(make_killmail(ally, make_attacker(CHARLIE))) == set()


def test_an_npc_corporation_knows_no_treason() -> None:
    mail = make_killmail(make_attacker(BOB, CONCORD, final_blow=True), corporation_id=CONCORD)
    assert flags(mail) == {"solo"}


@pytest.mark.parametrize(("hull", "is_awox"), [(CAPSULE, False), (IBIS, False), (SHUTTLE, True), (RIFTER, True)])
def test_capsules_and_corvettes_are_no_awox(hull: int, is_awox: bool) -> None:
    traitor = make_attacker(BOB, ALICES_CORPORATION, final_blow=True)
    marks = classify(make_killmail(traitor, make_attacker(CHARLIE), ship_type_id=hull), UNIVERSE, 0)
    assert marks.is_awox is is_awox


def test_players_are_counted_without_npcs() -> None:
    mail = make_killmail(KILLER, make_attacker(CHARLIE), make_attacker(AGENT, CONCORD), make_npc(), STRUCTURE)
    assert classify(mail, UNIVERSE, 0).player_count == 2
