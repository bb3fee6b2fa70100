"""What RabbitMQ is told about a message beside its body, and how that is read back, whoever wrote it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pamqp import commands

from killreport.queueing.broker import Delivery, Priority

PERSISTENT = 2
# AMQP's own time stamp counts seconds; the headers count microseconds from here.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No instant of a message lies after this one (the year 9999 in microseconds).
_LAST = 253_402_300_799_000_000


@dataclass(frozen=True, slots=True)
class Envelope:
    """What travels with a body. letter_id, reason, died_at: of dead letters. due_at: of retries."""

    priority: Priority = Priority.BATCH
    attempt: int = 1
    losses: int = 0
    published_at: datetime | None = None
    due_at: datetime | None = None
    letter_id: str | None = None
    reason: str | None = None
    died_at: datetime | None = None

    def delivery(self, queue: str) -> Delivery:
        """Return what the handler is told."""
        return Delivery(queue, self.attempt, self.priority, self.published_at, self.losses)

    def letter(self, body: bytes, reason: str, died_at: datetime) -> Envelope:
        """Return the envelope of the dead letter; of the same message it has the same id, however often it dies.

        A consumer killed between putting it there and acknowledging it leaves the message to die once more. Without the
        instant it was published it cannot be told from others that say the same: its id is new each time.
        """
        published_at = to_microseconds(self.published_at)
        letter_id = secrets.token_hex(8) if published_at is None else letter_id_of(b"%d %b" % (published_at, body))
        return replace(self, reason=reason, died_at=died_at, letter_id=letter_id, due_at=None)

    def properties(self, *, expires: timedelta | None = None) -> commands.Basic.Properties:
        """Return what goes on the wire. expires: after which RabbitMQ sends it on."""
        headers: dict[str, Any] = {"attempt": self.attempt, "losses": self.losses, "reason": self.reason}
        for name in ("published_at", "due_at", "died_at"):
            headers[name] = to_microseconds(getattr(self, name))
        return commands.Basic.Properties(
            content_type="application/json",
            headers={name: value for name, value in headers.items() if value is not None},
            delivery_mode=PERSISTENT,
            priority=int(self.priority),
            message_id=self.letter_id,
            expiration=None if expires is None else str(max(0, round(expires / timedelta(milliseconds=1)))),
            timestamp=self.published_at,
        )


def read_envelope(properties: commands.Basic.Properties) -> Envelope:
    """Return the envelope of a message; what is missing or makes no sense has its default, for anybody may publish."""
    headers = properties.headers if isinstance(properties.headers, Mapping) else {}
    reason = headers.get("reason")
    return Envelope(
        priority=Priority(min(max(properties.priority or 0, min(Priority)), max(Priority))),
        attempt=_number(headers.get("attempt"), least=1) or 1,
        losses=_number(headers.get("losses"), least=0) or 0,
        published_at=_from_microseconds(headers.get("published_at")) or _aware(properties.timestamp),
        due_at=_from_microseconds(headers.get("due_at")),
        letter_id=properties.message_id or None,
        reason=reason if isinstance(reason, str) else None,
        died_at=_from_microseconds(headers.get("died_at")),
    )


def letter_id_of(source: bytes) -> str:
    """Return the id of a dead letter that is told from others by these bytes."""
    return hashlib.sha256(source).hexdigest()[:16]


def to_microseconds(instant: datetime | None) -> int | None:
    """Return an aware instant as microseconds since 1970."""
    return None if instant is None else (instant - EPOCH) // timedelta(microseconds=1)


def _from_microseconds(value: object) -> datetime | None:
    number = _number(value, least=0)
    return None if number is None or number > _LAST else EPOCH + timedelta(microseconds=number)


def _number(value: object, *, least: int) -> int | None:
    # A truth value is an int to Python.
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= least else None


def _aware(instant: datetime | None) -> datetime | None:
    if instant is None or instant.tzinfo is not None:
        return instant
    return instant.replace(tzinfo=UTC)
