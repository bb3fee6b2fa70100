"""The embedded server after a kill -9 of any of its parts: it comes back, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
from pathlib import Path

import asyncpg
import pytest

from killreport.db.embedded import use_embedded_server
from killreport.db.server_folder import ServerFolder
from killreport.errors import Unavailable
from tests.integration.db.users import (
    UserProcess,
    keeper_pid,
    postmaster_pid,
    server_log,
    was_shut_down,
)

RECOVERED = "database system was not properly shut down; automatic recovery in progress"


async def numbers(url: str) -> set[int]:
    connection = await asyncpg.connect(url)
    try:
        return {row[0] for row in await connection.fetch("select number from written")}
    finally:
        await connection.close()


async def ask(url: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("select 1")
    finally:
        await connection.close()


async def create_table(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create table written (number integer primary key)")
    await connection.close()


async def test_a_killed_keeper_takes_the_server_down_cleanly_and_the_next_user_starts_another(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    async with use_embedded_server(home) as url:
        await create_table(url)
        users.append(UserProcess.write(home))
        acknowledged = [int(users[0].line()) for _ in range(50)]
        os.kill(keeper_pid(folder), signal.SIGKILL)
        # This user and the writer still hold the users' lock: a third one must not wait for them.
        async with use_embedded_server(home) as again:
            acknowledged += [int(users[0].line()) for _ in range(50)]
            users[0].kill()
            assert set(acknowledged) <= await numbers(again)
    assert RECOVERED not in server_log(folder)


def test_a_server_whose_keeper_and_users_were_killed_stops_cleanly_by_itself(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    users.append(UserProcess.hold(home))
    users[0].line()
    keeper, server = keeper_pid(folder), os.pidfd_open(postmaster_pid(folder))
    users[0].kill()
    os.kill(keeper, signal.SIGKILL)
    ended, _, _ = select.select([server], [], [], 60)
    os.close(server)
    assert ended == [server]
    assert was_shut_down(folder)


async def test_a_killed_server_is_started_again_with_every_acknowledged_commit(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    async with use_embedded_server(home) as url:
        await create_table(url)
        users.append(UserProcess.write(home))
        writer = users[0]
        acknowledged = [int(writer.line()) for _ in range(100)]
        keeper, first = keeper_pid(folder), postmaster_pid(folder)
        os.kill(first, signal.SIGKILL)
        async with use_embedded_server(home):
            assert postmaster_pid(folder) != first
            assert keeper_pid(folder) == keeper
        before = max(await numbers(url))
        while acknowledged[-1] <= before:
            acknowledged.append(int(writer.line()))
        writer.kill()
        assert set(acknowledged) <= await numbers(url)
    assert server_log(folder).count(RECOVERED) == 1


async def test_after_keeper_server_and_users_were_all_killed_the_next_user_finds_every_commit(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    async with use_embedded_server(home) as url:
        await create_table(url)
    users.append(UserProcess.write(home))
    acknowledged = [int(users[0].line()) for _ in range(100)]
    for pid in (keeper_pid(folder), postmaster_pid(folder)):
        os.kill(pid, signal.SIGKILL)
    users[0].kill()
    async with use_embedded_server(home) as url:
        assert set(acknowledged) <= await numbers(url)


@pytest.mark.parametrize("owner", ["ours", "the server's"])
async def test_a_pid_file_whose_number_belongs_to_a_stranger_now_does_not_stop_the_start(
    home: Path, folder: ServerFolder, users: list[UserProcess], owner: str
) -> None:
    users.append(UserProcess.hold(home))
    users[0].line()
    keeper = keeper_pid(folder)
    pid_file = folder.data / "postmaster.pid"
    crashed = pid_file.read_text()
    uid = folder.data.stat().st_uid if owner == "the server's" else os.getuid()
    users[0].leave()
    pid_file.write_text(crashed)
    os.chown(pid_file, folder.data.stat().st_uid, folder.data.stat().st_gid)
    stranger = subprocess.Popen(["sleep", "600"], user=uid if os.getuid() == 0 else None)  # noqa: ASYNC220
    try:
        pid_file.write_text(crashed.replace(crashed.partition("\n")[0], str(stranger.pid), 1))
        async with use_embedded_server(home) as url:
            assert await ask(url) == 1
            assert keeper_pid(folder) != keeper
            assert postmaster_pid(folder) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_while_the_server_cannot_come_back_a_new_user_hears_why_and_the_keeper_goes_on_trying(
    home: Path, folder: ServerFolder, users: list[UserProcess]
) -> None:
    users.append(UserProcess.hold(home))
    users[0].line()
    keeper = keeper_pid(folder)
    (folder.data / "PG_VERSION").write_text("17\n")
    os.kill(postmaster_pid(folder), signal.SIGKILL)
    with pytest.raises(Unavailable, match="database files are incompatible with server"):
        await join_until_refused(home)
    (folder.data / "PG_VERSION").write_text("18\n")
    async with asyncio.timeout(60):
        assert await first_answer(home) == 1
    assert keeper_pid(folder) == keeper


async def join_until_refused(home: Path) -> None:
    while True:  # until the keeper has noticed
        async with use_embedded_server(home):
            pass


async def first_answer(home: Path) -> object:
    while True:
        with contextlib.suppress(Unavailable):
            async with use_embedded_server(home) as url:
                return await ask(url)
