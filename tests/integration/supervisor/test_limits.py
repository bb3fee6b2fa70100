"""Whoever needs more than it may have is not started twice a second for ever, and jobs have limits too."""

from __future__ import annotations

import signal

from tests.integration.supervisor.conftest import MakeFleet, eventually, script

HOG = script("""
ready()
held = bytearray(80 << 20)
for at in range(0, len(held), 4096):
    held[at] = 1
time.sleep(10_000)
""")


def test_a_worker_above_its_limit_from_the_start_is_errored(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": HOG, "memory_limit_mb": 60}})
    fleet.do("start", "one")
    errored = eventually(lambda: (now := fleet.states()["one"]).status == "errored" and now)
    assert errored.pid is None
    assert "above its limit of 60 MB" in errored.said
    assert errored.restarts == 7
    assert fleet.holders("one") == []


def test_a_job_above_its_limit_ends_and_the_reason_is_remembered(make_fleet: MakeFleet) -> None:
    job = {"command": HOG, "kind": "job", "memory_limit_mb": 60, "restarts": False, "schedule": "0 0 1 1 *"}
    fleet = make_fleet({"one": job})
    [record] = fleet.do("trigger", "one", waits=True).records
    assert record.status == -signal.SIGTERM
    assert record.last_line.startswith("used ")
    assert record.last_line.endswith("MB, above its limit of 60 MB")
    assert fleet.holders("one") == []
