"""How a process that runs for long is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def stop_on_signals(when_asked: Callable[[], None] | None = None) -> Iterator[asyncio.Event]:
    """Lend an event that SIGTERM, SIGINT and SIGHUP set; a second signal cancels the running task instead.

    The first asks, the second insists: whoever presses Ctrl-C twice does not want to wait for a drain.
    when_asked: called once, at the first signal.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    stop = asyncio.Event()

    def receive() -> None:
        if stop.is_set():
            if task is not None:
                task.cancel()
            return
        stop.set()
        if when_asked is not None:
            when_asked()

    for number in SIGNALS:
        loop.add_signal_handler(number, receive)
    try:
        yield stop
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
