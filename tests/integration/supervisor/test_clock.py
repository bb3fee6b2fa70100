"""The machine's clock ahead for a while and back: jobs go on, and what is shown is what is waited for."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from killreport.supervisor.runs import JobHistory, JobRecord
from tests.integration.supervisor.conftest import Fleet, MakeFleet, eventually, script

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
AHEAD = timedelta(days=400)
# Seconds are the sixth field of the library's expressions.
EVERY_SECOND = "* * * * * *"
EVERY_TWENTY = "*/20 * * * * *"

pytestmark = pytest.mark.skipif(
    LIBRARY is None and not os.environ.get("KILLREPORT_TEST_REQUIRE_SERVICES"), reason="there is no libfaketime"
)


class Clock:
    """What time it is for a supervisor."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self.set(timedelta())
        self.environment = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: timedelta) -> None:
        """Have the clock ahead by this much."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"+{offset.total_seconds():.0f}")
        fresh.replace(self._file)


def now() -> datetime:
    return datetime.now(UTC)


def runs(fleet: Fleet) -> list[JobRecord]:
    return fleet.do("runs", "job").records


def job(schedule: str) -> dict[str, dict[str, object]]:
    return {"job": {"command": script("print('ran')"), "kind": "job", "schedule": schedule}}


@pytest.mark.chaos
def test_a_clock_that_was_ahead_silences_no_job(make_fleet: MakeFleet, tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    fleet = make_fleet(job(EVERY_SECOND))
    fleet.kill_supervisor()
    fleet.supervise(**clock.environment)
    fleet.do("start", "job")
    eventually(lambda: len(runs(fleet)) >= 2)
    clock.set(AHEAD)
    eventually(lambda: runs(fleet)[-1].started_at > now() + AHEAD / 2)
    clock.set(timedelta())
    count = len(runs(fleet))
    eventually(lambda: len(runs(fleet)) >= count + 3)
    assert runs(fleet)[-1].started_at < now() + timedelta(minutes=1)
    due = fleet.states()["job"].next_run_at
    assert due is not None
    assert due < now() + timedelta(minutes=1)


@pytest.mark.chaos
def test_what_a_clock_wrote_that_was_ahead_silences_no_job_of_the_next_supervisor(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(job(EVERY_TWENTY))
    future = now() + AHEAD
    JobHistory(fleet.folder.runs / "job.jsonl").write(
        JobRecord(started_at=future, ended_at=future, status=0, cause="schedule", last_line="ran")
    )
    fleet.do("start", "job")
    due = fleet.states()["job"].next_run_at
    assert due is not None
    assert due < now() + timedelta(seconds=21)
    eventually(lambda: len(runs(fleet)) == 2)
    # What was shown is what was waited for.
    assert abs(runs(fleet)[-1].started_at - due) < timedelta(seconds=5)
    assert runs(fleet)[0].started_at < due
