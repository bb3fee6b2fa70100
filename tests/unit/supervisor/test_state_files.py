"""What the supervisor remembers: as a whole or as it was before, and on a full disk as soon as there is room."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.files import make_private_folder, write_whole
from killreport.supervisor import state_files
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.state_files import StateFiles
from killreport.supervisor.wanted import WantedState, read_wanted, write_wanted


def full_disk(_path: Path, _content: bytes) -> None:
    raise OSError(28, "No space left on device")


def test_what_the_disk_does_not_take_is_kept_and_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, path = StateFiles(), tmp_path / "x.json"
    files.write(path, b"before")
    with monkeypatch.context() as full:
        full.setattr(state_files, "write_whole", full_disk)
        files.write(path, b"one")
        files.write(path, b"two")
        files.retry()
        assert (path.read_bytes(), files.read(path), files.waiting) == (b"before", b"two", [path])
    files.retry()
    assert (path.read_bytes(), files.waiting) == (b"two", [])


def test_a_half_written_file_is_taken_away_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "x"
    path.write_bytes(b"before")
    monkeypatch.setattr("killreport.files.os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"after")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x", b"before")]


def test_a_fleet_folder_and_all_in_it_is_its_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "fleet" / "slots").mkdir(parents=True)
    (tmp_path / "fleet").chmod(0o755)
    folder = FleetFolder.make(tmp_path)
    write_wanted(folder.wanted, {"a": WantedState(is_started=True)})
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder.path, folder.slots, folder.runs, folder.logs)}
    assert modes == dict.fromkeys(("fleet", "slots", "runs", "logs"), 0o700)
    assert folder.wanted.stat().st_mode & 0o777 == 0o600
    assert read_wanted(folder.wanted) == {"a": WantedState(is_started=True)}


def test_a_folder_is_made_private_with_what_leads_to_it_left_alone(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "outer" / "inner")
    assert (tmp_path / "outer" / "inner").stat().st_mode & 0o777 == 0o700
