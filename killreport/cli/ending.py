"""Ending a whole fleet, also one whose supervisor is gone, cannot be reached, or is started again by systemd."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from killreport.clock import monotonic
from killreport.errors import Unavailable
from killreport.fleet.systemd import UNIT_NAME
from killreport.supervisor.client import NoSupervisor, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.leftovers import end_leftovers, lock_holders
from killreport.supervisor.protocol import Request

# From SIGTERM to SIGKILL, for what no supervisor ends.
KILL_SECONDS = 15.0
# Within which a supervisor whose socket was deleted is to be found again, and systemd starts an old unit's anew.
RETURN_SECONDS = 3.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Ending:
    """What came of it. names: of what no supervisor ended. is_back: something started the fleet again."""

    is_killed: bool
    sentence: str
    names: Sequence[str] = ()
    is_back: bool = False


def end_fleet(folder: FleetFolder, sleep: Callable[[float], None] = time.sleep) -> Ending:
    """End every process of the fleet, and its supervisor. Raises Unavailable where one does not end."""
    pids = lock_holders(folder)
    is_systemds = any(_is_systemds(pid) for pid in pids)
    if _ask_to_kill(folder, sleep):
        _wait_until(lambda: not any(_is_alive(pid) for pid in pids), KILL_SECONDS, sleep)
        if not is_systemds:
            return Ending(is_killed=True, sentence="Everything has ended.")
        if _wait_until(lambda: bool(lock_holders(folder)), RETURN_SECONDS, sleep):
            sentence = f"Everything had ended, but systemd starts it again: systemctl stop {UNIT_NAME} ends it."
            return Ending(is_killed=True, sentence=sentence, is_back=True)
        sentence = f"Everything has ended. systemctl start {UNIT_NAME} starts it again, and so does the next boot."
        return Ending(is_killed=True, sentence=sentence)
    for pid in lock_holders(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)  # it lets its processes go, which are ended next
    if not _wait_until(lambda: not lock_holders(folder), KILL_SECONDS, sleep):
        pids = lock_holders(folder)
        raise Unavailable(f"The supervisor (pid {', '.join(map(str, pids))}) does not answer and does not end.")
    names = end_leftovers(folder, KILL_SECONDS, sleep)
    if not names and not pids:
        return Ending(is_killed=False, sentence="No supervisor was running, and nothing of the fleet.")
    whose = "The supervisor did not answer, and was ended" if pids else "No supervisor was running"
    rest = f"; {', '.join(names)} ran without one, and ended." if names else "; nothing ran without one."
    return Ending(is_killed=True, sentence=whose + rest, names=names)


def _ask_to_kill(folder: FleetFolder, sleep: Callable[[float], None]) -> bool:
    """Return whether a supervisor carried it out; one whose socket was deleted is there again soon."""
    deadline = monotonic() + RETURN_SECONDS
    while True:
        try:
            ask(folder, Request(verb="kill"))
        except NoSupervisor:
            if not lock_holders(folder) or monotonic() >= deadline:
                return False
            sleep(_LOOK_SECONDS)
        else:
            return True


def _wait_until(what: Callable[[], bool], seconds: float, sleep: Callable[[float], None]) -> bool:
    deadline = monotonic() + seconds
    while not what():
        if monotonic() >= deadline:
            return False
        sleep(_LOOK_SECONDS)
    return True


def _is_alive(pid: int) -> bool:
    """Tell whether it runs; one that only waits to be buried does not."""
    try:
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


def _is_systemds(pid: int) -> bool:
    """Tell whether systemd runs it as the unit that `startup` writes."""
    try:
        return f"/{UNIT_NAME}" in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return False
