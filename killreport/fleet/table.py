"""The processes by name. Everything that needs to know which processes exist, or how one is run, reads this table."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from killreport.errors import NotFound

Kind = Literal["service", "worker", "job"]


@dataclass(frozen=True, kw_only=True)
class ProcessRow:
    """One process: what it is, how it is run, and what it may use.

    memory_limit_mb: above it the process is replaced. restarts: whether it is started again when it ends by itself.
    restart_delay: before that. kill_timeout: from SIGTERM to SIGKILL. ready_timeout: from its start to READY.
    is_single: there may be one of it at a time in the whole installation. is_extra: beyond the 17 of the contract.
    instances: how many copies are started. watchdog: it is replaced when its loop is silent for so long; zero: never.
    environment: what it has beyond the fleet's; its values may be secrets. is_enabled: whether it may be started here.

    Workers on a queue: prefetch is how many messages one process has in hand at once; attempts how often a message is
    tried before it is a dead letter; retry_delay the pause before the second try, doubled for each further one.
    Jobs: schedule is a cron expression in UTC; time_limit after which a run is stopped. is_checked_at_start: whether it
    is asked, when its schedule begins to be followed, if it has work that is urgent.
    """

    name: str
    kind: Kind
    description: str
    memory_limit_mb: int
    restarts: bool = True
    restart_delay: timedelta = timedelta(0)
    kill_timeout: timedelta = timedelta(seconds=15)
    ready_timeout: timedelta = timedelta(seconds=60)
    is_single: bool = False
    is_extra: bool = False
    port_setting: str | None = None
    queue: str | None = None
    prefetch: int = 1
    attempts: int = 12
    retry_delay: timedelta = timedelta(seconds=2)
    schedule: str | None = None
    time_limit: timedelta | None = None
    is_checked_at_start: bool = False
    instances: int = 1
    watchdog: timedelta = timedelta(seconds=60)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    is_enabled: bool = True


def _service(name: str, port_setting: str, description: str) -> ProcessRow:
    return ProcessRow(
        name=name, kind="service", description=description, memory_limit_mb=1024, port_setting=port_setting
    )


def _worker(name: str, queue: str, prefetch: int, description: str) -> ProcessRow:
    return ProcessRow(
        name=name, kind="worker", description=description, memory_limit_mb=512, queue=queue, prefetch=prefetch
    )


def _job(
    name: str,
    schedule: str,
    description: str,
    *,
    hours: int = 1,
    is_extra: bool = False,
    is_checked_at_start: bool = False,
) -> ProcessRow:
    return ProcessRow(
        name=name,
        kind="job",
        description=description,
        memory_limit_mb=512,
        restarts=False,
        schedule=schedule,
        time_limit=timedelta(hours=hours),
        is_extra=is_extra,
        is_checked_at_start=is_checked_at_start,
    )


FLEET: tuple[ProcessRow, ...] = (
    _service("killreport-backend", "api_port", "GraphQL API and live subscriptions"),
    _service("killreport-frontend", "web_port", "The web site, rendered on the server from the API"),
    ProcessRow(
        name="worker-redisq",
        kind="worker",
        description="Follows the live killmail feed and stores every new killmail",
        memory_limit_mb=512,
        restart_delay=timedelta(seconds=5),
        is_single=True,
    ),
    _worker("worker-characters", "esi_character_info_queue", 10, "Fills in characters from ESI"),
    _worker("worker-corporations", "esi_corporation_info_queue", 5, "Fills in corporations from ESI"),
    _worker("worker-alliances", "esi_alliance_info_queue", 3, "Fills in alliances from ESI"),
    _worker(
        "worker-alliance-corporations",
        "esi_alliance_corporations_queue",
        5,
        "Finds the corporations of an alliance and queues them",
    ),
    _worker("worker-types", "esi_type_info_queue", 10, "Fills in types that the static data does not have yet"),
    ProcessRow(
        name="worker-zkillboard",
        kind="worker",
        description="Stores a character's whole killmail history from zKillboard",
        memory_limit_mb=512,
        is_single=True,
        queue="zkillboard_character_queue",
        prefetch=1,
        retry_delay=timedelta(seconds=10),
    ),
    ProcessRow(
        name="worker-user-killmails",
        kind="worker",
        description="Stores the recent killmails of players who logged in",
        memory_limit_mb=512,
        restart_delay=timedelta(seconds=5),
        queue="user_killmail_queue",
        prefetch=1,
        retry_delay=timedelta(seconds=10),
    ),
    _job("queue-characters", "0 0 1 * *", "Queues every character who changed or was not refreshed for long"),
    _job("queue-alliances", "0 0 * * 0", "Queues every alliance that ESI lists"),
    _job("queue-alliance-corporations", "10 0 * * 0", "Queues every stored alliance for its list of corporations"),
    _job("queue-character-corporations", "0 4 * * *", "Queues the corporations of characters that are not stored"),
    _job("snapshot-alliances", "0 1 * * *", "Keeps a row a day of every alliance"),
    _job("snapshot-corporations", "0 1 * * *", "Keeps a row a day of every corporation"),
    _job("update-alliance-counts", "0 1 * * *", "Counts the kills, losses, ISK and members of every alliance"),
    _job("update-rankings", "*/15 * * * *", "Counts the rankings of a week and longer", is_extra=True),
    _job(
        "update-prices",
        "30 5 * * *",
        "Reads the day's prices and values again what had none",
        is_extra=True,
        is_checked_at_start=True,
    ),
    _job(
        "repair-history",
        "30 6 * * *",
        "Compares the last days with zKillboard's totals and fetches what is missing",
        hours=4,
        is_extra=True,
    ),
    _job(
        "update-static-data",
        "0 12 * * *",
        "Loads CCP's newest static data when there is a new build",
        is_extra=True,
        is_checked_at_start=True,
    ),
)

QUEUES: tuple[ProcessRow, ...] = tuple(row for row in FLEET if row.queue is not None)


def find_process(name: str, rows: Sequence[ProcessRow] = FLEET) -> ProcessRow:
    """Return the row with this name. Raises NotFound with what may have been meant."""
    return _find(name, {row.name: row for row in rows}, "process")


def find_queue(name: str) -> ProcessRow:
    """Return the row of the worker that consumes the queue. Raises NotFound with what may have been meant."""
    return _find(name, {str(row.queue): row for row in QUEUES}, "queue")


def _find(name: str, rows: dict[str, ProcessRow], noun: str) -> ProcessRow:
    if name in rows:
        return rows[name]
    raise NotFound(f"There is no {noun} called {name}; {what_was_meant(name, list(rows))}")


def what_was_meant(name: str, names: Sequence[str]) -> str:
    """Return which of the names somebody may have meant, as the end of a sentence; all of them where none is close."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}."
