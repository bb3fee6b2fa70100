"""Reads the static data into memory: from the database, or straight from the package where there is none."""

from __future__ import annotations

import dataclasses
from importlib import resources
from typing import Any

from killreport.db.database import Connection
from killreport.errors import NotFound
from killreport.eve import seed
from killreport.eve.importer import read_static_data
from killreport.eve.universe import (
    Category,
    Constellation,
    Faction,
    Group,
    MarketGroup,
    MetaGroup,
    NpcCorporation,
    Region,
    SolarSystem,
    Type,
    Universe,
)

# Table, the Universe's dict it fills, and its row; the row's fields are named like the columns, its key comes first.
_PARTS: tuple[tuple[str, str, type[Any]], ...] = (
    ("eve_type", "types", Type),
    ("eve_group", "groups", Group),
    ("eve_category", "categories", Category),
    ("eve_market_group", "market_groups", MarketGroup),
    ("eve_meta_group", "meta_groups", MetaGroup),
    ("eve_region", "regions", Region),
    ("eve_constellation", "constellations", Constellation),
    ("eve_system", "systems", SolarSystem),
    ("eve_faction", "factions", Faction),
    ("eve_corporation", "corporations", NpcCorporation),
)


async def load_universe(connection: Connection) -> Universe:
    """Return all static data, of one moment; `connection` is outside a transaction.

    Raises NotFound where none was loaded into the database yet.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        release = await connection.fetchrow("select build_number, released_at from static_data")
        if release is None:
            raise NotFound(
                "The database has no static data yet: `killreport db upgrade` loads what the package brings."
            )
        parts: dict[str, dict[int, Any]] = {}
        for table, name, kind in _PARTS:
            columns = ", ".join(field.name for field in dataclasses.fields(kind))
            rows = await connection.fetch(f"select {columns} from {table}")  # noqa: S608 - names of our own
            parts[name] = {row[0]: kind(*row) for row in rows}
    return Universe(**parts, build_number=release["build_number"], released_at=release["released_at"])


def read_packaged_universe() -> Universe:
    """Return the static data the package brings, without any database; takes about half a second."""
    with (resources.files(seed) / seed.ARCHIVE).open("rb") as stream:
        data = read_static_data(stream, seed.ARCHIVE)
    tables = {rows.table: rows for rows in data.tables}
    parts: dict[str, dict[int, Any]] = {}
    for table, name, kind in _PARTS:
        columns = tables[table].columns
        parts[name] = {row[0]: kind(**dict(zip(columns, row, strict=True))) for row in tables[table].rows}
    return Universe(**parts, build_number=data.build_number, released_at=data.released_at)
