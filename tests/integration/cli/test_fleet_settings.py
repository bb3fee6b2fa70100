"""One set of settings for the fleet: what differs is said, and each process has what it needs."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.test_fleet_commands import Terminal
from tests.ports import free_port

pytestmark = pytest.mark.fleet

TOKEN = "an-operator-token-of-many-signs"


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(database_url, tmp_path / "home")
    terminal.set("KILLREPORT_OPERATOR_TOKEN", TOKEN)
    yield terminal
    terminal.run("kill")


def site(terminal: Terminal) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{terminal.web_port}/status", timeout=10) as page:
        return int(page.status)


def environment(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def test_a_changed_setting_is_named_and_waits_for_the_whole_fleet(terminal: Terminal, tmp_path: Path) -> None:
    terminal.set("KILLREPORT_WARM_START", "false")  # of a program of its own, the environment can be looked into
    terminal.json("start", "killreport-*", "worker-types")
    pids = {row["name"]: row["pid"] for row in terminal.json("list")}
    folder = tmp_path / "home" / "fleet"
    for name, pid in pids.items():
        assert TOKEN not in environment(pid)
        assert "postgresql://" not in environment(pid)
        given = (folder / "settings" / f"{name}.toml").read_text()
        assert (TOKEN in given) == (name == "killreport-backend")
        assert ("postgresql://" in given) == (name != "killreport-frontend")
    files = [folder / "settings.toml", *(folder / "settings").iterdir()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}

    old = terminal.api_port
    terminal.set("KILLREPORT_API_PORT", str(free_port()))
    terminal.set("KILLREPORT_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/other")
    status, _output, said = terminal.run("restart", "killreport-backend")
    named = "KILLREPORT_DATABASE_URL (this shell), KILLREPORT_API_PORT (this shell)"
    assert status == 0, said
    assert f"What runs has other settings than this command: {named}. killreport kill, then killreport start" in said
    assert "hunter2" not in said
    assert site(terminal) == 200  # the backend that was started anew has the settings of its neighbours
    with urllib.request.urlopen(f"http://127.0.0.1:{old}/healthz", timeout=10) as answer:
        assert answer.status == 200
    assert named in terminal.run("list")[2]


def test_a_reload_without_names_touches_only_what_runs(terminal: Terminal) -> None:
    terminal.json("start", "worker-types", "worker-alliances")
    terminal.json("stop", "worker-alliances")
    assert [row["name"] for row in terminal.json("reload")] == ["worker-types"]
    states = {row["name"]: row["status"] for row in terminal.json("list")}
    assert states == {"worker-types": "running", "worker-alliances": "stopped"}


def test_startup_names_what_a_reboot_would_lose_and_writes_it_where_that_is_wanted(
    terminal: Terminal, tmp_path: Path
) -> None:
    units = tmp_path / "units"
    status, output, said = terminal.run("startup", "--folder", str(units))
    assert (status, output) == (0, f"Written: {units / 'killreport.service'}\n")
    assert "A reboot would lose settings" in said
    assert "KILLREPORT_DATABASE_URL" in said
    assert TOKEN not in said
    assert not (tmp_path / "home" / "killreport.toml").exists()

    status, _output, _said = terminal.run("startup", "--folder", str(units), "--write-settings")
    path = tmp_path / "home" / "killreport.toml"
    assert status == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert f'operator_token = "{TOKEN}"' in path.read_text()
    assert terminal.run("startup", "--folder", str(units))[2] == ""


def test_a_mistake_in_the_settings_keeps_nobody_from_looking_at_a_fleet_and_ending_it(terminal: Terminal) -> None:
    terminal.json("start", "queue-alliances", "queue-characters")
    (terminal.home / "killreport.toml").write_text("api_port = 'x\n")
    terminal.set("KILLREPORT_NO_SUCH", "1")
    for verb in ("list", "ping", "show queue-alliances", "pid", "jlist", "runs queue-alliances", "save", "flush"):
        status, output, said = terminal.run(*verb.split())
        assert (status, "What is set here cannot be used" in said) == (0, True), (verb, said)
        assert "queue-alliances" in output or verb not in ("list", "show queue-alliances", "jlist")
    assert terminal.run("logs", "queue-alliances", "--nostream")[0] == 0
    assert terminal.run("stop", "queue-alliances")[0] == 0
    status, _output, said = terminal.run("start", "queue-alliances")  # which would take them over
    assert (status, "KILLREPORT_NO_SUCH (from the environment) is not a setting" in said) == (2, True)
    assert terminal.run("kill")[:2] == (0, "Everything has ended.\n")
    status, _output, said = terminal.run("list")
    assert (status, "No supervisor is running" in said, "Traceback" in said) == (1, True, False)
