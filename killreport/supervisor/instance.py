"""One running copy of a service or worker: started, kept running, replaced, stopped. Each has a lock of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Literal

import structlog

from killreport.background import Errands, end, wait_or_end
from killreport.errors import KillreportError, Unavailable, in_words
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.backoff import RestartBackoff
from killreport.supervisor.process.child import Child, adopt_child
from killreport.supervisor.process.launch import Launch, PreparedProcess, prepare
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.readiness import Readiness
from killreport.supervisor.process.slot import ProcessSlot
from killreport.supervisor.process.template import Template

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
        self.reason = ""  # why it does not run, in words
        self._folder = folder
        self._listener = listener
        self._template = template
        self._on_end = on_end
        self._backoff = RestartBackoff(program.row.restart_delay.total_seconds())
        self._slots = [ProcessSlot(folder.slots / f"{program.name}.{number}.{side}") for side in SIDES]
        for slot in self._slots:
            slot.reserve()
        self._lock = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._errands = Errands()
        self._hurry = asyncio.Event()  # somebody asks for the next try
        self._is_launching = False
        self._readiness: Readiness | None = None
        # How the first try ends that somebody asked for: None where it got ready, else why not.
        self._verdict: asyncio.Future[str | None] | None = None
        self.adopted: list[Child] = []

    def use(self, program: Program) -> None:
        """Apply overrides from now on: limits at once; command and environment when it is started next."""
        self.program = program
        self._backoff.least_seconds = program.row.restart_delay.total_seconds()

    def look_at_loop(self, passed_seconds: float) -> bool:
        """Tell whether its event loop has been silent for too long, now that this much time has passed too."""
        child, limit = self.child, self.program.row.watchdog.total_seconds()
        if child is None or not child.is_ready.is_set() or not child.pings:
            return False
        child.silent_seconds += passed_seconds
        if child.silent_seconds < limit / 2:
            return False
        # From here on it counts whether it would say something if it had a processor.
        child.progress.look(passed_seconds)
        if child.progress.is_starved:
            child.silent_seconds -= passed_seconds
        return 0 < limit < child.silent_seconds

    def adopt(self) -> list[Child]:
        """Take over what lives in the slots, and return it. A kill between start and stop of a reload leaves two:
        the younger stays if it was ready, else the older.
        """
        found = [child for slot in self._slots if (child := adopt_child(slot)) is not None]
        found.sort(key=lambda child: (child.is_ready.is_set(), child.started_at))
        if found:
            self.child = found.pop()
            self.status = "running" if self.child.is_ready.is_set() else "starting"
        self.adopted = found
        return ([self.child] if self.child else []) + found

    async def settle(self, *, is_wanted: bool) -> None:
        """Bring what was adopted to what is wanted: end the surplus, keep the rest running; one that is missing is
        started as soon as that can be.
        """
        async with self._lock:
            await self._end_adopted()
            if is_wanted:
                await self._have_kept()
            else:
                await self._end()

    async def start(self) -> None:
        """Have it running; returns when it is ready. Raises Unavailable where it did not get ready at the first try.

        It is tried again for ever, whatever is raised.
        """
        async with self._lock:
            child = self.child if self.child is not None and self.child.is_alive else None
            if child is None:
                await self._have_kept()
            verdict = self._verdict
        if child is None:
            await self._hear(verdict)
        else:
            await self._wait_ready(child)

    async def stop(self) -> None:
        """Have it stopped."""
        async with self._lock:
            await self._end()

    async def restart(self) -> None:
        """Stop it, then start it. Raises Unavailable where it did not get ready; where none can start, it goes on."""
        async with self._lock:
            prepared = await self._prepare() if self.child is not None and self.child.is_alive else None
            try:
                await self._end()
                self.restarts += 1
            except BaseException:
                if prepared is not None:
                    prepared.drop()
                raise
            if prepared is not None:
                with contextlib.suppress(OSError):  # the keeper tries again
                    self.child = prepared.begin()
            await self._keep_from_now()
            verdict = self._verdict
        await self._hear(verdict)

    async def reload(self) -> None:
        """Start the next one, and stop the last one only when that is ready. Raises Unavailable; the last one stays.

        Who must be alone is restarted instead.
        """
        if self.program.row.is_single or self.child is None or not self.child.is_alive:
            await self.restart()
            return
        async with self._lock:
            old = self.child
            new = self._begin(await self._prepare())
            try:
                await self._wait_ready(new)
            except Unavailable:
                await new.end(self._kill_seconds)
                raise
            await self._stop_keeping()
            self.child = new
            self.restarts += 1
            await self._keep_from_now()
            self.status = "running"
            await old.end(self._kill_seconds)

    async def end_for(self, reason: str) -> None:
        """End what runs as if it had ended by itself: the keeper starts the next one, after a pause that grows."""
        if self.child is not None and self.child.is_alive:
            self.reason = reason
            await self.child.end(self._kill_seconds)

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
    def said(self) -> str:
        """Return what it last said of itself, what takes the time while it starts, or why it does not run."""
        child = self.child
        if child is None or not child.is_alive:
            waits_for = self._template.said if self._is_launching and self._template is not None else ""
            return waits_for or self.reason
        if child.is_ready.is_set() or self._readiness is None:
            return child.words
        return child.words or str(self._readiness.progress)

    @property
    def _kill_seconds(self) -> float:
        return self.program.row.kill_timeout.total_seconds()

    async def _prepare(self) -> PreparedProcess:
        """Return the next one, about to begin. Raises Unavailable where it cannot start."""
        name = self.program.name
        slot = next((slot for slot in self._slots if slot.is_free()), None)
        if slot is None:
            raise Unavailable(f"{name} cannot start: its old processes do not end.")
        try:
            launch = Launch.of(self.program, self._folder, listener=self._listener())
            return await prepare(slot, launch, self._template)
        except OSError as error:
            raise Unavailable(f"{name} cannot start: {in_words(error)}.") from error

    def _begin(self, prepared: PreparedProcess) -> Child:
        try:
            return prepared.begin()
        except OSError as error:
            raise Unavailable(f"{self.program.name} cannot start: {in_words(error)}.") from error

    async def _have_kept(self) -> None:
        """Have a keeper at work on what lives, or on a start: one that is, goes on, and pauses no longer."""
        if self._keeping is None or self._keeping.done():
            await self._keep_from_now()
            return
        self._backoff.reset()
        self._hurry.set()
        if self._verdict is None or self._verdict.done():
            self._verdict = asyncio.get_running_loop().create_future()

    async def _pause(self, seconds: float) -> None:
        """Wait before the next try, unless somebody asks for it meanwhile."""
        await wait_or_end(self._hurry, seconds)
        self._hurry.clear()

    async def _keep_from_now(self) -> None:
        """Have a keeper that begins at once, whatever the last one waits for; what lives goes on."""
        await self._stop_keeping()
        self._backoff.reset()
        self._verdict = asyncio.get_running_loop().create_future()
        self._keeping = self._errands.run(self._keep_running(), f"keep {self.program.name}")

    async def _stop_keeping(self) -> None:
        if self._keeping is not None:
            await end(self._keeping)
            self._keeping = None
        self._judge(f"{self.program.name} was told to stop or restart before it was ready.")

    async def _end(self) -> None:
        await self._stop_keeping()
        if self.child is not None:
            self.status = "stopping"
            await self.child.end(self._kill_seconds)
            self.last_status = self.child.status
        self.child = None
        await self._end_adopted()
        self.status, self.reason = "stopped", ""

    async def _end_adopted(self) -> None:
        """End the surplus that a reload left which nobody finished; until it has ended, nobody forgets it."""
        await asyncio.gather(*(child.end(self._kill_seconds) for child in self.adopted))
        self.adopted = []

    def _judge(self, reason: str | None) -> None:
        if self._verdict is not None and not self._verdict.done():
            self._verdict.set_result(reason)

    async def _hear(self, verdict: asyncio.Future[str | None] | None) -> None:
        """Return when the first try got ready. Raises Unavailable where it did not."""
        reason = None if verdict is None else await asyncio.shield(verdict)
        if reason is not None:
            raise Unavailable(reason)

    async def _wait_ready(self, child: Child) -> None:
        """Return when the child is ready. Raises Unavailable where it ends or stands still for too long."""
        self._readiness = readiness = Readiness(self.program, child, self._folder)
        try:
            await readiness.wait()
        finally:
            if self._readiness is readiness:
                self._readiness = None

    async def _keep_running(self) -> None:
        """Have the process running, and start it again whenever it ends, until cancelled."""
        while True:
            try:
                if self.child is None and not await self._try_to_launch():
                    continue
                if not await self._follow():
                    return
            except Exception as error:  # what nobody expected must not leave a process without a keeper
                log.exception("keeper_failed", process=self.program.name)
                self.reason = in_words(error)
                self._judge(f"{self.program.name} cannot be kept running: {self.reason}.")
                await self._pause(self._backoff.after_refusal())

    async def _follow(self) -> bool:
        """Return after the child's end and the pause that follows it; False where it is not to be started again."""
        child = self.child
        assert child is not None
        self.status, self.reason = ("running" if child.is_ready.is_set() else "starting"), ""
        try:
            await self._wait_ready(child)
            self.status = "running"
            self._judge(None)
            self._hurry.clear()
            await child.has_ended.wait()
            self.status, self.reason = "waiting", self.reason or f"ended with status {child.status}"
        except Unavailable as error:
            self.reason = self.reason or str(error)
            self._judge(str(error))
            log.warning("process_not_ready", process=self.program.name, reason=str(error))
            if child.is_alive:
                await child.end(self._kill_seconds)
        await child.clear()
        self.last_status, self.child = child.status, None
        pause = self._backoff.after_end(child.age_seconds)
        if not self.program.row.restarts:
            self.status = "stopped"
            self._on_end(child.status, None)
            return False
        self.status = "errored" if self._backoff.is_errored else "waiting"
        log.warning(
            "process_ended",
            process=self.program.name,
            pid=child.pid,
            status=child.status,
            reason=self.reason,
            is_errored=self._backoff.is_errored,
            again_in_seconds=round(pause, 2),
        )
        self._on_end(child.status, pause)
        await self._pause(pause)
        self.restarts += 1
        return True

    async def _try_to_launch(self) -> bool:
        """Return whether there is a child now; where not, after the pause before the next try."""
        launching = asyncio.create_task(self._prepare(), name=f"launch {self.program.name}")
        self.status, self._is_launching = "starting", True
        try:
            self.child = self._begin(await asyncio.shield(launching))
        except asyncio.CancelledError:
            # A newer order came; what is forked by then must not live on.
            with contextlib.suppress(KillreportError):
                (await launching).drop()
            raise
        except KillreportError as error:
            pause = self._backoff.after_refusal()
            self.status, self.reason = "waiting", str(error)
            self._judge(str(error))
            log.warning(
                "process_cannot_start",
                process=self.program.name,
                reason=self.reason,
                again_in_seconds=round(pause, 2),
            )
            self._is_launching = False
            await self._pause(pause)
            return False
        finally:
            self._is_launching = False
        return True
