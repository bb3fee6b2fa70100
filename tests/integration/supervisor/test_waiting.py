"""Whoever waits for a start is told what takes the time."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.cli.fleet import supervisor
from killreport.errors import KillreportError
from killreport.supervisor.protocol import ControlReply
from tests.integration.supervisor.conftest import MakeFleet, script

# Each says the same but for a number.
SLOW = """
tell(f"STATUS=reading part {{os.getpid()}}")
while not os.path.exists({gate!r}):
    time.sleep(0.01)
ready()
time.sleep(10_000)
"""


def test_a_slow_start_says_what_it_waits_for_once_for_all_that_say_the_same(
    make_fleet: MakeFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "gate"
    slow = {"command": script(SLOW.format(gate=str(gate)))}
    fleet = make_fleet({"one": slow, "two": slow})
    monkeypatch.setattr(supervisor, "TELL_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "MAX_TELL_SECONDS", 0.05)
    heard: list[str] = []

    def tell(said: str) -> None:
        if "starting: reading part " in said and "\n" not in said and "one and 1 more" in said:
            heard.append(said)
            gate.touch()

    done: dict[str, ControlReply | KillreportError] = {}
    assert supervisor.tell_each(fleet.folder, "start", ["one", "two"], done.__setitem__, tell=tell)
    assert heard
    assert set(done) == {"one", "two"}
