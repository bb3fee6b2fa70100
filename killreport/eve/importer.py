"""The importer of CCP's static data: an archive in, all `eve_*` tables replaced, or nothing changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from killreport.db.database import Connection
from killreport.decoding import is_storable
from killreport.errors import Malformed
from killreport.eve.archive import Archive, open_archive
from killreport.eve.changes import note_new_release
from killreport.eve.official import ReleaseLine
from killreport.eve.tables import (
    BLUEPRINT_COLUMNS,
    FILES,
    TABLES,
    TYPE_COLUMNS,
    Row,
    read_blueprints,
    read_rows,
    read_types,
)
from killreport.eve.universe import CAPITAL_MARKET_GROUPS

RELEASE = "_sde.jsonl"
RELEASE_KEY = "sde"
# What this importer keeps of an archive, by number: 2 has portion sizes and blueprints. A database that was filled by
# one that kept less is filled again, also with the same build.
EXTENT = 2
# One import at a time over the whole database; any constant does, this one spells "killsde" in ASCII.
IMPORT_LOCK = 0x6B696C6C736465
# All that a killmail is derived from (`killreport.killmail.writing.derive`), the group first, and whether it has a
# base price.
_TYPE_FACTS = f"""
    with recursive capital (id) as (
        select unnest(array{sorted(CAPITAL_MARKET_GROUPS)}::bigint[])
        union
        select market_group_id from eve_market_group join capital on parent_market_group_id = id
    )
    select type_id, group_id, category_id, rig_size, meta_level, is_overheatable, base_price is null,
           coalesce(market_group_id in (select id from capital), false)
    from eve_type
"""  # noqa: S608 - numbers of our own
_SYSTEM_FACTS = "select solar_system_id, constellation_id, region_id, security_status from eve_system"


@dataclass(frozen=True)
class TableRows:
    """All rows a table is to have."""

    table: str
    columns: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True)
class StaticDataRelease:
    """One release of CCP's, checked and ready to be stored."""

    build_number: int
    released_at: datetime
    tables: tuple[TableRows, ...]

    def count(self, table: str) -> int:
        """Return how many rows the table is to have. Raises StopIteration for a table the importer does not fill."""
        return next(len(rows.rows) for rows in self.tables if rows.table == table)


@dataclass(frozen=True)
class StoredRelease:
    """Which build the database holds, when CCP released it, when it was loaded, and from where.

    extent: how much of it was kept, as EXTENT has it.
    """

    build_number: int
    released_at: datetime
    loaded_at: datetime
    source: str
    extent: int

    @property
    def is_complete(self) -> bool:
        """Tell whether everything is stored that this release reads."""
        return self.extent >= EXTENT


def read_static_data(source: Path | IO[bytes], name: str) -> StaticDataRelease:
    """Read an archive in CCP's official shape; touches no database.

    name: what messages call the archive. Raises Malformed, naming the file and the line, for anything that would not
    be stored whole: a missing file, a bad line, a repeated key, a type of an unknown group.
    """
    with open_archive(source, name) as archive:
        archive.require((RELEASE, *FILES))
        release = _read_release(archive)
        tables = [TableRows(source.table, source.columns, read_rows(archive, source)) for source in TABLES]
        groups = next(rows for rows in tables if rows.table == "eve_group")
        group_id, category_id = groups.columns.index("group_id"), groups.columns.index("category_id")
        types = read_types(archive, {row[group_id]: row[category_id] for row in groups.rows})
        blueprints = TableRows("eve_blueprint", BLUEPRINT_COLUMNS, read_blueprints(archive))
    all_types = TableRows("eve_type", TYPE_COLUMNS, types)
    for rows in (*tables, all_types):  # not the blueprints: an archive may be without
        if not rows.rows:
            raise Malformed(f"The archive has no line for {rows.table}", name)
    return StaticDataRelease(release.build_number, release.release_date, (*tables, blueprints, all_types))


def _read_release(archive: Archive) -> ReleaseLine:
    for number, line in archive.parse(RELEASE, ReleaseLine):
        if line.key == RELEASE_KEY:
            # A date without an offset is CCP's, and CCP writes UTC.
            released_at = line.release_date
            if not is_storable(released_at):
                raise Malformed("The release date is not a date", f"{RELEASE} line {number}")
            at = released_at if released_at.tzinfo is not None else released_at.replace(tzinfo=UTC)
            return ReleaseLine(line.key, line.build_number, at)
    raise Malformed(f"There is no line with the key {RELEASE_KEY}", RELEASE)


async def store_static_data(connection: Connection, data: StaticDataRelease, source: str) -> None:
    """Replace everything in the `eve_*` tables by `data`, in one transaction; readers see the old until it commits.

    source: where the data came from, for people. Safe to run twice, and twice at once: the second waits.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", IMPORT_LOCK)
        types, systems = await _facts(connection, _TYPE_FACTS), await _facts(connection, _SYSTEM_FACTS)
        await replace_rows(connection, data, source)
        changed = _changed(types, await _facts(connection, _TYPE_FACTS))
        former = {one: types[one][0] if one in types else None for one in changed}
        await note_new_release(connection, former, _changed(systems, await _facts(connection, _SYSTEM_FACTS)))


async def _facts(connection: Connection, query: str) -> dict[int, tuple[Any, ...]]:
    return {row[0]: tuple(row)[1:] for row in await connection.fetch(query)}


def _changed(before: dict[int, tuple[Any, ...]], now: dict[int, tuple[Any, ...]]) -> set[int]:
    return {one for one in before.keys() | now.keys() if before.get(one) != now.get(one)}


async def replace_rows(connection: Connection, data: StaticDataRelease, source: str) -> None:
    """Do what `store_static_data` does, inside the transaction and the lock the caller holds."""
    for rows in data.tables:
        # Not truncate: that would make every reader wait for the commit, and break its view of one moment.
        await connection.execute(f"delete from {rows.table}")  # noqa: S608 - the names are constants of this package
        await connection.copy_records_to_table(rows.table, columns=rows.columns, records=rows.rows)
    await connection.execute("delete from static_data")
    await connection.execute(
        "insert into static_data (build_number, released_at, source, extent) values ($1, $2, $3, $4)",
        data.build_number,
        data.released_at,
        source,
        EXTENT,
    )


async def stored_release(connection: Connection) -> StoredRelease | None:
    """Return what the database holds, or None before the first import."""
    row = await connection.fetchrow("select build_number, released_at, loaded_at, source, extent from static_data")
    return None if row is None else StoredRelease(**row)
