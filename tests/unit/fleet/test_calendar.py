"""A schedule as OnCalendar fits the same instants as cron: worked out here, and by systemd itself where it is."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim

from killreport.errors import Refused
from killreport.fleet.export.calendar import on_calendar
from killreport.fleet.table import FLEET
from tests.programs import find_program

# A Saturday, so that months, weekdays and leap days come round.
BEGIN = datetime(2027, 12, 4, 0, 0, tzinfo=UTC)
SCHEDULES = [
    *sorted({row.schedule for row in FLEET if row.schedule}),
    "* * * * *",
    "*/15 2-4 * * *",
    "5,35 */6 * * MON-FRI",
    "0 0 13 * 5",
    "0 12 1,15 1-6 SUN",
    "0 0 29 2 *",
    "0 0 */2 * 1",
    "0 0 1-31 * 0",
    "0 0 1 * 0-6",
    "0 3 * * 7",
    "59 23 31 12 6",
]
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def fits(expression: str, instant: datetime) -> bool:
    """Read an expression of the form that is written here, as systemd.time(7) says: all parts must fit."""
    found = re.fullmatch(r"(?:([A-Z][a-z,A-Z]+) )?\*-([\d,*]+)-([\d,*]+) ([\d,*]+):([\d,*]+):00 UTC", expression)
    assert found is not None, expression
    weekdays, *parts = found.groups()
    values = (instant.month, instant.day, instant.hour, instant.minute)
    return (weekdays is None or WEEKDAYS[instant.weekday()] in weekdays.split(",")) and all(
        part == "*" or f"{value:02}" in part.split(",") for part, value in zip(parts, values, strict=True)
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_next_instants_are_cronsims(schedule: str) -> None:
    cron = CronSim(schedule, BEGIN)
    expected = [next(cron) for _ in range(12)]
    expressions = on_calendar(schedule)

    # Every minute of the first days, then the days around what cron says.
    for instant in (BEGIN + timedelta(minutes=1 + count) for count in range(3 * 24 * 60)):
        if instant < expected[-1]:
            assert any(fits(expression, instant) for expression in expressions) == (instant in expected), instant
    for due in expected:
        assert any(fits(expression, due) for expression in expressions)
        for beside in (due + timedelta(days=days) for days in range(-8, 9)):
            is_due = next(CronSim(schedule, beside - timedelta(minutes=1))) == beside
            assert any(fits(expression, beside) for expression in expressions) == is_due, beside


def test_a_day_of_the_month_or_a_weekday_are_two_expressions() -> None:
    assert on_calendar("0 0 13 * 5") == ("*-*-13 00:00:00 UTC", "Fri *-*-* 00:00:00 UTC")


@pytest.mark.parametrize("schedule", ["0 0 L * *", "0 0 LW * *", "0 0 * * 1#2", "0 0 * * 5L"])
def test_a_day_that_oncalendar_cannot_name_is_refused(schedule: str) -> None:
    with pytest.raises(Refused, match="OnCalendar cannot name"):
        on_calendar(schedule)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_systemd_reads_the_same_instants(schedule: str) -> None:
    program = find_program("systemd-analyze")
    now = datetime.now(UTC)
    cron = CronSim(schedule, now)
    expected = [next(cron) for _ in range(6)]
    read: set[datetime] = set()
    for expression in on_calendar(schedule):
        done = subprocess.run(
            [program, "calendar", "--iterations=6", f"--base-time={now:%Y-%m-%d %H:%M:%S} UTC", expression],
            capture_output=True,
            text=True,
            check=True,
            env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )
        for day, hour in re.findall(
            r"(?:elapse|Iter\. #\d+|in UTC\)?): \w{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC", done.stdout
        ):
            read.add(datetime.fromisoformat(f"{day}T{hour}+00:00"))
    assert sorted(read)[:6] == expected
