"""The one place that asks what time it is, so that a test can answer instead; and what days there are."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from email.utils import parsedate_to_datetime

# Days that anybody may name: well within Python's calendar, so that a year added or a zone changed stays inside it.
FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2999, 12, 31)


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def read_http_date(text: str) -> datetime | None:
    """Return the instant that a header names, in UTC; None for what is none, or lies beyond the calendar."""
    try:
        moment = parsedate_to_datetime(text)
        # A zone of -0000 is UTC that does not say so.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def span_of_day(day: date) -> tuple[datetime, datetime]:
    """Return when a day begins in UTC and when the next one does; of the last day of the calendar, its last moment."""
    begin = datetime.combine(day, time_of_day(), UTC)
    return begin, datetime.max.replace(tzinfo=UTC) if day == date.max else begin + timedelta(days=1)


def is_nameable(day: date) -> bool:
    """Tell whether anybody may name the day."""
    return FIRST_DAY <= day <= LAST_DAY


def monotonic() -> float:
    """Return seconds from a clock that never goes back; for durations only."""
    return time.monotonic()


def log_stamp(instant: datetime) -> str:
    """Return an instant as the lines of logs begin, to the millisecond; what is later sorts later. instant: in UTC."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"


def span(seconds: float) -> str:
    """Return a span of time in words, its two largest units: `3d 4h`, `5m 12s`, `0s`."""
    parts: list[str] = []
    left = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        amount, left = divmod(left, size)
        if amount or (unit == "s" and not parts):
            parts.append(f"{amount}{unit}")
    return " ".join(parts[:2])
