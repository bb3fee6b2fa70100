"""The state of a process, from what the API says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from killreport.web.amounts import ago
from killreport.web.health import Health, health_groups, troubles
from killreport.web.model import ApiProcess

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def health(**fields: Any) -> Health:
    """Return the health of a process with these fields."""
    usual: dict[str, Any] = {
        "name": "p",
        "kind": "worker",
        "description": "",
        "is_extra": False,
        "queue_name": None,
        "schedule": None,
        **dict.fromkeys(("next_run_at", "is_alive", "last_success_at", "last_error_at", "last_error", "last_report")),
    }
    groups = health_groups([ApiProcess(**(usual | fields))], [], NOW)
    (row,) = [row for group in groups for row in group.rows]
    assert troubles(groups) == (["p"] if row.tone == "bad" else [])
    return row


def before(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"kind": "service"}, ("serving", "good")),
        ({"is_alive": True}, ("running", "good")),
        ({"is_alive": False}, ("not running", "bad")),
        ({"is_alive": True, "last_error_at": before(1), "last_error": "x"}, ("failing", "bad")),
        ({"is_alive": True, "last_error_at": before(2), "last_success_at": before(1)}, ("running", "good")),
        ({"is_alive": True, "waits_for": "waiting for the feed: name not found"}, ("waiting", "bad")),
        ({"kind": "job"}, ("not run yet", "")),
        ({"kind": "job", "last_success_at": before(1)}, ("done", "good")),
        ({"kind": "job", "last_success_at": before(2), "last_error_at": before(1)}, ("failed", "bad")),
    ],
)
def test_the_state_is_that_of_the_last_thing_that_happened(fields: dict[str, Any], state: tuple[str, str]) -> None:
    row = health(**fields)
    assert (row.state, row.tone) == state


def test_an_error_counts_until_the_next_success() -> None:
    assert health(is_alive=True, last_error_at=before(1), last_error="no").error == "no"
    assert health(is_alive=True, last_error_at=before(2), last_error="no", last_success_at=before(1)).error is None


def test_what_is_waited_for_is_said_with_since_when() -> None:
    row = health(is_alive=True, waits_for="waiting for the feed: name not found", waits_since=before(3))

    assert row.error == "waiting for the feed: name not found"
    assert row.error_at is not None
    assert row.error_at.text == "3 min ago"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-0.4, "now"), (-1, "1 s ago"), (-119, "1 min ago"), (7200, "in 2 h"), (-90_000, "1 d ago")],
)
def test_how_far_away_an_instant_is(seconds: float, text: str) -> None:
    assert ago(NOW + timedelta(seconds=seconds), NOW) == text
