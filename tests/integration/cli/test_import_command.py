"""`killreport import` and `killreport quarantine`, as an operator types them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from killreport.eve.load import keep_packaged_universe
from killreport.sim.server import run_simulator
from tests.integration.killmail.mails import body


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KILLREPORT_")}
    return inherited | {"KILLREPORT_DATABASE_URL": database_url, "KILLREPORT_HOME": str(tmp_path / "home")}


def killreport(
    environment: dict[str, str], *arguments: str | Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "killreport", *map(str, arguments)]
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, timeout=60, check=False)


def summary(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    assert found.pop("seconds") > 0
    assert found.pop("per_second") > 0
    return found


def mails(*ids: int) -> bytes:
    return b"\n".join(msgspec.json.encode(body(mail_id)) for mail_id in ids)


def test_files_are_imported_by_several_processes_and_a_second_time_store_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_bytes(mails(*range(number * 10 + 1, number * 10 + 13)))
    command = ("import", "--json", "--jobs", "2", tmp_path / "0.jsonl", tmp_path / "1.jsonl", tmp_path / "2.jsonl")

    first = summary(killreport(environment, *command))
    again = summary(killreport(environment, *command))

    assert first == {"read": 36, "stored": 32, "duplicate": 4, "quarantined": 0}
    assert again == {"read": 36, "stored": 0, "duplicate": 36, "quarantined": 0}


def test_standard_input_is_read_and_what_is_malformed_can_be_listed_retried_and_purged(
    environment: dict[str, str],
) -> None:
    stdin = mails(1) + b"\nnot json\n" + mails(2).replace(b"30000142", b"0")
    found = summary(killreport(environment, "import", "--json", "-", stdin=stdin))
    assert found == {"read": 3, "stored": 1, "duplicate": 0, "quarantined": 2}

    listed = json.loads(killreport(environment, "quarantine", "list", "--json").stdout)
    assert [(entry["number"], entry["reference"]) for entry in listed] == [(1, "stdin:2"), (2, "stdin:3")]
    assert listed[1]["path"] == "$.solar_system_id"
    shown = json.loads(killreport(environment, "quarantine", "show", "1", "--json").stdout)
    assert shown["body_base64"] == "bm90IGpzb24="

    retried = json.loads(killreport(environment, "quarantine", "retry", "--json").stdout)
    assert retried == {"tried": 2, "stored": 0, "kept": 2}
    purged = json.loads(killreport(environment, "quarantine", "purge", "1", "--yes", "--json").stdout)
    assert purged == {"deleted": 1}
    assert [entry["tries"] for entry in json.loads(killreport(environment, "quarantine", "list", "--json").stdout)] == [
        2
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("import", "nowhere.jsonl"), 1, "killreport: nowhere.jsonl does not exist."),
        (("quarantine", "show", "7"), 1, "killreport: There is no quarantine entry 7."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    environment: dict[str, str], arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    done = killreport(environment, *arguments)
    assert (done.returncode, done.stderr.decode().strip(), done.stdout) == (status, sentence, b"")


def test_a_damaged_file_fails_and_the_others_are_imported(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8b\x08\x00garbage")
    (tmp_path / "good.json").write_bytes(mails(5))
    done = killreport(environment, "import", "--json", tmp_path / "bad.gz", tmp_path / "good.json")

    assert done.returncode == 1
    assert done.stderr.decode().startswith("killreport: bad.gz is damaged or cut short")
    assert b"Traceback" not in done.stderr
    assert json.loads(done.stdout)["stored"] == 1


async def test_a_kill_dump_is_asked_for_from_esi(environment: dict[str, str], tmp_path: Path) -> None:
    async with run_simulator(tmp_path / "sim", universe=keep_packaged_universe()) as url:
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{url}/control/publish", json={"count": 2}) as response:
                head = (await response.json())["head"]
            kills = []
            for sequence in (head - 1, head):
                async with session.get(f"{url}/ephemeral/{sequence}.json") as response:
                    kills.append(told((await response.json())["esi"]))
        (tmp_path / "kill_dump.json").write_text(json.dumps([*kills, kills[0] | {"kill_id": 5}]))
        command = ("import", "--json", tmp_path / "kill_dump.json")
        asking = environment | {"KILLREPORT_ESI_URL": url}
        first = summary(await asyncio.to_thread(killreport, asking, *command))
        again = summary(await asyncio.to_thread(killreport, asking, *command, "--resume"))

    assert first == {"read": 3, "stored": 2, "duplicate": 0, "quarantined": 1, "asked": 3}
    # It is a first import of these contents that can go on: only what is not stored is asked for.
    assert again == {"read": 3, "stored": 0, "duplicate": 2, "quarantined": 1, "asked": 1}


def told(mail: dict[str, Any]) -> dict[str, Any]:
    """Return what a kill dump tells of a killmail."""
    killer = next(attacker for attacker in mail["attackers"] if attacker["final_blow"])
    return {
        "kill_id": mail["killmail_id"],
        "kill_dt": mail["killmail_time"],
        "victim": {key: mail["victim"].get(key) for key in ("character_id", "ship_type_id")},
        "killer": {key: killer.get(key) for key in ("character_id", "ship_type_id")},
    }
