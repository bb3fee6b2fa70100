"""The fleet's verbs as an operator types them, with the product's own processes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.supervisor.conftest import eventually
from tests.ports import free_port

pytestmark = pytest.mark.fleet


class Terminal:
    """Runs commands on a home of the test's own."""

    def __init__(self, database_url: str, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KILLREPORT_")}
        self.home = home
        self.api_port, self.web_port = free_port(), free_port()
        self._environment = kept | {
            "KILLREPORT_HOME": str(home),
            "KILLREPORT_DATABASE_URL": database_url,
            "KILLREPORT_API_PORT": str(self.api_port),
            "KILLREPORT_WEB_PORT": str(self.web_port),
            "KILLREPORT_ESI_URL": "http://127.0.0.1:1",
        }

    def set(self, name: str, value: str) -> None:
        """Have a variable in the environment of what is run from now on."""
        self._environment[name] = value

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run `killreport …`; return its status, its output and what it said on stderr."""
        command = [sys.executable, "-m", "killreport", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, timeout=120, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def shell(self, text: str) -> str:
        """Run it in bash, and return its output."""
        done = subprocess.run(["bash", "-c", text], env=self._environment, capture_output=True, timeout=120, check=True)
        return done.stdout.decode()

    def json(self, *arguments: str) -> Any:
        """Run it with --json and return what it says; it must succeed."""
        status, output, said = self.run(*arguments, "--json")
        # A busy machine has it tell what takes the time.
        said = "".join(line for line in said.splitlines(keepends=True) if " starting: " not in line)
        assert (status, said) == (0, ""), said
        return json.loads(output)

    @contextmanager
    def screen(self, *arguments: str, columns: int = 100) -> Iterator[PressedScreen]:
        """Run `killreport …` in a terminal of so many columns and 40 lines while the block runs."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))
        command = [sys.executable, "-m", "killreport", *arguments]
        environment = {**self._environment, "TERM": "xterm-256color"}
        process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        try:
            yield PressedScreen(ours, process)
        finally:
            process.kill()
            process.wait()
            os.close(ours)


class PressedScreen:
    """A program in a terminal."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self._process = process
        self._seen = b""

    def wait_for(self, words: str) -> None:
        """Return once the words were written."""
        eventually(lambda: self._read() and words.encode() in self._seen)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._descriptor, keys.encode())

    def status(self) -> int:
        """Return the status it ended with."""
        while self._process.poll() is None:
            self._read()
        return self._process.returncode

    def _read(self) -> bool:
        if select.select([self._descriptor], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # it has ended
                self._seen += os.read(self._descriptor, 65_536)
        return True


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(database_url, tmp_path / "home")
    yield terminal
    terminal.run("kill")


def test_the_product_is_started_listed_replaced_and_ended(terminal: Terminal) -> None:
    chosen = ("killreport-*", "worker-types", "--only", "queue-alliances")
    started = terminal.json("start", *chosen)
    names = ["killreport-backend", "killreport-frontend", "worker-types", "queue-alliances"]
    assert [(row["name"], row["error"]) for row in started] == [(name, None) for name in names]
    with urllib.request.urlopen(f"http://127.0.0.1:{terminal.web_port}/status", timeout=10) as page:
        assert b"worker-types" in page.read()

    listed = {row["name"]: row for row in terminal.json("list")}
    assert [row["status"] for row in listed.values()] == ["running", "running", "running", "scheduled"]
    assert terminal.json("show", "worker-types")[0]["pid"] == listed["worker-types"]["pid"]
    pm2 = json.loads(terminal.run("jlist")[1])
    assert [row["pm2_env"]["status"] for row in pm2] == ["online"] * 3 + ["stopped"]
    assert all(Path(row["pm2_env"]["pm_out_log_path"]).exists() for row in pm2)
    assert {row["pm2_env"]["pm_cwd"] for row in pm2} == {str(terminal.home)}
    assert all(row["pm2_env"]["created_at"] == row["pm2_env"]["pm_uptime"] > 0 for row in pm2[:3])
    assert terminal.run("pid", "worker-types,queue-alliances")[1] == f"{listed['worker-types']['pid']}\n"
    assert all(row["monit"]["memory"] > 0 for row in pm2[:3])
    assert not any("DATABASE_URL" in json.dumps(row) for row in pm2)

    terminal.json("reload", "killreport-backend")
    after = {row["name"]: row["pid"] for row in terminal.json("list")}
    assert after["killreport-backend"] != listed["killreport-backend"]["pid"]
    assert after["worker-types"] == listed["worker-types"]["pid"]

    status, _output, said = terminal.run("trigger", "queue-alliances", "--wait")
    assert status == 1, said  # nobody answers for ESI here
    [run] = terminal.json("runs", "queue-alliances")
    assert (run["cause"], run["status"]) == ("trigger", 69)
    lines = terminal.run("logs", "queue-alliances", "--err", "--no-follow", "--json")[1].splitlines()
    assert any("killreport: " in json.loads(line)["line"] for line in lines)
    terminal.json("flush", "queue-alliances")
    assert terminal.run("logs", "queue-alliances", "--no-follow")[1] == ""

    assert terminal.json("kill") == {"killed": True, "ended": []}
    assert terminal.run("ping") == (1, "", "killreport: No supervisor is running; killreport start starts one.\n")


def test_after_a_crash_the_next_start_takes_over(terminal: Terminal) -> None:
    terminal.json("start", "worker-types")
    [before] = terminal.json("list")
    os.kill(terminal.json("ping")["pid"], 9)
    eventually(lambda: terminal.run("ping")[0] == 1)
    terminal.json("start", "worker-types")
    [after] = terminal.json("list")
    assert after["pid"] == before["pid"]


def test_what_does_not_exist_is_said_in_a_sentence(terminal: Terminal) -> None:
    assert terminal.run("start", "worker-typs") == (
        1,
        "",
        "killreport: There is no process called worker-typs; did you mean worker-types?\n",
    )
    assert terminal.run("stop", "nothing-*") == (1, "", "killreport: No process fits nothing-*.\n")
    assert terminal.run("list")[0] == 1
    assert terminal.run("logs", "--since", "soon", "--no-follow")[2].startswith("killreport: --since soon is neither")


def test_monit_shows_the_fleet_and_acts_on_keys(terminal: Terminal) -> None:
    terminal.json("start", "worker-types")
    [before] = terminal.json("list")
    with terminal.screen("monit") as screen:
        screen.wait_for("worker-types")
        screen.press("r")
        screen.wait_for("restart worker-types: done")
        screen.press("q")
        assert screen.status() == 0
    [after] = terminal.json("list")
    assert after["pid"] != before["pid"]
    assert terminal.run("monit") == (
        1,
        "",
        "killreport: monit needs a terminal; killreport list --json is for scripts.\n",
    )


def test_verbs_have_the_names_that_an_operator_of_pm2_knows_and_take_names_and_patterns(terminal: Terminal) -> None:
    terminal.json("start", "worker-types", "queue-alliances", "queue-characters")
    for verb in ("list", "status", "ls", "l", "ps"):
        assert [row["name"] for row in terminal.json(verb, "queue-*")] == ["queue-characters", "queue-alliances"]
        assert [row["name"] for row in terminal.json(verb, "--only", "worker-types")] == ["worker-types"]
    for verb in ("show", "describe", "desc", "info"):
        names = [row["name"] for row in terminal.json(verb, "queue-*", "worker-types")]
        assert names == ["worker-types", "queue-characters", "queue-alliances"]
    for arguments in (["list", "worker-typs"], ["show", "worker-typs"], ["logs", "worker-typs", "--no-follow"]):
        assert terminal.run(*arguments)[0] == 1
    eventually(lambda: terminal.run("logs", "--only", "worker-types", "--err", "--no-follow")[0] == 0)
    assert terminal.json("flush", "--only", "worker-types") == {"flushed": ["worker-types"]}


def test_bash_completes_verbs_and_the_names_of_processes(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "killreport"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m killreport "$@"\n')
    program.chmod(0o700)
    terminal.set("HOME", str(tmp_path))
    terminal.set("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    # Which shell it is for is found among the processes above, so one has to be there, and to stay.
    assert "bash completion installed" in terminal.shell("killreport --install-completion && true")

    def completed(*words: str) -> list[str]:
        line = " ".join(words)
        asked = (
            f"source {tmp_path}/.bash_completions/killreport.sh; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
            'complete -p killreport >&2; _killreport_completion killreport; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        return terminal.shell(asked).split()

    assert completed("killreport", "trig") == ["trigger"]
    assert completed("killreport", "reload", "worker-alliances", "worker-t") == ["worker-types"]
    assert completed("killreport", "trigger", "update-p") == ["update-prices"]
    assert completed("killreport", "scale", "queue-") == []
    assert completed("killreport", "fleet", "sh") == ["show"]


def test_names_come_with_commas_too_and_what_was_deleted_is_said_to_be_deleted(terminal: Terminal) -> None:
    started = terminal.json("start", "--only", "queue-alliances,queue-characters")
    assert [row["name"] for row in started] == ["queue-characters", "queue-alliances"]
    terminal.json("delete", "queue-alliances")
    assert terminal.run("list", "queue-alliances")[1] == (
        "queue-alliances was not started, or was deleted: killreport start queue-alliances starts it.\n"
    )


def test_a_start_that_fails_says_what_the_process_said_last(terminal: Terminal) -> None:
    terminal.set("KILLREPORT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    status, _output, said = terminal.run("start", "worker-types")
    failed, last = said.splitlines()[-2:]
    assert (status, failed.split()[:2]) == (1, ["worker-types", "failed:"])
    assert "PostgreSQL does not answer" in last


def test_a_terminal_of_eighty_columns_keeps_every_name_whole(terminal: Terminal) -> None:
    terminal.json("start", "worker-alliance-corporations", "queue-character-corporations")
    for command in (["list"], ["queue", "list"], ["fleet", "show"]):
        with terminal.screen(*command, columns=80) as screen:
            for name in ("worker-alliance-corporations", "queue-character-corporations")[: 2 - (command[0] == "queue")]:
                screen.wait_for(name)
    with terminal.screen("monit", columns=80) as screen:
        screen.wait_for("worker-alliance-corporations")
        screen.press("q")
