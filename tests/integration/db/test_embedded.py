"""The embedded server: started once, shared, and stopped with its last user, however that one ends."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from killreport.db.embedded import find_binaries, use_embedded_server
from killreport.db.server_folder import ServerFolder
from killreport.errors import Unavailable
from tests.integration.db.users import (
    UserProcess,
    keeper_pid,
    postmaster_pid,
    server_log,
    status_line,
    wait_until_stopped,
    was_shut_down,
)


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def socket_folder(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


async def test_a_fresh_server_has_the_product_s_database_in_utf_8(home: Path) -> None:
    async with use_embedded_server(home) as url:
        assert await fetch(url, "select current_database() || ' ' || current_user") == "killreport killreport"
        assert await fetch(url, "show server_encoding") == "UTF8"
        assert await fetch(url, "show data_checksums") == "on"
        locale = "select datlocprovider::text || datlocale from pg_database where datname = current_database()"
        assert await fetch(url, locale) == "bC.UTF-8"
        assert await fetch(url, "show jit") == "off"


async def test_nobody_else_can_reach_the_socket_and_there_is_no_port(home: Path) -> None:
    async with use_embedded_server(home) as url:
        assert stat.S_IMODE(socket_folder(url).stat().st_mode) == 0o700
        assert await fetch(url, "show listen_addresses") == ""


async def test_leaving_as_the_last_user_waits_until_the_server_has_stopped(home: Path, folder: ServerFolder) -> None:
    async with use_embedded_server(home):
        pid = postmaster_pid(folder)
    assert not (folder.data / "postmaster.pid").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert was_shut_down(folder)


async def test_what_was_committed_is_there_after_a_stop_and_a_start(home: Path) -> None:
    async with use_embedded_server(home) as url:
        await fetch(url, "create table kept as select 17 as number")
    async with use_embedded_server(home) as url:
        assert await fetch(url, "select number from kept") == 17


async def test_a_second_process_joins_the_first_s_server_and_keeps_it(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    first = UserProcess.hold(home)
    users.append(first)
    url = first.line()
    pid = postmaster_pid(folder)
    second = UserProcess.hold(home)
    users.append(second)
    assert second.line() == url
    first.leave()
    assert postmaster_pid(folder) == pid
    assert await fetch(url, "select 1") == 1
    second.leave()
    assert not (folder.data / "postmaster.pid").exists()


async def test_two_users_of_one_process_share_the_server(home: Path, folder: ServerFolder) -> None:
    async with use_embedded_server(home) as first:
        async with use_embedded_server(home) as second:
            assert second == first
        assert await fetch(first, "select 1") == 1
    assert not (folder.data / "postmaster.pid").exists()


def test_six_processes_that_start_at_once_share_one_server(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    users.extend(UserProcess.hold(home) for _ in range(6))
    assert len({user.line() for user in users}) == 1
    assert server_log(folder).count("starting PostgreSQL") == 1


def test_users_that_come_and_go_at_once_always_find_a_server(home: Path, users: list[UserProcess]) -> None:
    users.extend(UserProcess.come_and_go(home, 6) for _ in range(3))
    assert [user.line() for user in users] == ["done", "done", "done"]


def test_the_server_stops_cleanly_when_its_users_are_killed(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    users.extend(UserProcess.hold(home) for _ in range(2))
    for user in users:
        user.line()
    for user in users:
        user.kill()
    wait_until_stopped(folder)
    assert not (folder.data / "postmaster.pid").exists()
    assert was_shut_down(folder)


async def test_ctrl_c_in_one_user_s_terminal_leaves_the_server_to_the_others(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    first = UserProcess.hold(home)
    users.append(first)
    first.line()
    pid = postmaster_pid(folder)
    async with use_embedded_server(home) as url:
        first.interrupt_group()
        assert await fetch(url, "select 1") == 1
        assert postmaster_pid(folder) == pid


def test_the_keeper_loads_neither_driver_nor_settings(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    users.append(UserProcess.hold(home))
    users[0].line()
    maps = Path(f"/proc/{keeper_pid(folder)}/maps").read_text()
    assert "libpython" in maps or "python3" in maps
    assert "asyncpg" not in maps
    assert "pydantic" not in maps


async def test_a_socket_path_above_the_kernel_s_limit_is_replaced_by_a_short_one(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 20) / ("longer" * 10)
    async with use_embedded_server(home) as url:
        assert await fetch(url, "select 1") == 1
        short = socket_folder(url)
        assert not short.is_relative_to(tmp_path)
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
    assert not short.exists()


@pytest.mark.parametrize("name", ["a,b", 'two words "quoted" it\'s Ж 100%20+1'])
async def test_odd_characters_in_the_home_s_name_do_not_matter(tmp_path: Path, name: str) -> None:
    async with use_embedded_server(tmp_path / name) as url:
        assert await fetch(url, "select 1") == 1


async def test_a_home_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"^The folder .*file/postgres cannot be used: Not a directory\.$"):
        async with use_embedded_server(tmp_path / "file"):
            pass


async def test_data_of_another_release_of_postgresql_is_refused_in_the_server_s_words(
    home: Path, folder: ServerFolder
) -> None:
    async with use_embedded_server(home):
        pass
    (folder.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(Unavailable, match=r"does not start: .*database files are incompatible with server"):
        async with use_embedded_server(home):
            pass


async def test_an_initdb_killed_half_way_leaves_nothing_half_made(
    home: Path, folder: ServerFolder, open_folder: Path
) -> None:
    real = find_binaries()
    (open_folder / "bin").mkdir()
    (open_folder / "bin" / "postgres").symlink_to(real / "bin" / "postgres")
    initdb = open_folder / "bin" / "initdb"
    reached = open_folder / "reached"
    os.mkfifo(reached)
    reached.chmod(0o666)
    initdb.write_text(f'#!/bin/sh\n"{real}/bin/initdb" "$@"\necho $PPID > "{reached}"\nexec sleep 600\n')
    initdb.chmod(0o755)
    joining = asyncio.ensure_future(use_embedded_server(home, open_folder).__aenter__())
    os.kill(int(await asyncio.to_thread(reached.read_text)), signal.SIGKILL)
    with pytest.raises(Unavailable, match="keeper ended unexpectedly"):
        await joining
    assert not folder.data.exists()
    assert len(list(folder.path.glob("data.new-*"))) == 1
    async with use_embedded_server(home) as url:
        assert await fetch(url, "select 1") == 1
    assert list(folder.path.glob("data.new-*")) == []


async def test_only_the_newest_logs_are_kept(home: Path, folder: ServerFolder) -> None:
    for _ in range(2):
        async with use_embedded_server(home):
            pass
        for number in range(9):
            path = folder.log / f"postgresql-20200101-00000{number}.log"
            path.write_text("old")
    async with use_embedded_server(home):
        pass
    assert len(list(folder.log.glob("postgresql-*.log"))) == 5


async def test_a_cancelled_wait_for_the_server_leaves_no_lock_behind(home: Path, folder: ServerFolder) -> None:
    joining = asyncio.ensure_future(use_embedded_server(home).__aenter__())
    await asyncio.sleep(0)
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
    async with use_embedded_server(home) as url:
        assert await fetch(url, "select 1") == 1
    assert not (folder.data / "postmaster.pid").exists()


def test_the_server_s_processes_are_not_root_s(home: Path, folder: ServerFolder, users: list[UserProcess]) -> None:
    users.append(UserProcess.hold(home))
    users[0].line()
    assert status_line(postmaster_pid(folder), "Uid").split()[0] != "0"
