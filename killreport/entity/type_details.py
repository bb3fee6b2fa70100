"""Reads of what ESI told of types beyond the static data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from killreport.db.database import Connection


@dataclass(frozen=True, slots=True)
class TypeDetail:
    """What ESI told. Mass in kilograms, volume (as flown) and capacity in cubic metres; None where it did not say."""

    description: str
    mass: float | None
    volume: float | None
    capacity: float | None
    refreshed_at: datetime


async def find_type_details(connection: Connection, type_ids: Collection[int]) -> dict[int, TypeDetail]:
    """Return the details of these types by id; types ESI was never asked about are left out."""
    rows = await connection.fetch(
        """select type_id, description, mass, volume, capacity, refreshed_at from type_detail
           where type_id = any($1::bigint[])""",
        list(type_ids),
    )
    return {row[0]: TypeDetail(*tuple(row)[1:]) for row in rows}
