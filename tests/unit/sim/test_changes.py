"""Changing the world by hand, and what mails say of it while they are served."""

from __future__ import annotations

import pytest

from killreport.errors import Malformed
from killreport.killmail.mail.model import Attacker
from killreport.sim.world.changes import Changes, NewType
from killreport.sim.world.people import FIRST_CHARACTER_ID, Affiliation, Known, World

PILOT = FIRST_CHARACTER_ID
WORLD = World(1)
# A corporation of the population, its alliance, and another alliance.
ALLIANCE, OTHER = WORLD.alliance_ids()[:2]
CORPORATION, NEXT = WORLD.alliance_corporations(ALLIANCE)[:2]
MEMBER = next(member for i in WORLD.alliance_corporations(ALLIANCE) for member in WORLD.members.get(i, ()))


def party(character_id: int, corporation_id: int, alliance_id: int | None = None) -> Attacker:
    return Attacker(
        character_id=character_id,
        corporation_id=corporation_id,
        alliance_id=alliance_id,
        damage_done=1,
        final_blow=True,
        security_status=0.0,
    )


def test_a_character_who_moved_is_in_the_alliance_of_the_corporation_moved_to() -> None:
    world = World(1)
    world.change(Changes(moved={PILOT: CORPORATION}))
    assert world.affiliation(PILOT) == Affiliation(CORPORATION, *world.allegiance(CORPORATION))

    world.change(Changes(moved={PILOT: 1_000_169}))
    assert world.affiliation(PILOT) == Affiliation(1_000_169, None, None)

    world.change(Changes())
    assert world.affiliation(PILOT) == World(1).affiliation(PILOT)


def test_a_corporation_that_joins_another_alliance_takes_its_members_along_and_is_listed_there() -> None:
    world = World(1)
    home = world.affiliation(MEMBER)

    world.change(Changes(joined={home.corporation_id: OTHER}))

    assert world.affiliation(MEMBER) == Affiliation(home.corporation_id, OTHER, None)
    assert home.corporation_id in world.alliance_corporations(OTHER)
    assert home.corporation_id not in world.alliance_corporations(ALLIANCE)

    world.change(Changes())
    assert world.alliance_corporations(OTHER) == World(1).alliance_corporations(OTHER)
    assert world.alliance_corporations(ALLIANCE) == World(1).alliance_corporations(ALLIANCE)


def test_a_corporation_that_left_or_closed_is_in_no_alliance() -> None:
    world = World(1)

    world.change(Changes(joined={CORPORATION: None}, closed=frozenset({NEXT})))

    assert [world.allegiance(i) for i in (CORPORATION, NEXT)] == [(None, None)] * 2
    assert not {CORPORATION, NEXT} & set(world.alliance_corporations(ALLIANCE))


def test_an_alliance_that_everybody_left_is_not_listed() -> None:
    world = World(1)

    world.change(Changes(joined=dict.fromkeys(world.alliance_corporations(ALLIANCE))))

    assert ALLIANCE not in world.alliance_ids()
    assert world.alliance_corporations(ALLIANCE) == []


def test_who_is_gone_is_nobody_and_in_no_list() -> None:
    world = World(1)

    world.change(Changes(gone=frozenset({PILOT, CORPORATION, OTHER})))

    assert [world.kind_of(i) for i in (PILOT, CORPORATION, OTHER)] == [None] * 3
    assert CORPORATION not in world.alliance_corporations(ALLIANCE)
    assert OTHER not in world.alliance_ids()


def test_a_new_name_is_that_of_one_entity() -> None:
    world = World(1)

    world.change(Changes(renamed={PILOT: "Somebody Else"}))

    assert world.name_of("character", PILOT) == "Somebody Else"
    assert world.name_of("character", PILOT + 1) == World(1).name_of("character", PILOT + 1)


def test_the_newest_mail_served_says_where_somebody_is_in_whatever_order_they_come() -> None:
    known = Known({PILOT: Affiliation(98_000_009)}, {98_000_009: (99_000_009, None)})
    world = World(1, known)

    world.note_served([party(PILOT, 98_000_001, 99_000_001)], 2000)
    world.note_served([party(PILOT, 98_000_002, 99_000_002)], 1000)

    assert world.affiliation(PILOT) == Affiliation(98_000_001, 99_000_001)
    assert world.allegiance(98_000_002) == (99_000_002, None)
    assert {99_000_001, 99_000_002, 99_000_009} <= set(world.alliance_ids())

    world.note_served([party(PILOT, 98_000_001, 99_000_002)], 3000)

    assert world.affiliation(PILOT) == Affiliation(98_000_001, 99_000_002)
    assert world.alliance_corporations(99_000_002) == [98_000_001, 98_000_002]
    assert world.alliance_corporations(99_000_001) == []
    assert 99_000_001 not in world.alliance_ids()


def test_what_is_changed_by_hand_wins_over_later_mails() -> None:
    world = World(1)
    world.change(Changes(joined={98_000_001: 99_000_005}))

    world.note_served([party(PILOT, 98_000_001, 99_000_001)], 1000)

    assert world.affiliation(PILOT) == Affiliation(98_000_001, 99_000_005)
    assert world.alliance_corporations(99_000_005) == [98_000_001]
    world.change(Changes())
    assert world.affiliation(PILOT) == Affiliation(98_000_001, 99_000_001)
    assert world.alliance_corporations(99_000_001) == [98_000_001]


def test_changes_are_added_to_those_before() -> None:
    changes = (
        Changes()
        .added(b'{"moved": {"5": 6}, "gone": [7]}')
        .added(
            b'{"moved": {"8": 9}, "gone": [10], "joined": {"11": null},'
            b' "types": {"12": {"name": "Thing", "group_id": 25}}}'
        )
    )

    assert changes == Changes(
        moved={5: 6, 8: 9}, gone=frozenset({7, 10}), joined={11: None}, types={12: NewType("Thing", 25)}
    )


@pytest.mark.parametrize("body", [b"", b"[]", b'{"moved": {"x": 1}}', b'{"left": {}}', b'{"renamed": {"5": 6}}'])
def test_what_is_no_change_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        Changes().added(body)
