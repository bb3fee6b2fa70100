"""How a process that runs for long is told to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
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


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the running task as Ctrl-C does, so that it puts away what it holds.

    Raises SystemExit then, with 128 and the number of the signal, as a shell has it. What is ignored, as under nohup,
    stays so; outside the main thread, which alone hears signals, nothing happens.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    received: list[int] = []

    def receive(number: int) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    numbers: list[int] = []
    if threading.current_thread() is threading.main_thread():
        # Ctrl-C does it by itself.
        numbers += (one for one in SIGNALS if one != signal.SIGINT and signal.getsignal(one) is signal.SIG_DFL)
    for number in numbers:
        loop.add_signal_handler(number, receive, number)
    try:
        yield
    except asyncio.CancelledError:
        if not received:
            raise
        raise SystemExit(128 + received[0]) from None
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
