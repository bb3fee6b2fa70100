"""Cron expressions as systemd's OnCalendar.

Cron takes a day that fits the day of the month OR the weekday where both are given; OnCalendar wants both to fit. Such
a schedule becomes two expressions, of which a timer takes either.
Source: systemd.time(7), crontab(5).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from cronsim import CronSim

from killreport.errors import Refused

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
# Any instant: the expression is parsed, not run.
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def on_calendar(schedule: str) -> tuple[str, ...]:
    """Return the expressions, in UTC, that together fit when the schedule does.

    Raises Refused for what OnCalendar cannot say: the last or n-th weekday of a month, and the last day.
    """
    cron = CronSim(schedule, _SOME_TIME)
    if not all(isinstance(item, int) and item >= 0 for item in (*cron.days, *cron.weekdays)):
        raise Refused(f"The schedule {schedule!r} has a day that systemd's OnCalendar cannot name (L, LW or #).")
    months = _listed(cron.months, range(1, 13))
    days = _listed(cron.days, range(1, 32))
    time = f"{_listed(cron.hours, range(24))}:{_listed(cron.minutes, range(60))}:00 UTC"
    weekdays = _weekdays(int(item) for item in cron.weekdays if isinstance(item, int))
    if cron.day_and:
        return (f"{weekdays}*-{months}-{days} {time}",)
    if not weekdays or days == "*":
        return (f"*-{months}-* {time}",)
    return (f"*-{months}-{days} {time}", f"{weekdays}*-{months}-* {time}")


def hours(schedule: str) -> frozenset[int]:
    """Return the hours of a day, in UTC, in which the schedule may fit."""
    return frozenset(CronSim(schedule, _SOME_TIME).hours)


def _listed(values: Iterable[int], every: range) -> str:
    chosen = sorted(values)
    return "*" if chosen == list(every) else ",".join(f"{value:02}" for value in chosen)


def _weekdays(values: Iterable[int]) -> str:
    """Return the weekdays with a space behind them; nothing for all seven. 0 and 7 are Sunday."""
    chosen = sorted({value % 7 for value in values})
    return "" if len(chosen) == len(_WEEKDAYS) else ",".join(_WEEKDAYS[value] for value in chosen) + " "
