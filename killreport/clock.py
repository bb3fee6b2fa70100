"""The one place that asks what time it is, so that a test can answer instead."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds from a clock that never goes back; for durations only."""
    return time.monotonic()
