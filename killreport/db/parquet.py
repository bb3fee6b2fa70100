"""`python -m killreport.db.parquet FILE COLUMNS`: CSV on standard input, Parquet in the file, the rows as a number out.

A process of its own: DuckDB reads a pipe as fast as it is filled, and ends with it. COLUMNS is JSON, a list of pairs of
a name and PostgreSQL's type. DuckDB is an extra, since most boards export nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

_MEMORY = "512MB"
_LEVEL = 9
_TYPES = {
    "bigint": "BIGINT",
    "integer": "INTEGER",
    "smallint": "SMALLINT",
    "double precision": "DOUBLE",
    "real": "FLOAT",
    "boolean": "BOOLEAN",
    "timestamp with time zone": "TIMESTAMPTZ",
    # 18 digits are 8 bytes; a killmail is worth 10^14 at most.
    "numeric(20,2)": "DECIMAL(18, 2)",
    "numeric": "DECIMAL(18, 2)",
    "text": "VARCHAR",
    "text[]": "VARCHAR",
}


def statement(path: str, source: str, columns: Sequence[tuple[str, str]]) -> str:
    """Return what reads the CSV without a header and writes the file."""
    types = ", ".join(f"'{name}': '{_TYPES[kind]}'" for name, kind in columns)
    told = ", ".join(
        # An empty text has no words, where splitting finds an empty one.
        f'case when "{name}" = \'\' then [] else string_split("{name}", \' \') end as "{name}"'
        if kind == "text[]"
        else f'"{name}"'
        for name, kind in columns
    )
    quoted = path.replace("'", "''")
    read = (
        f"read_csv('{source}', header = false, auto_detect = false, parallel = false, delim = ',', quote = '\"', "
        f"escape = '\"', nullstr = '', allow_quoted_nulls = false, columns = {{{types}}})"
    )
    options = f"format parquet, compression zstd, compression_level {_LEVEL}, parquet_version v2"
    return f"copy (select {told} from {read}) to '{quoted}' ({options})"  # noqa: S608 - the shell's user chose them


def main(path: str, columns: str) -> None:
    """Write the file, and print how many rows it has."""
    import duckdb  # noqa: PLC0415 - an extra

    with duckdb.connect(":memory:") as connection:
        connection.execute(f"set memory_limit = '{_MEMORY}'")
        connection.execute("set TimeZone = 'UTC'")
        (rows,) = connection.execute(statement(path, "/dev/stdin", json.loads(columns))).fetchone() or (0,)
    print(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
