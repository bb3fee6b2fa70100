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
# As few round trips as keep the rows of one small beside the objects of all.
_ROWS_AT_ONCE = 1000


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
            statement = f"select {columns} from {table}"  # noqa: S608 - names of our own
            # Never all rows beside all objects: what was used once at the start is used by the process for ever.
            rows = connection.cursor(statement, prefetch=_ROWS_AT_ONCE)
            # The same group, slot or price in thousands of rows is one object; ids and names are their own.
            known = [dict[Any, Any]() for _ in dataclasses.fields(kind)[2:]]
            parts[name] = {row[0]: kind(row[0], row[1], *map(_one_of, known, row[2:])) async for row in rows}
    return Universe(**parts, build_number=release["build_number"], released_at=release["released_at"])


def _one_of(known: dict[Any, Any], value: Any) -> Any:
    """Return the first value of a column that was equal to this one."""
    return known.setdefault(value, value)


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
