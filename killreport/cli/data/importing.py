"""`killreport import PATH…`: killmails from files, archives and standard input into the database."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from killreport.cli.context import load, open_ready_database
from killreport.cli.output.plain import print_answer
from killreport.cli.output.progress import progress_bar
from killreport.errors import KillreportError
from killreport.terminal import printable

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.ingest.importing import ImportTally

STDIN = Path("-")


def import_paths(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, or - for standard input.", metavar="PATH…")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, max=64, help="Files to read at once; default: one per processor."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue where an interrupted import of the same content stopped.")
    ] = False,
) -> None:
    """Store all killmails of the files; those that cannot be stored go to quarantine, with line and reason.

    Reads single killmails, lists, JSON lines, zKillboard history/raw days and EVE Ref day archives, plain or
    compressed (.gz, .bz2, .zst). The kill dump of CCP's Monthly Economic Report only lists killmails: they are fetched
    from ESI, two per second. Importing the same file twice stores nothing twice.

    Examples: killreport import killmails-2021-12-02.tar.bz2; killreport import --json --jobs 4 archive/;
    zstdcat day.jsonl.zst | killreport import -
    """
    settings = load(process="import")
    began = time.monotonic()
    tally = asyncio.run(_import(settings, paths, jobs or os.cpu_count() or 1, resume=resume))
    seconds = time.monotonic() - began
    _report(tally, seconds, as_json=as_json)
    if tally.failures:
        raise typer.Exit(1)


async def _import(settings: Settings, paths: list[Path], jobs: int, *, resume: bool) -> ImportTally:
    from killreport.cli.data.import_jobs import run_jobs
    from killreport.ingest.importing import ImportTally
    from killreport.killmail.mail.archive import list_files

    files = list_files([path for path in paths if path != STDIN])
    total = ImportTally()
    size = sum(path.stat().st_size for path in files)
    async with open_ready_database(settings, process="import"):
        with _progress() as progress:
            task = progress.add_task("importing", total=size or None, read=0, stored=0)

            def advance(part: ImportTally, new_bytes: int) -> None:
                total.add(part)
                _show(progress, task, total, new_bytes)

            if files:
                # The largest first, so that no processor waits at the end for one long file.
                files.sort(key=lambda path: path.stat().st_size, reverse=True)
                await run_jobs(settings, files, min(jobs, len(files)), resume=resume, on_progress=advance)
            if STDIN in paths:
                await _import_stdin(settings, advance)
    return total


async def _import_stdin(settings: Settings, advance: Callable[[ImportTally, int], None]) -> None:
    from killreport.cli.data.import_jobs import open_importer
    from killreport.ingest.importing import import_stream

    if sys.stdin.isatty():
        raise KillreportError("Standard input is a terminal: pipe killmails into `killreport import -`.")
    async with open_importer(settings) as (database, writer, esi):
        await import_stream(
            database,
            writer,
            sys.stdin.buffer,
            name="stdin",
            on_progress=lambda part, _position: advance(part, 0),
            bodies=esi,
        )


def _progress() -> Progress:
    return progress_bar(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[read]:,} read, {task.fields[stored]:,} stored"),
        TimeRemainingColumn(),
    )


def _show(progress: Progress, task: TaskID, total: ImportTally, new_bytes: int) -> None:
    progress.update(task, advance=new_bytes, read=total.read, stored=total.stored)


def _report(tally: ImportTally, seconds: float, *, as_json: bool) -> None:
    for failure in tally.failures:
        print(f"killreport: {printable(failure)}", file=sys.stderr)
    rate = tally.read / seconds if seconds else 0.0
    summary = {
        "read": tally.read,
        "stored": tally.stored,
        "duplicate": tally.duplicate,
        "quarantined": tally.quarantined,
        "seconds": round(seconds, 3),
        "per_second": round(rate, 1),
    }
    told = (
        f"{tally.read:,} read: {tally.stored:,} stored, {tally.duplicate:,} there already, "
        f"{tally.quarantined:,} quarantined, in {seconds:.1f} s ({rate:,.0f}/s)."
    )
    if tally.asked:
        summary["asked"] = tally.asked
        told += f"\n{tally.asked:,} of them were asked for from ESI."
    if tally.quarantined:
        told += "\n`killreport quarantine list` shows what could not be stored, and why."
    print_answer(summary, told, as_json=as_json)
