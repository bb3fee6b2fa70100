"""Building the seed: the same in, the same out, and nothing lost that the importer reads."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from killreport.errors import Malformed
from killreport.eve.importer import read_static_data
from killreport.eve.seed.build import build_seed, main
from tests.unit.eve.archives import archive_of


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return the path of a small archive."""
    path = tmp_path / "ccp.zip"
    path.write_bytes(archive_of().getvalue())
    return path


def test_the_seed_reads_like_its_source_and_has_only_what_is_read(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "seed.zip"
    out.write_bytes(build_seed(archive, None))

    assert read_static_data(out, "seed") == read_static_data(archive, "ccp")
    with zipfile.ZipFile(out) as built:
        assert json.loads(built.read("categories.jsonl")) == {"_key": 6, "name": {"en": "Ship"}, "published": True}
        assert json.loads(built.read("typeDogma.jsonl")) == {
            "_key": 587,
            "dogmaAttributes": [{"attributeID": 14, "value": 3.0}, {"attributeID": 1547, "value": 1.0}],
            "dogmaEffects": [],
        }


def test_a_seed_built_again_from_a_seed_is_the_same_to_the_byte(archive: Path, tmp_path: Path) -> None:
    once = build_seed(archive, None)
    (tmp_path / "once.zip").write_bytes(once)

    assert build_seed(tmp_path / "once.zip", None) == once


def test_dogma_of_another_file_takes_the_place_of_the_archives(archive: Path, tmp_path: Path) -> None:
    dogma = tmp_path / "typeDogma.jsonl"
    dogma.write_text('{"_key":600,"dogmaEffects":[{"effectID":12,"isDefault":true}]}\n{"_key":601}\n')
    out = tmp_path / "seed.zip"

    main([str(archive), str(out), "--dogma", str(dogma)])

    types = next(rows for rows in read_static_data(out, "seed").tables if rows.table == "eve_type")
    slot = types.columns.index("slot")
    assert [(row[0], row[slot]) for row in types.rows] == [(587, None), (600, "high")]


def test_what_the_importer_refuses_is_not_built(tmp_path: Path) -> None:
    path = tmp_path / "ccp.zip"
    path.write_bytes(archive_of({"groups.jsonl": [{"_key": 26, "name": {"en": "x"}, "categoryID": 6}]}).getvalue())

    with pytest.raises(Malformed, match=r"group 25 is not in groups\.jsonl"):
        build_seed(path, None)
