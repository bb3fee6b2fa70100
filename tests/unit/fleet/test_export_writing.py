"""An export fills a folder, again without a change, and leaves alone what is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.errors import Conflict, Refused
from killreport.fleet.export.writing import FileChange, write_bundle
from killreport.fleet.table import FLEET
from tests.unit.fleet.exports import MAKERS, bundle


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", MAKERS)
def test_a_second_export_changes_nothing(tmp_path: Path, target: str) -> None:
    folder = tmp_path / "new" / "folder"
    first = write_bundle(bundle(target), folder)
    second = write_bundle(bundle(target), folder)
    assert {change.change for change in first} == {"written"}
    assert {change.change for change in second} == {"unchanged"}
    assert contents(folder) == bundle(target).files


def test_files_of_an_earlier_export_that_are_no_longer_part_of_it_go(tmp_path: Path) -> None:
    write_bundle(bundle("systemd"), tmp_path)
    fewer = [row for row in FLEET if row.name != "worker-types"]
    changes = write_bundle(bundle("systemd", fewer), tmp_path)
    assert FileChange("killreport-worker-types.service", "removed") in changes
    assert FileChange("killreport.target", "written") in changes
    assert contents(tmp_path) == bundle("systemd", fewer).files


@pytest.mark.parametrize("name", ["notes.txt", "compose.yaml", "deep/er.txt"])
def test_a_folder_with_files_of_others_is_refused_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine\n")
    with pytest.raises(Conflict, match=f"has {name}, which is not from an export to compose"):
        write_bundle(bundle("compose"), tmp_path)
    assert contents(tmp_path) == {name: "mine\n"}


def test_an_export_to_another_target_is_a_file_of_others(tmp_path: Path) -> None:
    write_bundle(bundle("pm2"), tmp_path)
    with pytest.raises(Conflict, match=r"ecosystem\.config\.js"):
        write_bundle(bundle("compose"), tmp_path)


def test_force_replaces_what_is_in_the_way_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    (tmp_path / "compose.yaml").write_text("mine\n")
    write_bundle(bundle("compose"), tmp_path, force=True)
    assert contents(tmp_path) == {**bundle("compose").files, "notes.txt": "mine\n"}


def test_the_operators_passwords_beside_the_compose_file_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\n")
    write_bundle(bundle("compose"), tmp_path)
    assert (tmp_path / ".env").read_text() == "POSTGRES_PASSWORD=x\n"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="is a file"):
        write_bundle(bundle("pm2"), tmp_path / "file")
