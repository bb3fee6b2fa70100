"""A killmail that comes again may know more than what is stored: a late label, the nearest celestial.

So the row does not depend on which source came first. Facts of the mail itself never change: another body under a
known id is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from killreport.db.database import Connection
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.label_numbers import pack_labels
from killreport.killmail.postings.codes import LOCATION_KIND, code_of
from killreport.killmail.stored.named import marks_of_labels
from killreport.killmail.stored.quarantine import Reject
from killreport.killmail.stored.queries import KILLMAIL_ROW, killmail_row
from killreport.killmail.stored.rollup import Rollup, counts_of


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A mail whose id is stored already."""

    killmail_id: int
    hash: bytes
    arrival: Arrival


@dataclass(slots=True)
class Merged:
    """What a pass over duplicates did."""

    changed_ids: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


async def merge_duplicates(connection: Connection, duplicates: Sequence[Duplicate], rollup: Rollup) -> Merged:
    """Add what the duplicates know beyond the stored rows, in the caller's transaction, which holds their days.

    What they are found by besides goes into the rollup. A label `padding` replaces `pvp`: a padded kill does not count
    as a fight. Doing it twice changes nothing.
    """
    merged = Merged()
    if not duplicates:
        return merged
    rows = await connection.fetch(
        f"select {KILLMAIL_ROW}, location_id from killmail k where killmail_id = any($1)",  # noqa: S608 - our own names
        [duplicate.killmail_id for duplicate in duplicates],
    )
    stored = {row["killmail_id"]: (killmail_row(row[:-1]), row["location_id"]) for row in rows}
    learnt: list[tuple[int, int, int | None]] = []
    for duplicate in duplicates:
        if duplicate.killmail_id not in stored:  # removed by hand: it stays away
            continue
        (row, location_id), arrival = stored[duplicate.killmail_id], duplicate.arrival
        if row.hash != duplicate.hash:
            reason = f"another killmail with this id is stored (its hash is {row.hash.hex()})"
            merged.rejects.append(
                Reject(arrival.source, arrival.reference, reason, "$.killmail_id", arrival.body, duplicate.killmail_id)
            )
            continue
        before = {*marks_of_labels(row.labels), *_location(location_id)}
        labels = merge_labels(row.labels, arrival.extra_labels)
        location_id = arrival.location_id if location_id is None else location_id
        now = {*marks_of_labels(labels), *_location(location_id)}
        if now != before:
            learnt.append((row.killmail_id, pack_labels(labels)[0], location_id))
            counts = counts_of(row.points, row.total_value_cents, is_solo=row.is_solo, is_npc=row.is_npc)
            rollup.exchange(row.killmail_time.date(), row.killmail_id, before - now, now - before, counts)
    if learnt:
        merged.changed_ids += sorted(killmail_id for killmail_id, _, _ in learnt)
        await connection.executemany("update killmail set labels = $2, location_id = $3 where killmail_id = $1", learnt)
    return merged


def _location(location_id: int | None) -> Iterable[int]:
    return () if location_id is None else (code_of(LOCATION_KIND, location_id),)


def merge_labels(labels: Sequence[str], extra: Sequence[str]) -> list[str]:
    """Return the labels with the extra ones behind, none twice; `padding` takes the place of `pvp`."""
    together = list(dict.fromkeys([*labels, *extra]))
    return [label for label in together if label != "pvp" or "padding" not in together]
