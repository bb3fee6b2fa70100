"""Labels, spelt and ordered as zKillboard's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from killreport.killmail.mail.model import Killmail
from killreport.killmail.rules.classify import classify
from killreport.killmail.rules.labels import with_value
from tests.factories import (
    ABYSS,
    ADRESTIA,
    ALICES_CORPORATION,
    AMARR_EMPIRE,
    ASTRAHUS,
    BOB,
    CALDARI_STATE,
    CHARLIE,
    DRIFTER_SYSTEM,
    GALLENTE_FEDERATION,
    GURISTAS,
    HED_GP,
    JITA,
    MINMATAR_REPUBLIC,
    MOBILE_TRACTOR_UNIT,
    NOT_IN_THE_UNIVERSE,
    NULL_EXACTLY,
    NYX,
    POCHVEN_SYSTEM,
    RIFTER,
    TAMA,
    THERA,
    VOID,
    ZARZAKH,
    make_attacker,
    make_killmail,
    make_npc,
    make_universe,
)

UNIVERSE = make_universe()
BILLION = 10**11  # in cents


def labels(mail: Killmail, total_value_cents: int = 0) -> tuple[str, ...]:
    return classify(mail, UNIVERSE, total_value_cents).labels


def family(mail: Killmail, prefix: str) -> tuple[str, ...]:
    return tuple(label for label in labels(mail) if label.startswith(prefix))


def test_all_labels_come_in_one_order() -> None:
    mail = make_killmail(
        make_attacker(BOB, ALICES_CORPORATION, ship_type_id=ADRESTIA, faction_id=MINMATAR_REPUBLIC, final_blow=True),
        make_attacker(CHARLIE),
        ship_type_id=NYX,
        faction_id=AMARR_EMPIRE,
    )
    assert labels(mail, 40 * BILLION) == (
        "tz:eu", "cat:6", "#:2+", "pvp", "awox", "loc:lowsec", "isk:10b+", "capital", "fw:minmatar", "fw:amamin",
        "atShip",
    )  # fmt: skip


def test_a_plain_solo_kill_has_five() -> None:
    assert labels(make_killmail()) == ("tz:eu", "cat:6", "solo", "pvp", "loc:lowsec")


def test_a_hull_and_a_system_nobody_knows_cost_their_labels() -> None:
    mail = make_killmail(ship_type_id=NOT_IN_THE_UNIVERSE, solar_system_id=39_999_999)
    assert labels(mail) == ("tz:eu", "#:1", "pvp")


@pytest.mark.parametrize(
    ("hours", "label"),
    [
        (range(8, 14), "tz:au"),
        (range(14, 17), "tz:ru"),
        (range(17, 22), "tz:eu"),
        ((22, 23, 0, 1, 2, 3), "tz:use"),
        (range(4, 8), "tz:usw"),
    ],
)
def test_the_hour_tells_the_time_zone(hours: tuple[int, ...], label: str) -> None:
    for hour in hours:
        for minute in (0, 59):
            mail = make_killmail(at=datetime(2021, 12, 2, hour, minute, tzinfo=UTC))
            assert family(mail, "tz:") == (label,)


@pytest.mark.parametrize(
    ("attackers", "label"),
    [(1, "#:1"), (2, "#:2+"), (4, "#:2+"), (5, "#:5+"), (9, "#:5+"), (10, "#:10+"), (24, "#:10+"), (25, "#:25+"),
     (49, "#:25+"), (50, "#:50+"), (99, "#:50+"), (100, "#:100+"), (999, "#:100+"), (1000, "#:1000+")],
)  # fmt: skip
def test_the_crowd_counts_npcs_and_has_exclusive_bands(attackers: int, label: str) -> None:
    npcs = (make_npc(),) * (attackers - 1)
    assert family(make_killmail(*npcs, make_npc(final_blow=True)), "#:") == (label,)


def test_solo_stands_in_the_place_of_the_crowd() -> None:
    mail = make_killmail(make_attacker(final_blow=True), make_npc())
    assert "solo" in labels(mail)
    assert family(mail, "#:") == ()


def test_a_kill_is_either_of_npcs_or_of_players() -> None:
    assert labels(make_killmail(make_npc(final_blow=True)))[2:4] == ("#:1", "npc")
    assert labels(make_killmail())[2:4] == ("solo", "pvp")


@pytest.mark.parametrize(("hull", "label"), [(RIFTER, "cat:6"), (ASTRAHUS, "cat:65"), (MOBILE_TRACTOR_UNIT, "cat:22")])
def test_the_category_of_the_victims_hull_is_a_label(hull: int, label: str) -> None:
    assert family(make_killmail(ship_type_id=hull), "cat:") == (label,)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (JITA, ("loc:highsec",)),
        (TAMA, ("loc:lowsec",)),
        (NULL_EXACTLY, ("loc:lowsec",)),
        (HED_GP, ("loc:nullsec",)),
        (THERA, ("loc:w-space",)),
        (DRIFTER_SYSTEM, ("loc:drifter",)),
        (ABYSS, ("loc:abyssal",)),
        (POCHVEN_SYSTEM, ()),
        (ZARZAKH, ()),
        (VOID, ()),
    ],
)
def test_the_kind_of_space_is_a_label(system: int, expected: tuple[str, ...]) -> None:
    assert family(make_killmail(solar_system_id=system), "loc:") == expected


@pytest.mark.parametrize(
    ("cents", "expected"),
    [
        (BILLION - 1, ()),
        (BILLION, ("isk:1b+",)),
        (5 * BILLION - 1, ("isk:1b+",)),
        (5 * BILLION, ("isk:5b+",)),
        (10 * BILLION, ("isk:10b+",)),
        (100 * BILLION - 1, ("isk:10b+",)),
        (100 * BILLION, ("isk:100b+",)),
        (1000 * BILLION, ("isk:1t+",)),
        (2**62, ("isk:1t+",)),
    ],
)
def test_the_value_has_exclusive_bands(cents: int, expected: tuple[str, ...]) -> None:
    assert tuple(label for label in labels(make_killmail(), cents) if label.startswith("isk:")) == expected


def test_capital_is_about_the_victim_alone() -> None:
    assert "capital" in labels(make_killmail(ship_type_id=NYX))
    assert "capital" not in labels(make_killmail(make_attacker(ship_type_id=NYX, final_blow=True)))


@pytest.mark.parametrize(
    ("victim", "attacker", "expected"),
    [
        (CALDARI_STATE, GALLENTE_FEDERATION, ("fw:gallente", "fw:calgal")),
        (GALLENTE_FEDERATION, CALDARI_STATE, ("fw:caldari", "fw:calgal")),
        (AMARR_EMPIRE, MINMATAR_REPUBLIC, ("fw:minmatar", "fw:amamin")),
        (MINMATAR_REPUBLIC, AMARR_EMPIRE, ("fw:amarr", "fw:amamin")),
        (CALDARI_STATE, AMARR_EMPIRE, ()),
        (CALDARI_STATE, CALDARI_STATE, ()),
        (GURISTAS, CALDARI_STATE, ()),
        (CALDARI_STATE, None, ()),
        (None, CALDARI_STATE, ()),
    ],
)
def test_factional_warfare_needs_both_militias_of_one_front(
    victim: int | None, attacker: int | None, expected: tuple[str, ...]
) -> None:
    mail = make_killmail(make_attacker(final_blow=True), make_attacker(CHARLIE, faction_id=attacker), faction_id=victim)
    assert family(mail, "fw:") == expected


def test_a_tournament_hull_on_either_side_is_a_label() -> None:
    assert "atShip" in labels(make_killmail(ship_type_id=ADRESTIA))
    assert "atShip" in labels(make_killmail(make_attacker(ship_type_id=ADRESTIA, final_blow=True)))
    assert "atShip" not in labels(make_killmail())


def test_labels_for_another_value_are_those_that_the_value_gives() -> None:
    mail = make_killmail(
        make_attacker(BOB, ALICES_CORPORATION, ship_type_id=ADRESTIA, faction_id=MINMATAR_REPUBLIC, final_blow=True),
        make_attacker(CHARLIE),
        ship_type_id=NYX,
        faction_id=AMARR_EMPIRE,
    )
    values = (0, BILLION - 1, BILLION, 5 * BILLION, 10 * BILLION, 100 * BILLION, 1000 * BILLION)
    for before in values:
        for after in values:
            assert with_value(labels(mail, before), after) == list(labels(mail, after))


def test_labels_of_others_stay_behind_whatever_the_value() -> None:
    stored = [*labels(make_killmail(make_attacker(BOB, final_blow=True))), "ganked", "padding"]
    assert with_value(stored, BILLION)[-3:] == ["isk:1b+", "ganked", "padding"]
    assert with_value(with_value(stored, BILLION), 0) == stored
