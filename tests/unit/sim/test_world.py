"""Who lives in the simulated New Eden."""

from __future__ import annotations

from killreport.sim.world import names
from killreport.sim.world.people import CHARACTERS, FIRST_CHARACTER_ID, SCHOOLS, Affiliation, Known, World


def test_names_follow_from_the_id_alone() -> None:
    assert names.character_name(2_112_000_001) == "Laikourk Kujand"
    assert names.corporation_name(98_600_001) == "Cekraem Baeceis Vanguard"
    assert names.alliance_name(99_005_001) == "Chaluajiax Compact"
    assert names.ticker(98_600_001) == "XLFDF"


def test_tickers_have_three_to_five_characters() -> None:
    assert {len(names.ticker(entity_id)) for entity_id in range(98_600_001, 98_600_400)} == {3, 4, 5}


def test_a_character_is_in_its_corporations_alliance() -> None:
    world = World(1)

    for character_id in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + 2000):
        home = world.affiliation(character_id)
        assert world.allegiance(home.corporation_id) == (home.alliance_id, home.faction_id)


def test_an_alliance_lists_the_corporations_that_say_they_are_in_it() -> None:
    world = World(1)
    alliance_id = world.alliance_ids()[0]

    corporations = world.alliance_corporations(alliance_id)

    assert len(corporations) > 10
    assert {world.allegiance(corporation_id)[0] for corporation_id in corporations} == {alliance_id}


def test_every_member_list_is_right_and_complete() -> None:
    world = World(1)

    assert sum(len(members) for members in world.members.values()) == CHARACTERS
    corporation_id, members = next(iter(world.members.items()))
    assert {world.home_of(member).corporation_id for member in members} == {corporation_id}


def test_another_seed_puts_people_elsewhere_but_keeps_their_names() -> None:
    one, two = World(1), World(2)
    moved = sum(one.home_of(i) != two.home_of(i) for i in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + 200))

    assert moved > 150


def test_a_corpus_knows_better_than_the_made_up_world() -> None:
    home = Affiliation(98_098_981, 99_003_581, 500_002)
    known = Known({94_111_222: home}, {98_098_981: (99_003_581, 500_002)})
    world = World(1, known)

    assert world.affiliation(94_111_222) == home
    assert world.allegiance(98_098_981) == (99_003_581, 500_002)
    assert world.alliance_corporations(99_003_581) == [98_098_981]
    assert 99_003_581 in world.alliance_ids()


def test_a_corpus_does_not_change_what_generated_mails_show() -> None:
    character_id = FIRST_CHARACTER_ID + 5
    world = World(1, Known({character_id: Affiliation(98_000_001)}, {}))

    assert world.home_of(character_id) == World(1).home_of(character_id)


def test_what_an_id_stands_for_is_told_by_its_range_and_by_the_corpus() -> None:
    known = Known({1_500_000_000: Affiliation(1_600_000_000, 1_700_000_000)}, {1_600_000_000: (1_700_000_000, None)})
    world = World(1, known)

    kinds = [world.kind_of(i) for i in (1_500_000_000, 1_600_000_000, 1_700_000_000, 1_800_000_000)]

    assert kinds == ["character", "corporation", "alliance", "character"]
    assert [world.kind_of(i) for i in (93_000_000, 98_500_000, 99_500_000, 2_112_000_000)] == [
        "character",
        "corporation",
        "alliance",
        "character",
    ]
    assert [world.kind_of(i) for i in (0, 587, 30_000_142, 500_001)] == [None] * 4


def test_newcomers_are_in_schools() -> None:
    world = World(1)
    homes = [world.home_of(i).corporation_id for i in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + 3000)]

    part = sum(home in SCHOOLS for home in homes) / len(homes)

    assert 0.11 < part < 0.15
