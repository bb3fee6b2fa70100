"""Reading CCP's archive: what becomes of a line, and what is refused with its place."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from killreport.errors import Malformed
from killreport.eve import archive as archive_module
from killreport.eve.importer import StaticDataRelease, read_static_data
from tests.unit.eve.archives import WHOLE, Lines, archive_of


def rows_of(data: StaticDataRelease, table: str) -> list[dict[str, Any]]:
    """Return the table's rows by the names of their columns."""
    found = next(rows for rows in data.tables if rows.table == table)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def refusal_of(changes: dict[str, Lines | bytes | None]) -> Malformed:
    """Return the refusal of an archive with these changes."""
    with pytest.raises(Malformed) as refused:
        read_static_data(archive_of(changes), "test.zip")
    return refused.value


def test_the_build_and_the_date_of_the_release_are_read() -> None:
    data = read_static_data(archive_of(), "test.zip")

    assert data.build_number == 77
    assert data.released_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_date_without_an_offset_is_utc() -> None:
    line = {"_key": "sde", "buildNumber": 1, "releaseDate": "2026-01-02T03:04:05"}

    data = read_static_data(archive_of({"_sde.jsonl": [line]}), "test.zip")

    assert data.released_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_type_carries_the_category_of_its_group_and_what_its_dogma_says() -> None:
    types = rows_of(read_static_data(archive_of(), "test.zip"), "eve_type")

    assert types[0] == {
        "type_id": 587,
        "name": "Rifter",
        "group_id": 25,
        "category_id": 6,
        "is_published": True,
        "market_group_id": 64,
        "meta_group_id": 1,
        "base_price": 400000.0,
        "rig_size": 1,
        "meta_level": None,
        "is_overheatable": False,
        "slot": None,
        "high_slots": 3,
        "mid_slots": None,
        "low_slots": None,
        "rig_slots": None,
        "service_slots": None,
        "squadron_size": None,
        "portion_size": 1,
    }


def test_a_base_price_is_for_a_portion_where_the_archive_says_so() -> None:
    line = {**WHOLE["types.jsonl"][0], "portionSize": 100}
    types = rows_of(read_static_data(archive_of({"types.jsonl": [line]}), "test.zip"), "eve_type")

    assert (types[0]["base_price"], types[0]["portion_size"]) == (400000.0, 100)


def blueprint(key: int, **activities: Any) -> dict[str, Any]:
    return {"_key": key, "blueprintTypeID": key, "maxProductionLimit": 300, "activities": activities}


def made(product: int, quantity: int, *materials: tuple[int, int]) -> dict[str, Any]:
    return {
        "materials": [{"quantity": amount, "typeID": type_id} for type_id, amount in materials],
        "products": [{"quantity": quantity, "typeID": product}],
        "skills": [{"level": 1, "typeID": 3380}],
        "time": 600,
    }


def test_what_a_blueprint_makes_is_read_and_nothing_of_what_makes_nothing() -> None:
    lines = [
        blueprint(691, copying={"time": 9}, manufacturing=made(587, 1, (34, 20000), (35, 3000))),
        blueprint(46166, reaction=made(16663, 200, (16640, 100))),
        blueprint(900, invention=made(901, 1, (20410, 2))),
        blueprint(902, manufacturing={"time": 1}),
        blueprint(903, manufacturing=made(600, 1, (34, 0))),
        {"_key": 904},
    ]
    rows = rows_of(read_static_data(archive_of({"blueprints.jsonl": lines}), "test.zip"), "eve_blueprint")

    assert [tuple(row.values()) for row in rows] == [
        (691, 587, 1, False, [34, 35], [20000, 3000]),
        (46166, 16663, 200, True, [16640], [100]),
    ]


def test_an_archive_without_blueprints_is_whole() -> None:
    assert rows_of(read_static_data(archive_of(), "test.zip"), "eve_blueprint") == []


def test_an_unpublished_type_without_dogma_is_read_too() -> None:
    types = rows_of(read_static_data(archive_of(), "test.zip"), "eve_type")

    assert [(row["type_id"], row["is_published"], row["is_overheatable"]) for row in types] == [
        (587, True, False),
        (600, False, False),
    ]


@pytest.mark.parametrize(
    ("effect", "slot"),
    [(11, "low"), (12, "high"), (13, "mid"), (2663, "rig"), (3772, "subsystem"), (6306, "service"), (16, None)],
)
def test_the_effect_of_a_module_tells_its_slot(effect: int, slot: str | None) -> None:
    dogma = {"_key": 600, "dogmaAttributes": [], "dogmaEffects": [{"effectID": -4}, {"effectID": effect}]}

    types = rows_of(read_static_data(archive_of({"typeDogma.jsonl": [dogma]}), "test.zip"), "eve_type")

    assert types[1]["slot"] == slot


