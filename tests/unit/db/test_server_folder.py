from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from killreport.db.cluster import choose_socket_folder
from killreport.db.migrate import list_migrations
from killreport.db.privileges import ServerUser
from killreport.db.server_folder import READY, STARTING, State, folder_of, open_lock, read_state, try_lock, write_state
from killreport.errors import Unavailable

LONG = "n" * 120


def test_a_short_home_has_its_socket_in_it(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    chosen = choose_socket_folder(folder_of(tmp_path), ServerUser(), tmp_path / "base")
    assert chosen == tmp_path / "postgres" / "run"
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o700


def test_two_long_homes_have_two_short_socket_folders(tmp_path: Path) -> None:
    homes = [folder_of(tmp_path / LONG / name) for name in "ab"]
    chosen = {choose_socket_folder(home, ServerUser(), tmp_path) for home in homes}
    assert len(chosen) == 2
    assert {path.parent for path in chosen} == {tmp_path}
    assert choose_socket_folder(homes[0], ServerUser(), tmp_path) in chosen


@pytest.mark.parametrize("prepare", ["open to others", "a symbolic link", "a file"])
def test_a_short_socket_folder_that_others_have_a_hand_in_is_refused(tmp_path: Path, prepare: str) -> None:
    home = folder_of(tmp_path / LONG)
    chosen = choose_socket_folder(home, ServerUser(), tmp_path)
    if prepare == "open to others":
        chosen.chmod(0o770)
    else:
        chosen.rmdir()
        (tmp_path / "theirs").mkdir(mode=0o700)
        chosen.symlink_to(tmp_path / "theirs") if prepare == "a symbolic link" else chosen.write_text("")
    with pytest.raises(Unavailable, match="belongs to another user, or others may enter"):
        choose_socket_folder(home, ServerUser(), tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_short_socket_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    home = folder_of(tmp_path / LONG)
    os.chown(choose_socket_folder(home, ServerUser(), tmp_path), 12345, 12345)
    with pytest.raises(Unavailable, match="belongs to another user"):
        choose_socket_folder(home, ServerUser(), tmp_path)


def test_a_reader_sees_the_state_the_holder_wrote_last(tmp_path: Path) -> None:
    holder, reader = open_lock(tmp_path / "lock"), open_lock(tmp_path / "lock")
    assert read_state(reader) == State(STARTING)
    write_state(holder, State("failed", "a long reason\nof two lines"))
    assert read_state(reader) == State("failed", "a long reason\nof two lines")
    write_state(holder, State(READY, "/run/Ж"))
    assert read_state(reader) == State(READY, "/run/Ж")
    os.close(holder)
    os.close(reader)


def test_a_shared_lock_keeps_an_exclusive_one_out_until_it_is_closed(tmp_path: Path) -> None:
    first, second = open_lock(tmp_path / "lock"), open_lock(tmp_path / "lock")
    assert try_lock(first, fcntl.LOCK_SH)
    assert try_lock(second, fcntl.LOCK_SH)
    assert not try_lock(second, fcntl.LOCK_EX)
    os.close(first)
    assert try_lock(second, fcntl.LOCK_EX)
    os.close(second)


def test_migrations_are_numbered_from_one_without_a_hole() -> None:
    assert [migration.version for migration in list_migrations()] == list(range(1, len(list_migrations()) + 1))
