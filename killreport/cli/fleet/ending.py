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
from killreport.supervisor.client import ANSWER_SECONDS, NoSupervisor, StandsStill, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.leftovers import end_leftovers, lock_holders, slot_holders
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


def end_fleet(
    folder: FleetFolder,
    sleep: Callable[[float], None] = time.sleep,
    *,
    answer_seconds: float = ANSWER_SECONDS,
    kill_seconds: float = KILL_SECONDS,
) -> Ending:
    """End every process of the fleet, and its supervisor. Raises Unavailable where one does not end.

    answer_seconds: without a word for so long, the supervisor stands still. kill_seconds: from SIGTERM to SIGKILL.
    """
    pids = lock_holders(folder)
    is_systemds = any(_is_systemds(pid) for pid in pids)
    if _ask_to_kill(folder, sleep, answer_seconds):
        _wait_until(lambda: not any(_is_alive(pid) for pid in pids), kill_seconds, sleep)
        if not is_systemds:
            return Ending(is_killed=True, sentence="Everything has ended.")
        if _wait_until(lambda: bool(lock_holders(folder)), RETURN_SECONDS, sleep):
            sentence = f"Everything had ended, but systemd starts it again: systemctl stop {UNIT_NAME} ends it."
            return Ending(is_killed=True, sentence=sentence, is_back=True)
        sentence = f"Everything has ended. systemctl start {UNIT_NAME} starts it again, and so does the next boot."
        return Ending(is_killed=True, sentence=sentence)
    for number in (signal.SIGTERM, signal.SIGKILL):  # it lets its processes go, which are ended next
        for pid in lock_holders(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if _wait_until(lambda: not lock_holders(folder), kill_seconds, sleep):
            break
    else:
        pids = lock_holders(folder)
        raise Unavailable(f"The supervisor (pid {', '.join(map(str, pids))}) does not answer and does not end.")
    names = end_leftovers(folder, kill_seconds, sleep)
    if not names and not pids:
        return Ending(is_killed=False, sentence="No supervisor was running, and nothing of the fleet.")
    whose = "The supervisor did not answer, and was ended" if pids else "No supervisor was running"
    rest = f"; {', '.join(names)} ran without one, and ended." if names else "; nothing ran without one."
    return Ending(is_killed=True, sentence=whose + rest, names=names)


def _ask_to_kill(folder: FleetFolder, sleep: Callable[[float], None], answer_seconds: float) -> bool:
    """Return whether a supervisor carried it out; one whose socket was deleted is there again soon."""
    deadline = monotonic() + RETURN_SECONDS
    is_told = answers = False
    while True:
        try:
            answers = False
            ask(folder, Request(verb="ping"), answer_seconds)
            is_told = answers = True
            ask(folder, Request(verb="kill"), answer_seconds)
        except NoSupervisor:
            if not lock_holders(folder):
                return is_told and not slot_holders(folder)
            if monotonic() >= deadline:
                return False
            sleep(_LOOK_SECONDS)
        except StandsStill:
            # Processes may take their time to end: a supervisor that waits for them answers everything else.
            if not answers:
                return False
        except Unavailable:  # it ended meanwhile, told by somebody else or not: what it left is looked for
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
