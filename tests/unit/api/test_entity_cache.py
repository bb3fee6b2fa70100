"""The views of entities, each made once."""

from __future__ import annotations

from killreport.api.views.entity_cache import EntityViewCache
from killreport.entity.queries import NamedGroup


def test_the_same_name_is_the_same_object() -> None:
    met = EntityViewCache()
    assert met.character(1, "Ayn") is met.character(1, "Ayn")
    assert met.alliance(2, NamedGroup("Two", "II")) is met.alliance(2, NamedGroup("Two", "II"))
    assert met.corporation(3, None) is met.corporation(3, None)


def test_a_new_name_is_a_new_object_and_the_old_one_is_as_it_was() -> None:
    met = EntityViewCache()
    before = met.character(1, None)
    after = met.character(1, "Ayn")
    assert (before.name, after.name) == (None, "Ayn")
    old = met.corporation(2, NamedGroup("Two", "II"))
    assert met.corporation(2, NamedGroup("Two", "2")).ticker == "2"
    assert old.ticker == "II"


def test_a_corporation_and_an_alliance_of_one_id_are_two() -> None:
    met = EntityViewCache()
    known = NamedGroup("One", "I")
    assert met.corporation(1, known).kind == "CORPORATION"
    assert met.alliance(1, known).kind == "ALLIANCE"


def test_too_many_are_forgotten() -> None:
    met = EntityViewCache(most=2)
    first = met.character(1, "Ayn")
    met.character(2, "Ben")
    met.character(3, "Cid")
    assert met.character(1, "Ayn") is not first
    assert met.character(1, "Ayn") == first
