"""Tiles and their pictures."""

from __future__ import annotations

import pytest

from killreport.web.images import Images
from killreport.web.model import ApiGroup, ApiNamed, ApiType

SERVER = Images("https://images.example/eve/")


def blueprint() -> ApiType:
    """Return a type of the category of blueprints."""
    return ApiType(
        id=691, name="Rifter Blueprint", group=ApiGroup(id=105, name="", category=ApiNamed(id=9, name="Blueprint"))
    )


def test_without_an_image_server_tiles_are_drawn() -> None:
    tile = Images("off").tile("character", 5, "Alice", 40)
    assert (tile.url, tile.initials) == (None, "AL")
    assert Images("off").policy == "'self' data:"


def test_pictures_are_asked_at_twice_their_size() -> None:
    assert SERVER.tile("character", 5, "Alice", 40).url == "https://images.example/eve/characters/5/portrait?size=128"
    assert SERVER.tile("alliance", 5, None, 32).url == "https://images.example/eve/alliances/5/logo?size=64"
    assert SERVER.policy == "'self' data: https://images.example"


def test_blueprints_and_their_copies_have_pictures_of_their_own() -> None:
    assert SERVER.type_tile(blueprint(), 28).url == "https://images.example/eve/types/691/bp?size=64"
    assert SERVER.type_tile(blueprint(), 28, 2).url == "https://images.example/eve/types/691/bpc?size=64"


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Alice Bob", "AB"), ("rifter", "RI"), ("50000MN Quad LiF", "5Q"), ("'Augmented' Gun", "AG"), ("X", "X")],
)
def test_initials_are_of_the_first_two_words(name: str, initials: str) -> None:
    assert SERVER.tile("type", 1, name, 28).initials == initials


@pytest.mark.parametrize("name", [None, "", "  ", "♦", "- -"])
def test_what_has_no_letters_has_no_initials(name: str | None) -> None:
    assert SERVER.tile("type", 1, name, 28).initials == ""
