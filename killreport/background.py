"""Work beside other work: whoever starts some here has its end seen, said, and answered.

A task that nobody awaits takes its exception to the grave. So tasks that outlive the line that starts them are made
here and nowhere else (a test of the sources sees to it), by what is to happen at their end:

    async with beside(keep(self._listen, "live-listen")):   # begun again, with back-off, whatever it fails with
    async with beside(self._settle(), "settle"):            # runs once; a failure is logged
    async with racing(feed.next(), stop.wait()) as tasks:   # the block itself looks at the results
    errands = Errands(); errands.run(child.end(5.0), "end") # nobody waits for it; a failure is logged
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from killreport.backoff import Backoff
from killreport.clock import monotonic

# Work that went well for so long begins its pauses anew.
STEADY_SECONDS = 60.0
# One that was told to end and goes on is told again after so long.
TOLD_AGAIN_SECONDS = 5.0

T = TypeVar("T")

log = structlog.get_logger()


async def keep(
    work: Callable[[], Awaitable[object]],
    name: str,
    *,
    may_end: bool = False,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = monotonic,
) -> None:
    """Do the work, and again after whatever it failed with: half a second later, then twice as long each time to 30 s.

    may_end: a return is the end; otherwise the work is one that goes on for ever, and to return is to fail.
    """
    backoff = Backoff()
    while True:
        began = clock()
        try:
            await work()
        except Exception as error:
            failure: Exception | None = error
        else:
            if may_end:
                return
            failure = None
        if clock() - began >= STEADY_SECONDS:
            backoff.reset()
        pause = backoff.next()
        reason = "it returned, though it should go on" if failure is None else _words(failure)
        log.error("task_failed", task=name, reason=reason, again_in_seconds=pause, exc_info=failure)
        await sleep(pause)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, Any], name: str | None = None) -> AsyncIterator[asyncio.Task[Any]]:
    """Do the work beside the block, and cancel what is left of it at the block's end. What it fails with is logged."""
    task = _seen(work, name)
    try:
        yield task
    finally:
        await end(task)


@asynccontextmanager
async def racing(*works: Awaitable[Any]) -> AsyncIterator[Sequence[asyncio.Future[Any]]]:
    """Do all the work beside the block, which reads the results itself; cancel what is left at the block's end."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield tasks
    finally:
        await _end_all(tasks)


class Errands:
    """Work that nobody waits for. It is held on to until it is done, and what it fails with is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Begin it now, and return the task."""
        task = _seen(work, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> None:
        """Have all of it broken off; returns at once."""
        for task in self._tasks:
            task.cancel()

    async def finish(self) -> None:
        """Return when all of it is done. Cancelled: break it off."""
        try:
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            self.cancel()


async def unbroken(work: Coroutine[Any, Any, T], name: str) -> T:
    """Return what the work returns. Cancelled meanwhile, it is let finish before that is obeyed: half done is worse."""
    task = _seen(work, name)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and return when it has ended; what it ended with is the business of whoever saw to it."""
    await _end_all([task])


async def wait_or_end(ended: asyncio.Event, seconds: float | None) -> bool:
    """Wait so long (None: for ever), or until the event is set; return whether it is.

    With a time-out of asyncio's and not its wait_for: up to Python 3.11 that one returns, and forgets that it was
    cancelled, where the event is set in the same moment.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()
    return ended.is_set()


async def _end_all(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel all, and wait: not for results, which belong to whoever reads them.

    A cancellation can be lost on its way through other people's code, so it is said again.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=TOLD_AGAIN_SECONDS)
        for task in left:
            log.warning("task_goes_on", task=str(task))


def _seen(work: Coroutine[Any, Any, Any], name: str | None) -> asyncio.Task[Any]:
    """Begin the work; a failure is logged at its end, not when somebody asks or the collector comes by."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


def _tell(task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        return
    failure = task.exception()
    if failure is not None:
        log.error("task_failed", task=task.get_name(), reason=_words(failure), exc_info=failure)


def _words(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
