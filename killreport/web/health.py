"""How a process does, in a word and a colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from killreport.web.amounts import ago
from killreport.web.model import ApiFeedState, ApiProcess, ApiQueue

TITLES = {"service": "Services", "worker": "Workers", "job": "Scheduled jobs"}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as a page shows it: how long ago, and exactly."""

    text: str
    exact: str


@dataclass(frozen=True, slots=True)
class Health:
    """One process on the status page. tone: `good`, `bad` or empty.

    error: what it waits for, or the last one until a success.
    """

    process: ApiProcess
    queue: ApiQueue | None
    state: str
    tone: str
    last_success: Moment | None
    next_run: Moment | None
    error: str | None
    error_at: Moment | None


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """The live feed on the status page. trouble: what keeps killmails away; None for nothing."""

    newest: Moment | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class HealthGroup:
    """The processes of one kind."""

    title: str
    kind: str
    rows: list[Health]


def health_groups(processes: Sequence[ApiProcess], queues: Sequence[ApiQueue], now: datetime) -> list[HealthGroup]:
    """Return the processes by kind, in the order of the fleet."""
    by_name = {queue.queue_name: queue for queue in queues}
    rows = [_health(process, by_name.get(process.queue_name or ""), now) for process in processes]
    return [
        HealthGroup(title, kind, [row for row in rows if row.process.kind == kind]) for kind, title in TITLES.items()
    ]


def feed_health(feed: ApiFeedState, now: datetime) -> FeedHealth:
    """Return how the live feed does."""
    return FeedHealth(_moment(feed.newest_killmail_at, now), feed.trouble)


def troubles(groups: Sequence[HealthGroup]) -> list[str]:
    """Return the names of the processes that do not do well."""
    return [row.process.name for group in groups for row in group.rows if row.tone == "bad"]


def _health(process: ApiProcess, queue: ApiQueue | None, now: datetime) -> Health:
    counts = process.last_error_at is not None and (
        process.last_success_at is None or process.last_error_at > process.last_success_at
    )
    state, tone = _state(process, has_failed=counts)
    if process.waits_for is not None:
        state, tone = "waiting", "bad"
    return Health(
        process=process,
        queue=queue,
        state=state,
        tone=tone,
        last_success=_moment(process.last_success_at, now),
        next_run=_moment(process.next_run_at, now),
        error=process.waits_for or (process.last_error if counts else None),
        error_at=_moment(process.waits_since or (process.last_error_at if counts else None), now),
    )


def _state(process: ApiProcess, *, has_failed: bool) -> tuple[str, str]:
    if process.kind == "service":
        # It gives no sign of life of its own; this page is one.
        return "serving", "good"
    if process.kind == "job":
        if has_failed:
            return "failed", "bad"
        return ("done", "good") if process.last_success_at else ("not run yet", "")
    if not process.is_alive:
        return "not running", "bad"
    return ("failing", "bad") if has_failed else ("running", "good")


def _moment(instant: datetime | None, now: datetime) -> Moment | None:
    if instant is None:
        return None
    return Moment(ago(instant, now), f"{instant:%Y-%m-%d %H:%M:%S}")
