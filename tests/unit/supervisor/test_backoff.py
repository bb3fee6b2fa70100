"""The pauses before a process is started again."""

from __future__ import annotations

import pytest

from killreport.supervisor.process.backoff import MAX_QUICK_ENDS, SLOW_SECONDS, RestartBackoff


def test_a_crash_loop_is_slowed_down_and_given_up_in_time() -> None:
    backoff = RestartBackoff(0)
    pauses = [backoff.after_end(0.1) for _ in range(MAX_QUICK_ENDS)]
    assert pauses[0] < 0.06
    assert [
        pause == pytest.approx(seconds, rel=0.16)
        for pause, seconds in zip(pauses[1:], (0.5, 1, 2, 4, 8, 15, SLOW_SECONDS), strict=True)
    ] == [True] * 7
    assert backoff.is_errored


def test_who_ran_for_long_begins_anew() -> None:
    backoff = RestartBackoff(0)
    for _ in range(5):
        backoff.after_end(1)
    assert backoff.after_end(61) < 0.06
    assert backoff.quick_ends == 1


def test_the_rows_own_delay_is_the_least() -> None:
    backoff = RestartBackoff(5)
    assert backoff.after_end(0) == 5
    backoff.reset()
    assert backoff.quick_ends == 0
