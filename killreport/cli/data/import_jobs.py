"""The processes of one import: each takes whole files from a common list and stores them with a writer of its own."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import queue
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TYPE_CHECKING

from killreport.cli.collector import calm_collector
from killreport.db.connection import BATCH_SECONDS
from killreport.db.database import DATABASE_ERRORS, open_database
from killreport.errors import KillreportError
from killreport.esi.client import EsiClient, open_esi
from killreport.eve.keeping import keep_universe
from killreport.ingest.importing import ImportTally, import_file
from killreport.ingest.reading import make_writer
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.db.database import Database

CLOSING_SECONDS = 10  # for a process that has nothing left to do

OnProgress = Callable[[ImportTally, int], None]
"""Called with the figures of a batch and how many bytes further it is."""


@asynccontextmanager
async def open_writer(settings: Settings) -> AsyncIterator[tuple[Database, KillmailWriter]]:
    """Lend a database and a writer with the universe and prices of this moment."""
    async with open_database(settings, process="import", seconds=BATCH_SECONDS) as database:
        async with database.connection() as connection:
            static = await keep_universe(connection)
            prices = await load_price_book(connection, static.universe)
        # A batch makes a hundred thousand rows, and none of them is in a circle.
        calm_collector(young=500_000, old=100)
        yield database, make_writer(static, prices, settings)


@asynccontextmanager
async def open_importer(settings: Settings) -> AsyncIterator[tuple[Database, KillmailWriter, EsiClient]]:
    """Lend the same with a client of ESI, for files that only tell of killmails; nothing is asked where none does."""
    async with open_writer(settings) as (database, writer), open_esi(settings, database) as esi:
        yield database, writer, esi


async def run_jobs(settings: Settings, files: list[Path], jobs: int, *, resume: bool, on_progress: OnProgress) -> None:
    """Import the files with so many processes; with one, in this process.

    A process that dies takes no other with it: the files it left are reported as failures.
    """
    if jobs == 1:
        async with open_importer(settings) as (database, writer, esi):
            for path in files:
                await _import_one(database, writer, esi, path, resume=resume, on_progress=on_progress)
        return
    context = multiprocessing.get_context("spawn")
    waiting: Queue[Path] = context.Queue()
    done: Queue[tuple[ImportTally, int, Path | None]] = context.Queue()
    for path in files:
        waiting.put(path)
    processes = [
        context.Process(target=_work, args=(settings, waiting, done, resume), daemon=True) for _ in range(jobs)
    ]
    for process in processes:
        process.start()
    try:
        await asyncio.to_thread(_collect, processes, done, set(files), on_progress)
        for process in processes:
            process.join(CLOSING_SECONDS)
    finally:
        for process in processes:
            process.terminate()


def _collect(
    processes: list[SpawnProcess],
    done: Queue[tuple[ImportTally, int, Path | None]],
    open_files: set[Path],
    on_progress: OnProgress,
) -> None:
    while open_files:
        try:
            part, new_bytes, finished = done.get(timeout=0.5)
        except queue.Empty:
            if any(process.is_alive() for process in processes):
                continue
            missing = [f"{path} was not imported: the importing process died" for path in sorted(open_files)]
            on_progress(ImportTally(failures=missing), 0)
            return
        on_progress(part, new_bytes)
        open_files.discard(finished or Path())


def _work(
    settings: Settings, waiting: Queue[Path], done: Queue[tuple[ImportTally, int, Path | None]], resume: bool
) -> None:
    """Run in a process of its own until no file is left."""

    async def work() -> None:
        async with open_importer(settings) as (database, writer, esi):
            while True:
                try:
                    path = waiting.get(timeout=0.2)
                except queue.Empty:
                    return

                def report(part: ImportTally, new_bytes: int) -> None:
                    done.put((part, new_bytes, None))

                await _import_one(database, writer, esi, path, resume=resume, on_progress=report)
                done.put((ImportTally(), 0, path))

    # The parent gets Ctrl-C too, and is the one that speaks of it.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(work())


async def _import_one(
    database: Database, writer: KillmailWriter, esi: EsiClient, path: Path, *, resume: bool, on_progress: OnProgress
) -> None:
    """Import a file; whatever ends it early is reported as a failure of this file, and the next one goes on."""
    reported = 0

    def batch_done(part: ImportTally, position: int) -> None:
        nonlocal reported
        on_progress(part, position - reported)
        reported = position

    try:
        await import_file(database, writer, path, resume=resume, on_progress=batch_done, bodies=esi)
    except (KillreportError, *DATABASE_ERRORS) as error:
        on_progress(ImportTally(failures=[f"{path.name} was not finished: {error}"]), 0)
