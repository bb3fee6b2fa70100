"""One running copy of a service or worker: started, kept running, replaced, stopped. Each has a lock of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from typing import Literal

import structlog

from killreport.background import Errands, end, keep, racing
from killreport.errors import Unavailable
from killreport.supervisor.backoff import Backoff
from killreport.supervisor.child import Child, Launch, adopt_child, kill_leftovers, start_child
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.program import Program
from killreport.supervisor.slot import Slot
from killreport.supervisor.template import Template

Status = Literal["stopped", "starting", "running", "stopping", "waiting", "errored"]
SIDES = ("a", "b")

log = structlog.get_logger()


class Instance:
    """Its two slots allow the next process to get ready before the last one ends.

    listener: returns the socket that the process is to accept at, None for one that does not listen.
    on_end: told the status of a process that ended unasked, and the seconds until the next is started; None: none is.
    """

    def __init__(
        self,
        program: Program,
        number: int,
        folder: FleetFolder,
        listener: Callable[[], socket.socket | None],
        template: Template | None = None,
        *,
        on_end: Callable[[int | None, float | None], None] = lambda _status, _pause: None,
    ) -> None:
        self.program = program
        self.number = number
        self.child: Child | None = None
        self.status: Status = "stopped"
        self.restarts = 0
        self.last_status: int | None = None
        self._folder = folder
        self._listener = listener
        self._template = template
        self._on_end = on_end
        self._backoff = Backoff(program.row.restart_delay.total_seconds())
        self._slots = [Slot(folder.slots / f"{program.name}.{number}.{side}") for side in SIDES]
        self._lock = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._errands = Errands()
        self.adopted: list[Child] = []

    def use(self, program: Program) -> None:
        """Have it otherwise from now on: limits at once; command and environment when it is started next."""
        self.program = program
        self._backoff.least_seconds = program.row.restart_delay.total_seconds()

    def look_at_loop(self, passed_seconds: float) -> bool:
        """Tell whether its event loop has been silent for too long, now that this much time has passed too."""
        child, limit = self.child, self.program.row.watchdog.total_seconds()
        if child is None or not child.is_ready.is_set() or not child.pings:
            return False
        child.silent_seconds += passed_seconds
        return 0 < limit < child.silent_seconds

    def adopt(self) -> list[Child]:
        """Take over what lives in the slots, and return it. A kill between start and stop of a reload leaves two:
        the younger stays if it was ready, else the older.
        """
        found = [child for slot in self._slots if (child := adopt_child(slot)) is not None]
        for slot in self._slots:
            if not slot.is_free() and slot.path not in [child.slot.path for child in found]:
                kill_leftovers(slot)
        found.sort(key=lambda child: (child.is_ready.is_set(), child.started_at))
        if found:
            self.child = found.pop()
            self.status = "running" if self.child.is_ready.is_set() else "starting"
        self.adopted = found
        return ([self.child] if self.child else []) + found

    async def settle(self, *, is_wanted: bool) -> None:
        """Bring what was adopted to what is wanted: end the surplus, keep the rest running."""
        for child in self.adopted:
            await child.end(self._kill_seconds)
        self.adopted = []
        async with self._lock:
            if not is_wanted:
                await self._end()
            elif self.child is not None:
                self._keep()
            else:
                await self._start()

    async def start(self) -> None:
        """Have it running; returns when it is ready. Raises Unavailable where it did not get ready."""
        async with self._lock:
            if self.child is not None and self.child.is_alive:
                child = self.child
            else:
                await self._stop_keeping()
                self._backoff.reset()
                child = await self._start()
        await self._wait_ready(child)

    async def stop(self) -> None:
        """Have it stopped."""
        async with self._lock:
            await self._end()

    async def restart(self) -> None:
        """Stop it, then start it. Raises Unavailable where it did not get ready."""
        async with self._lock:
            await self._end()
            self._backoff.reset()
            self.restarts += 1
            child = await self._start()
        await self._wait_ready(child)

    async def reload(self) -> None:
        """Start the next one, and stop the last one only when that is ready. Raises Unavailable; the last one stays.

        Who must be alone is restarted instead.
        """
        if self.program.row.is_single or self.child is None or not self.child.is_alive:
            await self.restart()
            return
        async with self._lock:
            old = self.child
            new = await self._launch()
            try:
                await self._wait_ready(new)
            except Unavailable:
                await new.end(self._kill_seconds)
                raise
            await self._stop_keeping()
            self.child, self.status = new, "running"
            self._backoff.reset()
            self.restarts += 1
            self._keep()
            await old.end(self._kill_seconds)

    def let_go(self) -> None:
        """Leave it running, for the next supervisor."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self.child is not None:
            self.child.let_go()

    @property
    def is_busy(self) -> bool:
        """Tell whether somebody is starting, stopping or replacing it now."""
        return self._lock.locked()

    @property
    def _kill_seconds(self) -> float:
        return self.program.row.kill_timeout.total_seconds()

    async def _launch(self) -> Child:
        slot = next((slot for slot in self._slots if slot.is_free()), None)
        if slot is None:
            raise Unavailable(f"{self.program.name} cannot start: processes of before do not end.")
        launch = Launch(
            command=self.program.command,
            environment={
                **self.program.environment,
                "NOTIFY_SOCKET": self._folder.notify_address,
                "WATCHDOG_USEC": str(int(self.program.row.watchdog.total_seconds() * 1_000_000)),
            },
            out=self._folder.pipes / f"{self.program.name}.out",
            error=self._folder.pipes / f"{self.program.name}.error",
            listener=self._listener(),
            arguments=self.program.arguments,
            dies_with_us=self.program.dies_with_supervisor,
        )
        return await start_child(slot, launch, self._template)

    async def _start(self) -> Child:
        self.child = await self._launch()
        self.status = "starting"
        self._keep()
        return self.child

    def _keep(self) -> None:
        name = f"keep {self.program.name}"
        self._keeping = self._errands.run(keep(self._keep_running, name, may_end=True), name)

    async def _stop_keeping(self) -> None:
        if self._keeping is not None:
            await end(self._keeping)
            self._keeping = None

    async def _end(self) -> None:
        await self._stop_keeping()
        if self.child is not None:
            self.status = "stopping"
            await self.child.end(self._kill_seconds)
            self.last_status = self.child.status
        self.child = None
        self.status = "stopped"

    async def _wait_ready(self, child: Child) -> None:
        """Return when the child is ready. Raises Unavailable where it ends or takes too long."""
        limit = self.program.row.ready_timeout.total_seconds()
        async with racing(child.is_ready.wait(), child.has_ended.wait()) as waiting:
            await asyncio.wait(waiting, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if child.is_ready.is_set():
            if child is self.child:
                self.status = "running"
            return
        how = "took longer" if child.is_alive else f"ended with status {child.status} before"
        limits = f" than {limit:g} s to be ready" if child.is_alive else " it was ready"
        raise Unavailable(f"{self.program.name} {how}{limits}; its log: {self._folder.log(self.program.name, 'error')}")

    async def _keep_running(self) -> None:
        """Start the process again whenever it ends, until cancelled."""
        while True:
            child = self.child
            assert child is not None
            try:
                await self._wait_ready(child)
                await child.has_ended.wait()
            except Unavailable as error:
                log.warning("process_not_ready", process=self.program.name, reason=str(error))
                if child.is_alive:
                    await child.end(self._kill_seconds)
            await child.clear()
            self.last_status = child.status
            pause = self._backoff.after_end(time.time() - child.started_at)
            if not self.program.row.restarts:
                self.status, self.child = "stopped", None
                self._on_end(child.status, None)
                return
            self.status = "errored" if self._backoff.is_errored else "waiting"
            log.warning(
                "process_ended",
                process=self.program.name,
                pid=child.pid,
                status=child.status,
                is_errored=self._backoff.is_errored,
                again_in_seconds=round(pause, 2),
            )
            self._on_end(child.status, pause)
            await asyncio.sleep(pause)
            self.restarts += 1
            await self._try_to_launch()

    async def _try_to_launch(self) -> None:
        while True:
            launching = asyncio.create_task(self._launch(), name=f"launch {self.program.name}")
            try:
                self.child = await asyncio.shield(launching)
            except asyncio.CancelledError:
                # Somebody wants it otherwise; what has begun to live must not be forgotten.
                with contextlib.suppress(OSError, Unavailable):
                    self.child = await launching
                raise
            except (OSError, Unavailable) as error:
                log.warning("process_cannot_start", process=self.program.name, reason=str(error))
                await asyncio.sleep(self._backoff.after_end(0))
                continue
            self.status = "starting"
            return
