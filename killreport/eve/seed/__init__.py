"""The static data and the reference prices the package brings along, so that a first start needs no network."""

from __future__ import annotations

from datetime import date
from importlib import resources

import msgspec

from killreport.db.database import Connection
from killreport.eve.importer import IMPORT_LOCK, read_static_data, replace_rows

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
    replaces data that is already there, whatever its build.
    """
    if not await _is_missing(connection, "static_data") and not await _is_missing(connection, "price_reference"):
        return False
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", IMPORT_LOCK)
        lacks_data = await _is_missing(connection, "static_data")
        lacks_prices = await _is_missing(connection, "price_reference")
        if lacks_data:
            with (resources.files(__name__) / ARCHIVE).open("rb") as stream:
                data = read_static_data(stream, ARCHIVE)
            await replace_rows(connection, data, SOURCE)
        if lacks_prices:
            await connection.copy_records_to_table(
                "price_reference",
                columns=ReferencePrice.__struct_fields__,
                records=[msgspec.structs.astuple(price) for price in read_reference_prices()],
            )
    return lacks_data or lacks_prices


def read_reference_prices() -> list[ReferencePrice]:
    """Return the packaged reference prices, in the order of their type ids."""
    text = (resources.files(__name__) / PRICES).read_bytes()
    return msgspec.json.Decoder(ReferencePrice).decode_lines(text)


async def _is_missing(connection: Connection, table: str) -> bool:
    is_missing: bool = await connection.fetchval(f"select not exists (select from {table})")  # noqa: S608 - constants
    return is_missing
