"""The keys that a process's table in `fleet.toml` may have: what each takes, and for which processes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from cronsim import CronSim, CronSimError

from killreport.config import PREFIX, why_no_setting
from killreport.fleet.table import ProcessRow

MAX_INSTANCES = 32
MASK = "***"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smh])")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# One value for the whole fleet: the supervisor listens at the ports, and all share the home.
_SHARED = frozenset(f"{PREFIX}{name}" for name in ("HOME", "CONFIG", "HOST", "API_PORT", "WEB_PORT"))
# What the supervisor itself tells a process.
_CONTRACT = frozenset(("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"))


@dataclass(frozen=True)
class OverrideKey:
    """One key. field: of the row. parse: returns the field's value; raises ValueError with what would be right.

    refuse: returns why a process cannot have it, None where it can.
    """

    field: str
    parse: Callable[[Any], Any]
    refuse: Callable[[ProcessRow], str | None]
    description: str


def variable_problem(name: str, value: str) -> str | None:
    """Return why a process cannot have this environment variable, None where it can."""
    if not _VARIABLE.fullmatch(name) or "\0" in value:
        return "cannot be a variable: letters, digits and underscores make its name."
    if name in _CONTRACT:
        return "is the supervisor's to set."
    if name in _SHARED:
        return "is the whole fleet's: it belongs into killreport.toml or the environment of killreport start."
    return why_no_setting(name, value) if name.startswith(PREFIX) else None


def _converted(kind: Any, right: str) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            raise ValueError(f"must be {right}, not {value!r}.") from None

    return parse


def _span_of(least: float) -> Callable[[Any], timedelta]:
    def parse(value: Any) -> timedelta:
        parts = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if parts is not None:
            value = float(parts[1]) * _UNITS[parts[2]]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= value <= 86_400:
            raise ValueError(f'must be seconds or a time such as "90s" or "5m", {least:g} s to 24 h, not {value!r}.')
        return timedelta(seconds=value)

    return parse


def _schedule(value: Any) -> str:
    expression: str = _converted(str, 'five cron fields in UTC such as "30 4 * * *"')(value)
    try:
        next(CronSim(expression, datetime.now(UTC)))
    except CronSimError as error:
        reason = str(error) or "it is none"
    except StopIteration:
        reason = "that day never comes"
    else:
        return expression
    raise ValueError(f'must be five cron fields in UTC such as "30 4 * * *"; {expression!r} is not: {reason}.')


def _environment(value: Any) -> dict[str, str]:
    kind = dict[str, bool | int | float | str]
    right = f'variables with a text each, as in {PREFIX}LOG_LEVEL = "debug"'
    if not isinstance(value, dict):
        raise ValueError(f"must be {right}.")
    try:
        found = msgspec.convert(value, kind)
    except msgspec.ValidationError:  # the values may be secrets: they are not shown
        raise ValueError(f"must be {right}.") from None
    return {name: str(text).lower() if isinstance(text, bool) else str(text) for name, text in found.items()}


def _for_all(_row: ProcessRow) -> None:
    return None


def _for_jobs(row: ProcessRow) -> str | None:
    return None if row.kind == "job" else f"it is a {row.kind}, which runs all the time."


def _for_lasting(row: ProcessRow) -> str | None:
    return "it is a job, which ends by itself." if row.kind == "job" else None


def _for_queues(row: ProcessRow) -> str | None:
    if row.queue is not None:
        return None
    return f"it is a {row.kind}, which takes nothing from a queue." if row.kind != "worker" else "it has no queue."


def _for_several(row: ProcessRow) -> str | None:
    if row.is_single:
        return "there can be only one of it."
    return None if row.kind == "worker" else f"it is a {row.kind}, of which there is one."


KEYS: dict[str, OverrideKey] = {
    "enabled": OverrideKey(
        "is_enabled", _converted(bool, "true or false"), _for_all, "false: it is not started on this machine"
    ),
    "schedule": OverrideKey("schedule", _schedule, _for_jobs, 'when a job runs, cron in UTC: "30 4 * * *"'),
    "memory_limit_mb": OverrideKey(
        "memory_limit_mb",
        _converted(Annotated[int, msgspec.Meta(ge=32, le=1 << 20)], "a whole number of MB from 32 to 1048576"),
        _for_all,
        "above it the process is replaced",
    ),
    "prefetch": OverrideKey(
        "prefetch",
        _converted(Annotated[int, msgspec.Meta(ge=1, le=1000)], "a whole number from 1 to 1000"),
        _for_queues,
        "how many messages a worker has in hand at once",
    ),
    "attempts": OverrideKey(
        "attempts",
        _converted(Annotated[int, msgspec.Meta(ge=1, le=100)], "a whole number from 1 to 100"),
        _for_queues,
        "how often a message is tried before it is a dead letter",
    ),
    "instances": OverrideKey(
        "instances",
        _converted(Annotated[int, msgspec.Meta(ge=1, le=MAX_INSTANCES)], f"a whole number from 1 to {MAX_INSTANCES}"),
        _for_several,
        "how many copies of a worker are started",
    ),
    "restarts": OverrideKey(
        "restarts", _converted(bool, "true or false"), _for_lasting, "false: it is not started again when it ends"
    ),
    "restart_delay": OverrideKey("restart_delay", _span_of(0), _for_lasting, "before it is started again"),
    "kill_timeout": OverrideKey("kill_timeout", _span_of(0.1), _for_all, "from SIGTERM to SIGKILL"),
    "ready_timeout": OverrideKey("ready_timeout", _span_of(0.1), _for_lasting, "from its start until it is ready"),
    "watchdog": OverrideKey(
        "watchdog", _span_of(0), _for_lasting, "it is replaced when its loop is silent for so long; 0: never"
    ),
    "environment": OverrideKey("environment", _environment, _for_all, "variables it has beyond the fleet's"),
}
