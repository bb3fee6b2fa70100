"""A process that works or waits for a processor gets on; one that stands still does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from killreport.supervisor.process.progress import MAX_WORK_FACTOR, ProcessProgress

WORKS = "print('x', flush=True)\nwhile True: pass"
SLEEPS = "import time\nprint('x', flush=True)\ntime.sleep(1000)"


@contextmanager
def process(text: str) -> Iterator[int]:
    """Run a program, from its first word on, while the block runs."""
    with subprocess.Popen([sys.executable, "-S", "-E", "-c", text], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline()
        try:
            yield running.pid
        finally:
            running.kill()


def settled(pid: int, state: str) -> None:
    """Return once the kernel says that the process is in this state."""
    deadline = time.monotonic() + 10
    while f") {state} " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_one_that_works_is_never_idle_and_one_that_sleeps_is() -> None:
    with process(WORKS) as busy, process(SLEEPS) as idle:
        settled(idle, "S")
        working, sleeping = ProcessProgress(busy), ProcessProgress(idle)
        for _ in range(10):
            working.look(5.0)
            sleeping.look(5.0)
        assert (working.idle_seconds, sleeping.idle_seconds) == (0.0, 50.0)
        assert not working.is_over(30)
        assert sleeping.is_over(30)


def test_a_stopped_process_stands_still_though_it_would_have_work() -> None:
    with process(WORKS) as pid:
        os.kill(pid, signal.SIGSTOP)
        settled(pid, "T")
        progress = ProcessProgress(pid)
        progress.look(5.0)
        assert progress.idle_seconds == 5.0


def test_new_words_are_progress_and_the_same_again_are_not() -> None:
    with process(SLEEPS) as pid:
        settled(pid, "S")
        progress = ProcessProgress(pid)
        for number in range(10):
            progress.look(5.0, f"{number * 10} %")
        assert progress.idle_seconds == 0.0
        progress.look(5.0, "90 %")
        assert progress.idle_seconds == 5.0


def test_working_for_ever_has_an_end_too() -> None:
    with process(WORKS) as pid:
        progress, limit = ProcessProgress(pid), 0.001
        deadline = time.monotonic() + 10
        while not progress.is_over(limit):
            assert time.monotonic() < deadline
            progress.look(0.0001)
        assert progress.worked_seconds > limit * MAX_WORK_FACTOR


def test_a_process_that_has_ended_gets_on_no_more() -> None:
    with process(SLEEPS) as pid:
        pass
    progress = ProcessProgress(pid)
    progress.look(5.0)
    assert progress.idle_seconds == 5.0
