"""fleet.toml as an operator edits, checks and applies it, with the product's own processes."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.test_fleet_commands import Terminal
from tests.integration.supervisor.conftest import eventually

pytestmark = pytest.mark.fleet


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "home").mkdir()
    terminal = Terminal(database_url, tmp_path / "home")
    yield terminal
    terminal.run("kill")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "fleet.toml"


def use_editor(terminal: Terminal, folder: Path, text: str) -> None:
    """Have an editor that replaces what it is given by the text."""
    (folder / "text").write_text(text)
    (folder / "editor").write_text(f'#!/bin/sh\ncp "$1" "{folder}/shown"; cat "{folder}/text" > "$1"\n')
    (folder / "editor").chmod(0o700)
    terminal.set("EDITOR", str(folder / "editor"))


def test_the_file_is_edited_checked_and_only_then_replaced(terminal: Terminal, tmp_path: Path, file: Path) -> None:
    use_editor(terminal, tmp_path, "[worker-types]\nprefetch = 3\n")
    status, output, _said = terminal.run("fleet", "edit")
    assert (status, file.read_text()) == (0, "[worker-types]\nprefetch = 3\n")
    assert output.startswith(f"Written: {file}; killreport start applies it")
    assert "# prefetch " in (tmp_path / "shown").read_text()  # the first time: every key explained

    use_editor(terminal, tmp_path, "[worker-types]\nprefetch = 'many'\n")
    status, _output, said = terminal.run("fleet", "edit")
    assert (status, file.read_text()) == (1, "[worker-types]\nprefetch = 3\n")
    assert said == (
        f"{file}, line 2: prefetch of worker-types must be a whole number from 1 to 1000, not 'many'.\n"
        f"killreport: {file} stays as it was.\n"
    )
    assert [path.name for path in file.parent.glob("fleet.*")] == ["fleet.toml"]


def test_a_mistake_made_in_a_terminal_can_be_mended_at_once(terminal: Terminal, tmp_path: Path, file: Path) -> None:
    use_editor(terminal, tmp_path, "[worker-typs]\n")
    with terminal.screen("fleet", "edit") as screen:
        screen.wait_for("Edit again?")
        (tmp_path / "text").write_text("[worker-types]\n")
        screen.press("y\n")
        assert screen.status() == 0
    assert file.read_text() == "[worker-types]\n"


def test_check_tells_every_mistake_and_start_refuses_them(terminal: Terminal, file: Path) -> None:
    assert terminal.json("fleet", "check") == {"path": str(file), "problems": []}
    file.write_text("[nobody]\n[worker-redisq]\ninstances = 2\n")
    status, _output, said = terminal.run("fleet", "check")
    assert (status, said.count("\n")) == (1, 2)
    assert "line 3: worker-redisq can have no instances" in said
    status, _output, said = terminal.run("start", "worker-types")
    assert status == 2
    assert said.startswith(f"killreport: {file}, line 1: there is no process called nobody")


def test_show_marks_overrides_and_hides_every_value_of_an_environment(terminal: Terminal, file: Path) -> None:
    file.write_text("[worker-types]\nprefetch = 3\n[worker-types.environment]\nTOKEN = 'hunter2'\n")
    [row, other] = terminal.json("fleet", "show", "worker-types", "worker-alliances")[::-1]
    assert (row["prefetch"], row["environment"]) == (3, {"TOKEN": "***"})
    assert (row["overridden"], other["overridden"]) == (["prefetch", "environment"], [])
    shown = terminal.run("fleet", "show", "worker-types")[1]
    assert "3 ←" in shown
    assert "hunter2" not in shown


def test_what_the_file_says_is_in_force_from_start_on(terminal: Terminal, file: Path) -> None:
    terminal.json("start", "worker-types", "worker-alliances", "killreport-backend")
    before = {row["name"]: row["pid"] for row in terminal.json("list")}
    file.write_text(
        "[worker-types]\nprefetch = 3\n[worker-types.environment]\nKILLREPORT_CONTACT = 'hunter2'\n"
        "[worker-alliances]\nenabled = false\n[queue-alliances]\nschedule = '5 4 * * 1'\n"
    )
    terminal.json("reload", "worker-types", "killreport-backend")
    rows = {row["name"]: row for row in terminal.json("list")}
    assert (rows["worker-alliances"]["status"], rows["worker-alliances"]["pid"]) == ("disabled", None)
    assert rows["worker-types"]["pid"] != before["worker-types"]

    [shown] = eventually(lambda: [row for row in terminal.json("show", "worker-types") if "prefetch 3" in row["said"]])
    assert (shown["prefetch"], shown["environment"]) == (3, {"KILLREPORT_CONTACT": "***"})
    for words in ("list --json", "show worker-types", "show worker-types --json", "jlist"):
        assert "hunter2" not in terminal.run(*words.split())[1]

    question = json.dumps({"query": "{ processes { name schedule } }"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{terminal.api_port}/graphql", question, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        schedules = {row["name"]: row["schedule"] for row in json.load(answer)["data"]["processes"]}
    assert schedules["queue-alliances"] == "5 4 * * 1"

    for verb in ("start", "restart", "run"):
        assert terminal.run(verb, "worker-alliances") == (
            1,
            "",
            f"killreport: worker-alliances is disabled in {file}; killreport fleet edit opens it.\n",
        )


def test_a_supervisor_that_finds_a_mistake_goes_on_with_what_was_in_force(terminal: Terminal, file: Path) -> None:
    file.write_text("[worker-types]\nmemory_limit_mb = 333\n")
    terminal.json("start", "worker-types")
    terminal.json("kill")
    file.write_text("[worker-types\n")
    with terminal.screen("supervise") as screen:
        eventually(lambda: terminal.run("ping")[0] == 0)
        [state] = terminal.json("list")
        assert state["memory_limit_bytes"] == 333 << 20
        terminal.run("kill")
        assert screen.status() == 0
