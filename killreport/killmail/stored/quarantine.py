"""Input that could not be stored, kept whole with the reason, to be looked at, tried again or thrown away."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from killreport.config import Settings
from killreport.db.database import Connection
from killreport.decoding import MAX_INT8
from killreport.errors import NotFound

KEPT_BYTES = 16 * 2**20  # of one body; the largest real killmail is under 1 MB
MAX_TEXT = 1000  # characters of a reason, a path or a reference

log = structlog.get_logger()


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
    """A stored reject with its number, when it was first seen, when last tried and how often. size: of its body."""

    quarantine_id: int
    reject: Reject
    seen_at: datetime
    tried_at: datetime
    tries: int
    size: int


_INSERT = """
    insert into quarantine (source, reference, killmail_id, reason, path, body, body_sha256)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (body_sha256) do update
        set tries = quarantine.tries + 1, tried_at = now(), reason = excluded.reason, path = excluded.path
"""


@dataclass(frozen=True, slots=True)
class QuarantineBound:
    """How much the quarantine holds at the most; beyond it the oldest entries go, and are counted."""

    max_entries: int = 50_000
    max_bytes: int = 1024 * 2**20


def quarantine_bound(settings: Settings) -> QuarantineBound:
    """Return the bound that is set."""
    return QuarantineBound(settings.quarantine_max_entries, settings.quarantine_max_mb * 2**20)


@dataclass(frozen=True, slots=True)
class QuarantineSummary:
    """What is in quarantine, and what left it because it was full.

    reasons: the most frequent, with how often each was tried; what differs from entry to entry, numbers and quotes, is
    left out of them.
    """

    entries: int
    bytes: int
    oldest: datetime | None
    reasons: dict[str, int]
    dropped_entries: int
    dropped_bytes: int


_ENTRY = """quarantine_id, source, reference, killmail_id, reason, path, seen_at, tried_at, tries,
    octet_length(body) as size, {}"""
_FULLNESS = "select count(*) as entries, coalesce(sum(octet_length(body)), 0)::bigint as bytes from quarantine"
# Nobody is waited for: what another writer has in hand goes the next time.
_DROP_OLDEST = """
    with placed as (
        select quarantine_id, row_number() over newest as place, sum(octet_length(body)) over newest as bytes
        from quarantine window newest as (order by quarantine_id desc)
    ), locked as (
        select quarantine_id from quarantine
        where quarantine_id in (select quarantine_id from placed where place > $1 or bytes > $2)
        for update skip locked
    ), gone as (
        delete from quarantine using locked where quarantine.quarantine_id = locked.quarantine_id
        returning source, octet_length(body) as bytes
    ), counted as (
        insert into quarantine_dropped as dropped (source, entries, bytes)
        select source, count(*), sum(bytes) from gone group by source order by source
        on conflict (source) do update set entries = dropped.entries + excluded.entries,
            bytes = dropped.bytes + excluded.bytes, last_at = now()
    )
    select count(*) from gone
"""
_REASONS = r"""
    select left(regexp_replace(reason, '[0-9a-f]{8,}|[0-9]+|\([^)]*\)|''[^'']*''', '…', 'g'), 100) as kind,
           sum(tries)::bigint as tries
    from quarantine group by 1 order by 2 desc, 1 limit $1
"""


async def save_rejects(
    connection: Connection, rejects: Sequence[Reject], bound: QuarantineBound = QuarantineBound()
) -> None:
    """Keep the rejects, whatever is in them; the same body again only counts a further try, with the present reason.

    What does not fit is made to: the reason and where it was are cut and made text that PostgreSQL can hold, an id
    beyond its column is left out, and of a body the first KEPT_BYTES are kept. What was there longest goes where the
    bound is passed.
    """
    rows = [_row(reject) for reject in rejects]
    # Sorted by the unique key, so that two writers cannot wait for each other in a circle.
    await connection.executemany(_INSERT, sorted(rows, key=lambda row: row[-1]))
    held = await connection.fetchrow(_FULLNESS)
    if held["entries"] > bound.max_entries or held["bytes"] > bound.max_bytes:
        dropped = await connection.fetchval(_DROP_OLDEST, bound.max_entries, bound.max_bytes)
        log.warning("quarantine_full", dropped=dropped, entries=held["entries"], bytes=held["bytes"])


async def quarantine_summary(connection: Connection, most_reasons: int = 5) -> QuarantineSummary:
    """Return what is in quarantine, with its most frequent reasons, and what left it because it was full."""
    held = await connection.fetchrow(_FULLNESS)
    reasons = await connection.fetch(_REASONS, most_reasons)
    dropped = await connection.fetchrow(
        "select coalesce(sum(entries), 0)::bigint, coalesce(sum(bytes), 0)::bigint from quarantine_dropped"
    )
    oldest = await connection.fetchval("select min(seen_at) from quarantine")
    return QuarantineSummary(
        held["entries"], held["bytes"], oldest, {row["kind"]: row["tries"] for row in reasons}, *dropped
    )


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


async def list_quarantine(
    connection: Connection, limit: int, after_id: int = 0, *, with_bodies: bool = True
) -> list[QuarantineEntry]:
    """Return entries in the order they came, at most `limit`, beginning after the number given.

    with_bodies: each may have 16 MB; without, all are empty.
    """
    rows = await connection.fetch(
        f"""select {_ENTRY.format("body" if with_bodies else "''::bytea as body")}
            from quarantine where quarantine_id > $1 order by quarantine_id limit $2""",  # noqa: S608 - names of ours
        after_id,
        limit,
    )
    return [_entry(row) for row in rows]


async def get_quarantined(connection: Connection, quarantine_id: int) -> QuarantineEntry:
    """Return one entry. Raises NotFound."""
    row = await connection.fetchrow(
        f"select {_ENTRY.format('body')} from quarantine where quarantine_id = $1",  # noqa: S608 - names of ours
        quarantine_id,
    )
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
    return QuarantineEntry(row["quarantine_id"], reject, row["seen_at"], row["tried_at"], row["tries"], row["size"])  # type: ignore[arg-type]