def test_a_module_is_overheatable_when_it_has_the_attribute_even_at_zero() -> None:
    dogma = {"_key": 600, "dogmaAttributes": [{"attributeID": 1211, "value": 0.0}, {"attributeID": 633, "value": 5.0}]}

    types = rows_of(read_static_data(archive_of({"typeDogma.jsonl": [dogma]}), "test.zip"), "eve_type")

    assert types[1]["is_overheatable"] is True
    assert types[1]["meta_level"] == 5


def test_every_other_file_fills_its_table() -> None:
    data = read_static_data(archive_of(), "test.zip")

    assert rows_of(data, "eve_category") == [{"category_id": 6, "name": "Ship", "is_published": True}]
    assert rows_of(data, "eve_group") == [{"group_id": 25, "name": "Frigate", "category_id": 6, "is_published": True}]
    assert rows_of(data, "eve_market_group") == [
        {"market_group_id": 64, "name": "Minmatar", "parent_market_group_id": 61}
    ]
    assert rows_of(data, "eve_meta_group") == [{"meta_group_id": 1, "name": "Tech I"}]
    assert rows_of(data, "eve_region") == [
        {"region_id": 10000002, "name": "The Forge", "faction_id": 500001, "wormhole_class_id": None}
    ]
    assert rows_of(data, "eve_constellation") == [
        {
            "constellation_id": 20000020,
            "name": "Kimotoro",
            "region_id": 10000002,
            "faction_id": None,
            "wormhole_class_id": None,
        }
    ]
    assert rows_of(data, "eve_system") == [
        {
            "solar_system_id": 30000142,
            "name": "Jita",
            "constellation_id": 20000020,
            "region_id": 10000002,
            "security_status": 0.9459,
            "faction_id": None,
            "wormhole_class_id": None,
        }
    ]
    assert rows_of(data, "eve_faction") == [
        {
            "faction_id": 500001,
            "name": "Caldari State",
            "corporation_id": None,
            "militia_corporation_id": 1000180,
        }
    ]
    assert rows_of(data, "eve_corporation") == [
        {"corporation_id": 1000180, "name": "State Protectorate", "ticker": "SPROT", "faction_id": None}
    ]


def test_empty_lines_and_a_missing_last_line_end_change_nothing() -> None:
    text = b'\n{"_key":1,"name":{"en":"Tech I"}}\r\n\n  \n{"_key":2,"name":{"en":"Tech II"}}'

    data = read_static_data(archive_of({"metaGroups.jsonl": text}), "test.zip")

    assert data.count("eve_meta_group") == 2


def test_lines_are_whole_wherever_the_pieces_of_the_file_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "CHUNK_BYTES", 7)

    data = read_static_data(archive_of(), "test.zip")

    assert [row["name"] for row in rows_of(data, "eve_type")] == ["Rifter", "Test Rifter"]


@pytest.mark.parametrize("file", sorted(WHOLE))
def test_a_missing_file_is_named(file: str) -> None:
    assert file in str(refusal_of({file: None}))


@pytest.mark.parametrize("file", sorted(set(WHOLE) - {"typeDogma.jsonl"}))
def test_a_file_without_a_line_is_refused(file: str) -> None:
    assert refusal_of({file: b"\n\n"}).reason


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("groups.jsonl", {"_key": 26, "name": {"en": "x"}}, "missing required field `categoryID`"),
        ("groups.jsonl", {"_key": 26, "name": "x", "categoryID": 6}, "Expected `object`, got `str`"),
        ("groups.jsonl", {"_key": "26", "name": {"en": "x"}, "categoryID": 6}, "Expected `int`, got `str`"),
        ("groups.jsonl", {"_key": 2**59, "name": {"en": "x"}, "categoryID": 6}, "<= 576460752303423487"),
        ("groups.jsonl", {"_key": -1, "name": {"en": "x"}, "categoryID": 6}, ">= 0"),
        ("groups.jsonl", {"_key": 26, "name": {"en": "a\0b"}, "categoryID": 6}, "matching regex"),
        ("groups.jsonl", {"_key": 26, "name": {"de": "x"}, "categoryID": 6}, "missing required field `en`"),
        ("groups.jsonl", {"_key": 25, "name": {"en": "x"}, "categoryID": 6}, "The key 25 appears a second time"),
        ("types.jsonl", {"_key": 7, "name": {"en": "x"}, "groupID": 99}, "group 99 is not in groups.jsonl"),
        ("types.jsonl", {"_key": 587, "name": {"en": "x"}, "groupID": 25}, "The key 587 appears a second time"),
        ("types.jsonl", {"_key": 7, "name": {"en": "x"}, "groupID": 25, "basePrice": 1e16}, "<= 1000000000000000.0"),
        ("typeDogma.jsonl", {"_key": 7, "dogmaAttributes": [{"attributeID": 633, "value": 40000}]}, "out of range"),
        ("typeDogma.jsonl", {"_key": 7, "dogmaAttributes": [{"attributeID": 633, "value": -1}]}, "out of range"),
        ("typeDogma.jsonl", {"_key": 587}, "The key 587 appears a second time"),
        (
            "mapSolarSystems.jsonl",
            {"_key": 1, "name": {"en": "x"}, "constellationID": 1, "regionID": 1, "securityStatus": 1.5},
            "<= 1.0",
        ),
        ("mapRegions.jsonl", {"_key": 1, "name": {"en": "x"}, "wormholeClassID": 40000}, "<= 32767"),
    ],
)
def test_a_bad_line_is_refused_with_its_file_and_number(file: str, line: dict[str, Any], reason: str) -> None:
    refused = refusal_of({file: [*WHOLE[file], line]})

    assert reason in refused.reason
    assert refused.path == f"{file} line {len(WHOLE[file]) + 1}"


