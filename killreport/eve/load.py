"""Reads the static data into memory: from the database, or straight from the package where there is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from killreport.db.database import Connection
from killreport.errors import NotFound
from killreport.eve import seed
from killreport.eve.changes import static_version
from killreport.eve.tables import BLUEPRINT_COLUMNS, TABLES, Row, columns_of
from killreport.eve.universe import Blueprint, Category, Group, Type, Universe

# Table, the Universe's dict it fills, and the object of its row. Types come first, then what they belong to.
_PARTS: tuple[tuple[str, str, type[Any]], ...] = (
    ("eve_type", "types", Type),
    *((source.table, source.part, source.row) for source in TABLES),
)
_WITH_TYPES = tuple(part for part in _PARTS if part[2] in (Type, Group, Category))
# As few round trips as keep the rows of one small beside the objects of all.
_ROWS_AT_ONCE = 1000


# What a process that others are forked from keeps for all of them: they share its memory.
_kept: list[Universe] = []


def keep_packaged_universe() -> Universe:
    """Read the static data the package brings once, so that `load_universe` returns it where the database has the same.

    For the warm process that the fleet is forked from. Idempotent; returns it.
    """
    if not _kept:
        _kept.append(read_packaged_universe())
    return _kept[0]


async def load_universe(connection: Connection) -> Universe:
    """Return all static data, of one moment; `connection` is outside a transaction.

    Raises NotFound where none was loaded into the database yet.
    """
    universe, _version = await load_universe_at(connection)
    return universe


async def load_universe_at(connection: Connection) -> tuple[Universe, int]:
    """Return all static data with the number of its last change; see `load_universe`."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        version = await static_version(connection)
        release = await connection.fetchrow("select build_number, released_at from static_data")
        if release is None:
            raise NotFound(
                "The database has no static data yet: `killreport db upgrade` loads what the package brings."
            )
        for kept in _kept:
            if kept.build_number == release["build_number"] and await _is_whole(connection, kept):
                return kept, version
        parts: dict[str, dict[int, Any]] = {}
        for table, name, kind in _PARTS:
            statement = f"select {', '.join(columns_of(kind))} from {table}"  # noqa: S608 - names of our own
            # Never all rows beside all objects: what was used once at the start is used by the process for ever.
            rows = connection.cursor(statement, prefetch=_ROWS_AT_ONCE)
            known = _nothing_known(kind)
            parts[name] = {row[0]: _row_object(kind, known, row) async for row in rows}
        columns = ", ".join(BLUEPRINT_COLUMNS)
        blueprints = await connection.fetch(f"select {columns} from eve_blueprint")  # noqa: S608 - names of our own
    universe = Universe(
        **parts,
        blueprints=_by_product(blueprints, parts["types"]),
        build_number=release["build_number"],
        released_at=release["released_at"],
    )
    return universe, version


async def load_types(connection: Connection, universe: Universe, type_ids: Collection[int]) -> Universe:
    """Return the universe with these types, their groups and categories as they are stored; all else is shared."""
    parts = {name: dict(getattr(universe, name)) for _table, name, _kind in _PARTS}
    for table, name, kind in _WITH_TYPES:
        key, *_ = columns = columns_of(kind)
        statement = f"select {', '.join(columns)} from {table} where {key} = any($1)"  # noqa: S608 - names of our own
        known = [parts["types"][one] for one in type_ids if one in parts["types"]]
        ids = list(type_ids) if name == "types" else [getattr(one, key) for one in known]
        parts[name] |= {row[0]: kind(*row) for row in await connection.fetch(statement, ids)}
    return Universe(
        **parts,
        blueprints=universe.blueprints,
        build_number=universe.build_number,
        released_at=universe.released_at,
    )


async def _is_whole(connection: Connection, universe: Universe) -> bool:
    """Tell whether the database has these rows and no more.

    What was loaded first stays within a build but for rows that are added; an import may bring other ones.
    """
    if await connection.fetchval("select exists (select from static_change where type_id is null)"):
        return False
    # Names of our own.
    counts = ", ".join(f"(select count(*) from {table})" for table, _name, _kind in _PARTS)  # noqa: S608
    products = "(select count(distinct product_id) from eve_blueprint)"
    stored = await connection.fetchrow(f"select {counts}, {products}")
    kept = (*(len(getattr(universe, name)) for _table, name, _kind in _PARTS), len(universe.blueprints))
    return tuple(stored) == kept


def _nothing_known(kind: type[Any]) -> list[dict[Any, Any]]:
    """Return where `_row_object` remembers: one for each column but id and name, which are every row's own."""
    return [{} for _ in columns_of(kind)[2:]]


def _row_object(kind: type[Any], known: list[dict[Any, Any]], row: Sequence[Any]) -> Any:
    """Return a row as its object; the same group, slot or price in thousands of rows is one object."""
    return kind(
        row[0], row[1], *(values.setdefault(value, value) for values, value in zip(known, row[2:], strict=True))
    )


def _by_product(rows: Iterable[Row], types: Mapping[int, Type]) -> dict[int, Blueprint]:
    """Return the blueprints by what they make: of several for one product a published one, the one with the least id.

    rows: of eve_blueprint, in BLUEPRINT_COLUMNS' order.
    """

    def rank(row: Row) -> tuple[bool, int]:
        found = types.get(row[0])
        return found is None or not found.is_published, row[0]

    found: dict[int, Blueprint] = {}
    for _, product_id, quantity, is_reaction, material_ids, quantities in sorted(rows, key=rank):
        materials = tuple(zip(material_ids, quantities, strict=True))
        found.setdefault(product_id, Blueprint(product_id, quantity, materials, is_reaction))
    return found


def read_packaged_universe() -> Universe:
    """Return the static data the package brings, without any database; takes about half a second."""
    data = seed.read_archive()
    tables = {rows.table: rows for rows in data.tables}
    parts: dict[str, dict[int, Any]] = {}
    for table, name, kind in _PARTS:
        known = _nothing_known(kind)
        parts[name] = {row[0]: _row_object(kind, known, row) for row in tables[table].rows}
    blueprints = _by_product(tables["eve_blueprint"].rows, parts["types"])
    return Universe(**parts, blueprints=blueprints, build_number=data.build_number, released_at=data.released_at)
