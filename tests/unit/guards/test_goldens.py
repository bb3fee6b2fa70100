"""What is expected to the letter is compared, says how it is made anew, and is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.goldens import ROOT, Goldens


def test_a_difference_is_told_with_the_command_that_accepts_it(tmp_path: Path) -> None:
    goldens = Goldens(tmp_path / "test_x.py", remakes=False)
    with pytest.raises(AssertionError, match=f"KILLREPORT_TEST_REMAKE_GOLDENS=1 make test ARGS={tmp_path}/test_x.py"):
        goldens.check("all", {"a": "1"})


def test_what_was_made_anew_is_what_is_expected_and_nothing_else(tmp_path: Path) -> None:
    remaking, comparing = (Goldens(tmp_path / "test_x.py", remakes=remakes) for remakes in (True, False))
    remaking.check("all", {"a": "1", "folder/b": "2"})
    comparing.check("all", {"a": "1", "folder/b": "2"})
    remaking.check("all", {"folder/b": "3"})
    comparing.check("all", {"folder/b": "3"})
    for other in ({"folder/b": "2"}, {}, {"folder/b": "3", "c": ""}):
        with pytest.raises(AssertionError):
            comparing.check("all", other)


def test_every_golden_folder_stands_beside_a_test_that_uses_the_one_way() -> None:
    for folder in (ROOT / "tests").rglob("golden"):
        assert any("goldens.check(" in path.read_text(encoding="utf-8") for path in folder.parent.glob("test_*.py"))