def test_a_bad_blueprint_is_refused_with_its_file_and_number() -> None:
    bad = blueprint(691, manufacturing=made(587, 1, (34, -5)))
    refused = refusal_of({"blueprints.jsonl": [blueprint(690), bad]})

    assert refused.path == "blueprints.jsonl line 2"
    assert refusal_of({"blueprints.jsonl": [blueprint(690), blueprint(690)]}).path == "blueprints.jsonl line 2"


def test_a_line_that_is_no_json_is_refused_with_its_number() -> None:
    refused = refusal_of({"metaGroups.jsonl": b'{"_key":1,"name":{"en":"a"}}\n{"_key":2,'})

    assert refused.path == "metaGroups.jsonl line 2"


def test_a_line_that_is_no_utf_8_is_refused_with_its_number() -> None:
    refused = refusal_of({"metaGroups.jsonl": b'{"_key":1,"name":{"en":"\xff"}}'})

    assert refused.path == "metaGroups.jsonl line 1"


def test_a_release_file_of_another_product_is_refused() -> None:
    line = {"_key": "hoboleaks", "buildNumber": 1, "releaseDate": "2026-01-02T03:04:05Z"}

    assert refusal_of({"_sde.jsonl": [line]}).reason == "There is no line with the key sde"


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "CHUNK_BYTES", 100)
    monkeypatch.setattr(archive_module, "MAX_LINE_BYTES", 1000)

    refused = refusal_of({"metaGroups.jsonl": b"x" * 5000})

    assert refused.path == "metaGroups.jsonl"
    assert "A line is longer" in refused.reason


def test_a_file_that_says_it_is_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_MEMBER_BYTES", 50)

    assert "The file is larger" in refusal_of({"metaGroups.jsonl": b" " * 51}).reason


def test_a_file_that_holds_more_than_it_says_is_refused() -> None:
    packed = archive_of(
        {"metaGroups.jsonl": b'{"_key":1,"name":{"en":"Tech I"}}\n' * 4000}, zipfile.ZIP_STORED
    ).getvalue()
    size = (34 * 4000).to_bytes(4, "little")
    assert packed.count(size) == 4

    with pytest.raises(Malformed) as refused:
        read_static_data(io.BytesIO(packed.replace(size, (34).to_bytes(4, "little"))), "test.zip")

    assert refused.value.path in {"metaGroups.jsonl", "test.zip"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_way_of_packing_is_refused(method: int) -> None:
    with pytest.raises(Malformed, match="compression method is not"):
        read_static_data(archive_of(method=method), "test.zip")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>not found</html>", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read_static_data(io.BytesIO(content), "page.html")

    assert refused.value.path == "page.html"


def test_an_archive_cut_short_is_refused() -> None:
    whole = archive_of().getvalue()

    with pytest.raises(Malformed):
        read_static_data(io.BytesIO(whole[: len(whole) // 2]), "test.zip")


def test_a_damaged_archive_is_refused_or_read_whole_but_never_fails_otherwise() -> None:
    whole = archive_of().getvalue()
    refused = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        try:
            read_static_data(io.BytesIO(bytes(damaged)), "test.zip")
        except Malformed:
            refused += 1

    assert refused > len(whole) // 4


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="There is no such file"):
        read_static_data(tmp_path / "none.zip", "none.zip")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="not a zip archive"):
        read_static_data(tmp_path, "folder")
