"""Figures add up, and the log hears of them now and then."""

from __future__ import annotations

from structlog.testing import capture_logs

from killreport.cron.progress import JobProgress


def test_figures_add_up_and_one_that_was_never_counted_is_zero() -> None:
    progress = JobProgress()
    progress.count("queued", 5)
    progress.count("queued")
    assert (progress.counts["queued"], progress.counts["moved"]) == (6, 0)
    assert dict(progress.counts) == {"queued": 6}


def test_a_line_is_logged_every_ten_seconds_and_not_more_often() -> None:
    now = 0.0
    progress = JobProgress(clock=lambda: now)
    with capture_logs() as lines:
        for second in range(25):
            now = float(second)
            progress.count("queued", 100)
    assert lines == [
        {"event": "job_progress", "log_level": "info", "queued": 1100},
        {"event": "job_progress", "log_level": "info", "queued": 2100},
    ]
