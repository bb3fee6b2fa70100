"""Input that could not be stored, kept whole with the reason, to be looked at, tried again or thrown away."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from killreport.db.database import Connection
from killreport.decoding import MAX_INT8
from killreport.errors import NotFound

KEPT_BYTES = 16 * 2**20  # of one body; the largest real killmail is under 1 MB
MAX_TEXT = 1000  # characters of a reason, a path or a reference


@dataclass(frozen=True, slots=True)
class Reject:
    """What a source gave and why it cannot be stored.

    reference: where in the source, as a file and line or a sequence. path: the bad field, `$` for the whole.
    """

    source: str
    reference: str
    reason: str
    path: str
    body: bytes
    killmail_id: int | None = None


@dataclass(frozen=True)
class QuarantineEntry:
    """A stored reject with its number, when it was first seen, when last tried and how often."""

    quarantine_id: int
    reject: Reject
    seen_at: datetime
    tried_at: datetime
    tries: int


_INSERT = """
    insert into quarantine (source, reference, killmail_id, reason, path, body, body_sha256)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (body_sha256) do update
        set tries = quarantine.tries + 1, tried_at = now(), reason = excluded.reason, path = excluded.path
"""


async def save_rejects(connection: Connection, rejects: Sequence[Reject]) -> None:
    """Keep the rejects, whatever is in them; the same body again only counts a further try, with the present reason.

    What does not fit is made to: the reason and where it was are cut and made text that PostgreSQL can hold, an id
    beyond its column is left out, and of a body the first KEPT_BYTES are kept.
    """
    rows = [_row(reject) for reject in rejects]
    # Sorted by the unique key, so that two writers cannot wait for each other in a circle.
    await connection.executemany(_INSERT, sorted(rows, key=lambda row: row[-1]))


def _row(reject: Reject) -> tuple[Any, ...]:
    body = reject.body[:KEPT_BYTES]
    # Where there is no body to tell it by, it is told by where it came from.
    told_by = body or f"{reject.source}\n{reject.reference}\n{reject.path}".encode(errors="backslashreplace")
    is_fitting = reject.killmail_id is not None and 0 <= reject.killmail_id <= MAX_INT8
    return (
        reject.source,
        plain_text(reject.reference)[:MAX_TEXT],
        reject.killmail_id if is_fitting else None,
        plain_text(reject.reason)[:MAX_TEXT],
        plain_text(reject.path)[:MAX_TEXT],
        body,
        hashlib.sha256(told_by).digest(),
    )


def plain_text(text: str) -> str:
    """Return the text with what PostgreSQL cannot hold, NUL and lone surrogates, written out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


async def list_quarantine(connection: Connection, limit: int, after_id: int = 0) -> list[QuarantineEntry]:
    """Return entries in the order they came, at most `limit`, beginning after the number given."""
    rows = await connection.fetch(
        "select * from quarantine where quarantine_id > $1 order by quarantine_id limit $2", after_id, limit
    )
    return [_entry(row) for row in rows]


async def get_quarantined(connection: Connection, quarantine_id: int) -> QuarantineEntry:
    """Return one entry. Raises NotFound."""
    row = await connection.fetchrow("select * from quarantine where quarantine_id = $1", quarantine_id)
    if row is None:
        raise NotFound(f"There is no quarantine entry {quarantine_id}.")
    return _entry(row)


async def purge_quarantine(connection: Connection, quarantine_ids: Sequence[int] | None) -> int:
    """Delete the entries with these numbers, or all when None; return how many there were."""
    if quarantine_ids is None:
        status = await connection.execute("delete from quarantine")
    else:
        status = await connection.execute("delete from quarantine where quarantine_id = any($1)", quarantine_ids)
    return int(status.split()[-1])


def _entry(row: dict[str, object]) -> QuarantineEntry:
    names = ("source", "reference", "reason", "path", "body", "killmail_id")
    reject = Reject(**{name: row[name] for name in names})  # type: ignore[arg-type]
    return QuarantineEntry(row["quarantine_id"], reject, row["seen_at"], row["tried_at"], row["tries"])  # type: ignore[arg-type]
