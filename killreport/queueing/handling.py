"""What becomes of a message: decode it, hand it to its handler, and decide. Both transports ask here, so both agree.

decoded ──> handled ──> Done        acknowledge
   │           ├──────> Back        the other side is away: returns uncounted, the consumer pauses as long
   │           ├──────> Again       counted, each time twice as long
   └───────────┴──────> Dead        nobody can handle it: a dead letter with the reason
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from killreport.backoff import backoff_seconds
from killreport.clock import monotonic
from killreport.db.database import is_away
from killreport.errors import Conflict, Malformed, NotFound, Permanent, Refused, Transient, Unavailable, innermost
from killreport.fleet.table import ProcessRow
from killreport.queueing.broker import Delivery, Handler
from killreport.queueing.messages import Message, decode

# What no further try can change.
HOPELESS = (Malformed, Permanent, NotFound, Refused, Conflict)
# A message that took its process with it so often is what kills it.
MAX_LOSSES = 10
BACK_DELAY = timedelta(seconds=5)
MAX_BACK_DELAY = timedelta(minutes=1)
# Uncapped, the twelfth try of a queue that starts at 10 s would come after five and a half hours.
MAX_DELAY = timedelta(minutes=15)
MAX_RETRY_AFTER = timedelta(hours=1)
# Messages that failed together shall not come back together.
SPREAD = 0.25
MAX_REASON = 1000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Done:
    """Handled: acknowledge it."""


@dataclass(frozen=True, slots=True)
class Back:
    """Return it to its queue after the delay with the same attempt number.

    What is away for this message is away for the next: the place it had in the consumer's hand stays empty as long,
    or a queue of thousands would be handed round at full speed until the other side is back.
    """

    delay: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """Return it to its queue after the delay, with the next attempt number."""

    delay: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Put it to the queue's dead letters with the reason."""

    reason: str


Outcome = Done | Back | Again | Dead


class Absence:
    """How long the other side has been away, as the messages of one consumer find it; paces how soon it is tried."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since: float | None = None

    def delay(self) -> timedelta:
        """Return how long to wait: as long again as it has been away, from BACK_DELAY to MAX_BACK_DELAY."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        return min(max(timedelta(seconds=now - self._since), BACK_DELAY), MAX_BACK_DELAY)

    def end(self) -> None:
        """Note that the other side answered."""
        self._since = None


async def handle(
    row: ProcessRow,
    body: bytes,
    delivery: Delivery,
    handler: Handler,
    *,
    absence: Absence | None = None,
    chance: Callable[[], float] = random.random,
) -> Outcome:
    """Decode a body, hand it to the handler and return what is to become of it; logs one line. Raises nothing.

    row: of the worker that consumes the queue. absence: of its consumer; None: nobody was away before. chance: returns
    0 to 1, spreads the delays. Only the cancellation of the caller gets through.
    """
    message: Message | None = None
    if delivery.losses >= MAX_LOSSES:
        outcome: Outcome = Dead(f"its process died {delivery.losses} times while it was in hand")
        _tell(outcome, delivery, message)
        return outcome
    try:
        message = decode(delivery.queue, body)
    except Exception as error:  # whatever a body does to the decoder: the consumer must live on
        outcome = Dead(f"{explain(error)} (not handed out)")
        _tell(outcome, delivery, message)
        return outcome
    try:
        await handler(message, delivery)
        outcome = Done()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Cancelled from within, by a task group or a client of the handler's, not by whoever called us.
        outcome = decide(Transient("its work was cancelled from within"), row, delivery.attempt, chance)
    except Exception as error:  # whatever a handler fails with is an answer; the consumer must live on
        log.debug("message_failed", queue=delivery.queue, exc_info=True)
        outcome = decide(error, row, delivery.attempt, chance)
    if absence is not None:
        if isinstance(outcome, Back):
            outcome = Back(absence.delay() * (1 + SPREAD * chance()), outcome.reason)
        else:
            absence.end()
    _tell(outcome, delivery, message)
    return outcome


def decide(error: Exception, row: ProcessRow, attempt: int, chance: Callable[[], float] = random.random) -> Outcome:
    """Return what follows from an error of a handler at the attempt of that number, the first being 1."""
    error = innermost(error)
    reason = explain(error)
    if isinstance(error, HOPELESS):
        return Dead(f"{reason} (attempt {attempt} of {row.attempts})")
    if _is_absence(error):
        return Back(BACK_DELAY * (1 + SPREAD * chance()), reason)
    if attempt >= row.attempts:
        return Dead(f"{reason} (given up after {attempt} attempts)")
    wished = error.retry_after if isinstance(error, Transient) else None
    return Again(retry_delay(row, attempt, wished, chance), reason)


def retry_delay(
    row: ProcessRow, attempt: int, retry_after: float | None = None, chance: Callable[[], float] = random.random
) -> timedelta:
    """Return the pause after the attempt of that number failed.

    The row's delay, doubled for each attempt after the first up to MAX_DELAY, or what the other side asked for
    (seconds) where that is longer; up to a quarter is added by chance.
    """
    seconds = backoff_seconds(attempt, row.retry_delay.total_seconds(), MAX_DELAY.total_seconds())
    delay = timedelta(seconds=seconds)
    if retry_after is not None and retry_after > delay.total_seconds():
        delay = timedelta(seconds=min(retry_after, MAX_RETRY_AFTER.total_seconds()))
    return delay * (1 + SPREAD * chance())


def explain(error: BaseException) -> str:
    """Return an error's type and words in a line that every store can hold."""
    words = " ".join(str(error).replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode().split())
    return f"{type(error).__name__}: {words}"[:MAX_REASON] if words else type(error).__name__


def _is_absence(error: Exception) -> bool:
    """Return whether somebody we need is away, whatever the message says: counted, it would die of that."""
    if isinstance(error, ExceptionGroup):
        return all(_is_absence(part) for part in error.exceptions)
    return isinstance(error, Unavailable) or is_away(error)


def _tell(outcome: Outcome, delivery: Delivery, message: Message | None) -> None:
    known: dict[str, Any] = {"queue": delivery.queue, "attempt": delivery.attempt}
    if message is not None:
        known |= msgspec.structs.asdict(message)
    match outcome:
        case Done():
            log.info("message_done", **known)
        case Back(delay, reason):
            log.warning("message_back", reason=reason, delay_seconds=round(delay.total_seconds(), 1), **known)
        case Again(delay, reason):
            log.warning("message_again", reason=reason, delay_seconds=round(delay.total_seconds(), 1), **known)
        case Dead(reason):
            log.error("message_dead", reason=reason, losses=delivery.losses, **known)
