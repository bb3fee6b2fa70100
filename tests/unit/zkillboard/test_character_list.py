"""What is read out of zKillboard's list of a character's killmails, in every shape it has had."""

from __future__ import annotations

import json
from typing import Any

import pytest

from killreport.errors import Transient, Unavailable
from killreport.zkillboard.character_list import CharacterList, read_page
from killreport.zkillboard.package import Package, UnreadablePackage
from tests.unit.zkillboard.hosts import HASH, Host

URL = "https://zkb"


def element(killmail_id: int, **fields: Any) -> dict[str, Any]:
    return {
        "killmail_id": killmail_id,
        "zkb": {"locationID": 40000001, "hash": HASH, "labels": ["pvp"]},
        "victim": {"ship_type_id": 587},
        **fields,
    }


def read(*elements: object) -> list[Package | UnreadablePackage]:
    return read_page(json.dumps(elements).encode())


async def test_a_page_is_asked_for_with_the_modifiers_in_the_path() -> None:
    host = Host({f"{URL}/api/characterID/2112000001/page/3/": [b"[]"]})

    assert await CharacterList(host, URL).page(2112000001, 3) == []


def test_a_list_with_whole_killmails_gives_their_bodies() -> None:
    (package,) = read(element(900))

    assert isinstance(package, Package)
    assert (package.killmail_id, package.hash, package.zkb.location_id) == (900, HASH, 40000001)
    assert json.loads(bytes(package.esi))["victim"] == {"ship_type_id": 587}


def test_a_list_with_ids_and_hashes_gives_packages_without_bodies() -> None:
    (package,) = read({"killmail_id": 900, "zkb": {"hash": HASH}})

    assert isinstance(package, Package)
    assert (package.killmail_id, package.hash, bytes(package.esi)) == (900, HASH, b"null")


def test_a_whole_killmail_needs_no_hash() -> None:
    (package,) = read(element(900, zkb=None))

    assert isinstance(package, Package)
    assert package.hash == ""


@pytest.mark.parametrize(
    "broken",
    [
        {"zkb": {"hash": HASH}},
        {"killmail_id": 901},
        {"killmail_id": 901, "zkb": {"hash": "no hash"}},
        {"killmail_id": "many", "victim": {}},
        17,
        None,
    ],
)
def test_an_element_that_cannot_be_read_is_kept_whole_and_spoils_no_other(broken: object) -> None:
    first, second = read(broken, element(900))

    assert isinstance(first, UnreadablePackage)
    assert json.loads(first.body) == broken
    assert isinstance(second, Package)


@pytest.mark.parametrize("empty", [b"[]", b"{}"])
def test_an_empty_page_has_nothing_on_it(empty: bytes) -> None:
    assert read_page(empty) == []


def test_a_list_with_holes_that_php_wrote_as_an_object_is_a_list() -> None:
    packages = read_page(json.dumps({"0": element(900), "2": element(901)}).encode())

    assert [package.killmail_id for package in packages] == [900, 901]


@pytest.mark.parametrize("answer", [b'{"error": "Too busy"}', b"<html>", b"", b"17", b'[{"killmail_id": 1', b"\xff"])
def test_what_is_no_list_is_asked_for_again_later(answer: bytes) -> None:
    with pytest.raises(Transient):
        read_page(answer)


def test_an_error_of_the_host_is_passed_on_in_its_words() -> None:
    with pytest.raises(Transient, match="page must be from 1 to 100"):
        read_page(b'{"error": "page must be from 1 to 100"}')


async def test_trouble_with_the_host_is_the_clients() -> None:
    host = Host({f"{URL}/api/characterID/1/page/1/": [Unavailable("away")]})

    with pytest.raises(Unavailable):
        await CharacterList(host, URL).page(1, 1)
