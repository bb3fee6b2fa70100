"""The next run of each job, in UTC whatever the clock of the one who asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from killreport.fleet.schedule import next_run
from killreport.fleet.table import FLEET, find_process

# A Tuesday.
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("queue-characters", datetime(2026, 12, 1, 0, 0, tzinfo=UTC)),
        ("queue-alliances", datetime(2026, 11, 29, 0, 0, tzinfo=UTC)),
        ("queue-alliance-corporations", datetime(2026, 11, 29, 0, 10, tzinfo=UTC)),
        ("queue-character-corporations", datetime(2026, 11, 24, 4, 0, tzinfo=UTC)),
        ("snapshot-alliances", datetime(2026, 11, 25, 1, 0, tzinfo=UTC)),
        ("update-prices", datetime(2026, 11, 24, 5, 30, tzinfo=UTC)),
        ("repair-history", datetime(2026, 11, 24, 6, 30, tzinfo=UTC)),
        ("update-static-data", datetime(2026, 11, 24, 12, 0, tzinfo=UTC)),
    ],
)
def test_a_job_runs_next_at_the_first_instant_of_its_schedule_after_now(name: str, expected: datetime) -> None:
    row = find_process(name)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert next_run(row, NOW) == next_run(row, elsewhere) == expected
    found = next_run(row, elsewhere)
    assert found is not None
    assert found.utcoffset() == timedelta(0)


def test_what_is_no_job_has_no_next_run() -> None:
    assert [row.name for row in FLEET if row.kind != "job" and next_run(row, NOW) is not None] == []
