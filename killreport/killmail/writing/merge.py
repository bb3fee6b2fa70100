"""A killmail that comes again may know more than what is stored: a late label, the nearest celestial.

So the row does not depend on which source came first. Facts of the mail itself never change: another body under a
known id is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from killreport.db.database import Connection
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.postings.codes import LOCATION_KIND, code_of
from killreport.killmail.stored.named import marks_of_labels
from killreport.killmail.stored.quarantine import Reject
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
        """select killmail_id, hash, location_id, labels, killmail_time, points, total_value_cents, is_solo, is_npc
           from killmail where killmail_id = any($1)""",
        [duplicate.killmail_id for duplicate in duplicates],
    )
    stored = {row["killmail_id"]: row for row in rows}
    learnt: list[tuple[int, list[str], int | None]] = []
    for duplicate in duplicates:
        row, arrival = stored.get(duplicate.killmail_id), duplicate.arrival
        if row is None:  # removed by hand: it stays away
            continue
        if row["hash"] != duplicate.hash:
            reason = f"another killmail with this id is stored (its hash is {row['hash'].hex()})"
            merged.rejects.append(
                Reject(arrival.source, arrival.reference, reason, "$.killmail_id", arrival.body, duplicate.killmail_id)
            )
            continue
        labels, location_id = _together(row, arrival)
        if (labels, location_id) != (row["labels"], row["location_id"]):
            learnt.append((duplicate.killmail_id, labels, location_id))
            _exchange_marks(rollup, row, labels, location_id)
    if learnt:
        merged.changed_ids += sorted(killmail_id for killmail_id, _, _ in learnt)
        await connection.executemany("update killmail set labels = $2, location_id = $3 where killmail_id = $1", learnt)
    return merged


def _exchange_marks(rollup: Rollup, row: Any, labels: Sequence[str], location_id: int | None) -> None:
    before, now = set(marks_of_labels(row["labels"])), set(marks_of_labels(labels))
    if row["location_id"] is None and location_id is not None:
        now.add(code_of(LOCATION_KIND, location_id))
    rollup.exchange(
        row["killmail_time"].date(),
        row["killmail_id"],
        before - now,
        now - before,
        counts_of(row["points"], row["total_value_cents"], is_solo=row["is_solo"], is_npc=row["is_npc"]),
    )


def _together(row: Any, arrival: Arrival) -> tuple[list[str], int | None]:
    """Return the labels and the location of a stored row and the mail that came again."""
    location_id = row["location_id"] if row["location_id"] is not None else arrival.location_id
    return merge_labels(row["labels"], arrival.extra_labels), location_id


def merge_labels(labels: Sequence[str], extra: Sequence[str]) -> list[str]:
    """Return the labels with the extra ones behind, none twice; `padding` takes the place of `pvp`."""
    together = list(dict.fromkeys([*labels, *extra]))
    return [label for label in together if label != "pvp" or "padding" not in together]
