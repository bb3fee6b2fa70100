"""When a schedule comes round, though the clock is set while somebody waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from killreport.fleet.schedule import Alarm
from killreport.fleet.table import find_process

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ROW = replace(find_process("update-prices"), schedule="*/5 * * * *")
MINUTES = timedelta(minutes=1)


def test_it_goes_off_at_every_instant_of_the_schedule() -> None:
    alarm = Alarm(NOON)
    assert alarm.next(ROW, NOON + MINUTES) == NOON + 5 * MINUTES
    assert alarm.next(ROW, NOON + 6 * MINUTES) == NOON + 5 * MINUTES  # it is due
    alarm.went_off(NOON + 6 * MINUTES)
    assert alarm.next(ROW, NOON + 6 * MINUTES) == NOON + 10 * MINUTES


def test_a_clock_that_was_ahead_keeps_it_silent_for_no_longer_than_one_interval() -> None:
    alarm = Alarm(NOON)
    alarm.went_off(NOON + timedelta(days=400))
    # The clock is back: looked at again and again, it comes nearer and goes off.
    looks = [alarm.next(ROW, NOON + number * MINUTES) for number in range(1, 8)]
    assert looks == [NOON + 5 * MINUTES] * 7


def test_an_instant_in_the_future_counts_as_now() -> None:
    assert Alarm(NOON + timedelta(days=400)).next(ROW, NOON) == NOON + 5 * MINUTES


def test_a_clock_that_jumps_ahead_makes_due_once_what_it_jumped_over() -> None:
    alarm, later = Alarm(NOON), NOON + timedelta(days=3)
    due = alarm.next(ROW, later)
    assert due is not None
    assert due <= later
    alarm.went_off(later)
    assert alarm.next(ROW, later) == later + 5 * MINUTES
