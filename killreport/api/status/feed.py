"""How the live feed does: whether it brings killmails, and if not for how long and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from killreport.clock import span, utc_now
from killreport.coordination.heartbeats import ProcessHeartbeat, list_heartbeats
from killreport.db.database import Connection
from killreport.killmail.stored.queries import FeedStatus, feed_status, newest_killmail_time

WORKER = "worker-redisq"


@dataclass(frozen=True, slots=True)
class FeedState:
    """The field `feed` of `Status`; the schema says what its fields mean."""

    newest_killmail_at: datetime | None
    heard_at: datetime | None
    is_silent: bool
    trouble: str | None


async def read_feed_state(connection: Connection, silence_seconds: float) -> FeedState:
    """Return how the feed does. silence_seconds: the longest time without a killmail that is no news; 0: any is."""
    newest = await newest_killmail_time(connection)
    status = await feed_status(connection)
    heartbeats = await list_heartbeats(connection)
    return feed_state(newest, status, heartbeats, silence_seconds, utc_now())


def feed_state(
    newest: datetime | None,
    status: FeedStatus,
    heartbeats: Sequence[ProcessHeartbeat],
    silence_seconds: float,
    now: datetime,
) -> FeedState:
    """Return how the feed does, from when it last moved and from what its worker last said."""
    own = [heartbeat for heartbeat in heartbeats if heartbeat.process == WORKER]
    moments = [status.feed_updated_at, *(heartbeat.last_success_at for heartbeat in own)]
    heard_at = max((moment for moment in moments if moment is not None), default=None)
    # A feed that never brought anything is silent from when it was first asked.
    since = heard_at or min((heartbeat.started_at for heartbeat in own), default=None)
    silent_seconds = (now - since).total_seconds() if since is not None else None
    is_silent = bool(silence_seconds) and (silent_seconds is None or silent_seconds > silence_seconds)
    return FeedState(newest, heard_at, is_silent, _trouble(own, silent_seconds if is_silent else None, now))


def _trouble(own: Sequence[ProcessHeartbeat], silent_seconds: float | None, now: datetime) -> str | None:
    living = [heartbeat for heartbeat in own if heartbeat.is_alive(now)]
    waiting = next((heartbeat for heartbeat in living if heartbeat.waits_for), None)
    if waiting is not None and waiting.waits_since is not None:
        return f"{waiting.waits_for}, for {span((now - waiting.waits_since).total_seconds())}"
    if not living:
        return f"{WORKER}, which follows the feed, is not running"
    return None if silent_seconds is None else f"no kill was stored for {span(silent_seconds)}"
