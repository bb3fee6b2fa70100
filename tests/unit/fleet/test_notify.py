"""What a process tells its manager."""

from __future__ import annotations

import pytest

from killreport.environment import watchdog_seconds


@pytest.mark.parametrize(
    ("wanted", "owner", "seconds"),
    [("60000000", "", 60.0), ("60000000", "1", None), ("0", "", None), ("soon", "", None), ("", "", None)],
)
def test_the_watchdog_is_fed_where_the_manager_wants_it(
    monkeypatch: pytest.MonkeyPatch, wanted: str, owner: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", wanted)
    monkeypatch.setenv("WATCHDOG_PID", owner)
    assert watchdog_seconds() == seconds
