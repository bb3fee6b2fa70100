"""The static data and the reference prices the package brings along, so that a first start needs no network."""

from __future__ import annotations

from datetime import date
from importlib import resources

import msgspec

from killreport.db.database import Connection
from killreport.eve.importer import IMPORT_LOCK, StaticDataRelease, read_static_data, replace_rows, stored_release

ARCHIVE = "static-data.zip"
PRICES = "reference-prices.jsonl"
SOURCE = "seed"


class ReferencePrice(msgspec.Struct, frozen=True, gc=False):
    """A line of the packaged prices: a row of `price_reference`."""

    type_id: int
    cents: int
    rule: int
    day: date | None
    source: str


async def load_seed(connection: Connection) -> bool:
    """Fill an empty database with the packaged static data and reference prices, in one transaction.

    Returns whether anything was missing. Safe to run at every start and by several processes at once; it never
    replaces data that is already there, whatever its build. What a release that kept less of a build left out is added
    from the package, as far as that has it: how many units a base price is for.
    """
    is_lacking = await _lacks_portions(connection)
    if (
        not is_lacking
        and not await _is_missing(connection, "static_data")
        and not await _is_missing(connection, "price_reference")
    ):
        return False
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", IMPORT_LOCK)
        lacks_data = await _is_missing(connection, "static_data")
        lacks_prices = await _is_missing(connection, "price_reference")
        is_lacking = await _lacks_portions(connection)
        if lacks_data:
            await replace_rows(connection, read_archive(), SOURCE)
        elif is_lacking:
            await _add_portions(connection, read_archive())
        if lacks_prices:
            await connection.copy_records_to_table(
                "price_reference",
                columns=ReferencePrice.__struct_fields__,
                records=[msgspec.structs.astuple(price) for price in read_reference_prices()],
            )
    return lacks_data or is_lacking or lacks_prices


def read_archive() -> StaticDataRelease:
    """Return the packaged static data, checked as any archive is."""
    with (resources.files(__name__) / ARCHIVE).open("rb") as stream:
        return read_static_data(stream, ARCHIVE)


async def _lacks_portions(connection: Connection) -> bool:
    """Tell whether the static data was stored before portions were, and nobody has added them since."""
    release = await stored_release(connection)
    if release is None or release.is_complete:
        return False
    has_some: bool = await connection.fetchval("select exists (select from eve_type where portion_size > 1)")
    return not has_some


async def _add_portions(connection: Connection, data: StaticDataRelease) -> None:
    """Store the portions of the types that are stored; the rest comes with the next update of the static data."""
    types = next(rows for rows in data.tables if rows.table == "eve_type")
    size = types.columns.index("portion_size")
    portions = [(row[0], row[size]) for row in types.rows if row[size] > 1]
    await connection.execute(
        """update eve_type set portion_size = portion.size
           from unnest($1::bigint[], $2::integer[]) as portion (type_id, size)
           where eve_type.type_id = portion.type_id""",
        [type_id for type_id, _ in portions],
        [portion for _, portion in portions],
    )


def read_reference_prices() -> list[ReferencePrice]:
    """Return the packaged reference prices, in the order of their type ids."""
    text = (resources.files(__name__) / PRICES).read_bytes()
    return msgspec.json.Decoder(ReferencePrice).decode_lines(text)


async def _is_missing(connection: Connection, table: str) -> bool:
    is_missing: bool = await connection.fetchval(f"select not exists (select from {table})")  # noqa: S608 - constants
    return is_missing
