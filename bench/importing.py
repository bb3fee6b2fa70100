"""How fast killmails are imported, as a ratio to a raw COPY of the same rows into the same tables and indexes.

Three figures: the whole `killreport import` command, the writer alone (mails decoded beforehand), and the COPY that
both are measured against: every row the import left in the facts, and every row it left anywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from bench.databases import bench_database, bench_server
from killreport.cli.data.import_jobs import open_writer
from killreport.config import Settings
from killreport.errors import Malformed
from killreport.ingest.importing import BATCH
from killreport.killmail.mail.archive import read_records
from killreport.killmail.mail.arrival import Arrival, read_arrival

FACTS = ("killmail", "posting")
ROLLUPS = ("daily_total", "system_figures", "total_stat")
ALL = (*FACTS, *ROLLUPS, "refresh_ledger", "event")


def decode_files(files: Sequence[Path]) -> list[Arrival]:
    """Return the killmails of the files; what cannot be decoded is left out."""
    arrivals = []
    for path in files:
        with path.open("rb") as stream:
            for record in read_records(stream, path.name):
                try:
                    arrivals.append(read_arrival(record.body, "bench", record.reference))
                except Malformed:
                    continue
    return arrivals


async def time_writer(url: str, arrivals: Sequence[Arrival]) -> float:
    """Return the seconds the writer needs for the mails: batches and overlap as the import has them, nothing read."""
    batches = [arrivals[first : first + BATCH] for first in range(0, len(arrivals), BATCH)]
    async with open_writer(Settings(database_url=SecretStr(url))) as (database, writer):
        began = time.perf_counter()
        coming = asyncio.create_task(writer.prepare(database, batches[0]))
        for following in (*batches[1:], None):
            prepared = await coming
            if following is not None:
                coming = asyncio.create_task(writer.prepare(database, following))
            await writer.commit(database, prepared)
        return time.perf_counter() - began


def time_command(url: str, files: Sequence[Path], jobs: int) -> tuple[float, dict[str, float]]:
    """Return the wall seconds of the whole command, start-up included, and its summary."""
    command = [sys.executable, "-m", "killreport", "import", "--json", "--jobs", str(jobs), *map(str, files)]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "KILLREPORT_DATABASE_URL": url, "KILLREPORT_HOME": home}
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, check=True, capture_output=True)
        seconds = time.perf_counter() - began
    return seconds, json.loads(done.stdout)


async def time_copy(source: str, target: str, tables: Sequence[str]) -> float:
    """Return the seconds that a binary COPY of the source's rows into the empty target takes, one transaction."""
    reader = await asyncpg.connect(source)
    writer = await asyncpg.connect(target)
    try:
        bodies = []
        for table in tables:
            body = io.BytesIO()
            await reader.copy_from_table(table, output=body, format="binary")
            bodies.append(body)
        began = time.perf_counter()
        async with writer.transaction():
            for table, body in zip(tables, bodies, strict=True):
                body.seek(0)
                await writer.copy_to_table(table, source=body, format="binary")
        return time.perf_counter() - began
    finally:
        await reader.close()
        await writer.close()


async def bytes_per_killmail(url: str) -> dict[str, float]:
    """Return the bytes on disk, indexes included, of each table divided by the number of killmails."""
    connection = await asyncpg.connect(url)
    try:
        mails = await connection.fetchval("select count(*) from killmail")
        return {table: await connection.fetchval(f"select pg_total_relation_size('{table}')") / mails for table in ALL}
    finally:
        await connection.close()


async def measure(files: Sequence[Path], rounds: int, jobs: int) -> dict[str, object]:
    """Run everything `rounds` times, interleaved, and return the best of each with the ratios."""
    arrivals = decode_files(files)
    timings: dict[str, list[float]] = {"command": [], "writer": [], "copy_facts": [], "copy_all": []}
    async with bench_server() as server:
        for _ in range(rounds):
            async with bench_database(server) as by_command, bench_database(server) as by_writer:
                seconds, summary = await asyncio.to_thread(time_command, by_command, files, jobs)
                timings["command"].append(seconds)
                timings["writer"].append(await time_writer(by_writer, arrivals))
                for name, tables in (("copy_facts", FACTS), ("copy_all", ALL)):
                    async with bench_database(server) as target:
                        timings[name].append(await time_copy(by_writer, target, tables))
                sizes = await bytes_per_killmail(by_writer)
    best = {name: min(values) for name, values in timings.items()}
    return {
        "killmails": len(arrivals),
        "seconds": {name: [round(value, 2) for value in values] for name, values in timings.items()},
        "command_summary": summary,
        "writer_per_second": round(len(arrivals) / best["writer"]),
        "ratio_writer_to_copy_of_facts": round(best["copy_facts"] / best["writer"], 3),
        "ratio_writer_to_copy_of_all_rows": round(best["copy_all"] / best["writer"], 3),
        "ratio_command_to_copy_of_all_rows": round(best["copy_all"] / best["command"], 3),
        "bytes_per_killmail": {table: round(size) for table, size in sizes.items()},
        "bytes_per_killmail_total": round(sum(sizes.values())),
    }


def main() -> None:
    """Measure the files named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="archives of killmails")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.files, options.rounds, options.jobs)), indent=1))


if __name__ == "__main__":
    main()
