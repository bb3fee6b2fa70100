"""`killreport export killmails | attackers | items`: what is stored, as a file for analysts."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from killreport.cli.context import load, open_ready_database
from killreport.cli.output.options import AsJson
from killreport.cli.output.progress import progress_bar
from killreport.cli.signals import ended_by_signals
from killreport.environment import passed_on_environment
from killreport.errors import Conflict, Malformed, Permanent, Refused, in_words

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.db.view_export import View, Write

STDOUT = Path("-")
# What DuckDB's process needs of our environment.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "TMPDIR", "LD_LIBRARY_PATH")
_MAX_REASON = 500


class FileForm(StrEnum):
    """What the file is."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


Format = Annotated[
    FileForm, typer.Option("--format", help="Format of the file; parquet needs the extra killreport[parquet].")
]
First = Annotated[str | None, typer.Option("--from", help="The first UTC day.", metavar="YYYY-MM-DD")]
Last = Annotated[str | None, typer.Option("--to", help="The last UTC day (inclusive).", metavar="YYYY-MM-DD")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write, or - for standard output.", metavar="FILE")]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export. first and last: UTC days, both included; None: all there is. path: STDOUT is standard output."""

    form: FileForm
    first: date | None
    last: date | None
    path: Path


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an export."""

    days: int
    rows: int
    bytes: int
    seconds: float


VIEWS = {
    "killmails": """Export one row per killmail, with names.

    Example: killreport export killmails --format csv --from 2021-11-27

    The columns are those of the view analysis.killmails, and stable. The file is written as a whole or not at all.
    """,
    "attackers": "Export one row per attacker. Example: killreport export attackers --from 2021-11-27 --to 2021-11-30",
    "items": "Export one row per item of a killmail. Example: killreport export items --format jsonl --out -",
}


def command_of(view: str) -> Callable[..., None]:
    """Return the command that exports a view of VIEWS."""

    def export_rows(
        form: Format = FileForm.PARQUET,
        *,
        first: First = None,
        last: Last = None,
        out: Out = None,
        as_json: AsJson = False,
    ) -> None:
        _run(view, form, first, last, out, as_json=as_json)

    return export_rows


def _wanted(view: str, form: FileForm, first: str | None, last: str | None, out: Path | None) -> ExportRequest:
    begin, end = _day(first, "--from"), _day(last, "--to")
    if begin is not None and end is not None and begin > end:
        raise Refused(f"--from {begin} is after --to {end}.")
    name = "-".join([view, *(f"{day}" for day in (begin, end) if day is not None)])
    wanted = ExportRequest(form, begin, end, out or Path(f"{name}.{form}"))
    _check(wanted.path, form)
    return wanted


def _run(view: str, form: FileForm, first: str | None, last: str | None, out: Path | None, *, as_json: bool) -> None:
    wanted = _wanted(view, form, first, last, out)
    written = asyncio.run(_until_told(load(process="export"), view, wanted))
    is_file = wanted.path != STDOUT
    if as_json:
        told = {
            "view": view,
            "format": wanted.form.value,
            "path": str(wanted.path) if is_file else None,
            "days": written.days,
            "rows": written.rows,
            "bytes": written.bytes,
            "seconds": round(written.seconds, 1),
        }
        print(json.dumps(told), file=sys.stdout if is_file else sys.stderr)
        return
    each = f", {written.bytes / written.rows:.0f} bytes each" if written.rows else ""
    said = f"{written.rows:,} {view} of {written.days:,} days, {written.bytes / 1e6:.1f} MB{each}"
    print(f"{wanted.path if is_file else 'standard output'}: {said}", file=sys.stdout if is_file else sys.stderr)


async def _until_told(settings: Settings, view: str, wanted: ExportRequest) -> Written:
    with ended_by_signals():
        return await export_view(settings, view, wanted)


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Malformed("a day such as 2021-11-27 is needed", option) from None


def _check(path: Path, form: FileForm) -> None:
    if form is FileForm.PARQUET:
        if path == STDOUT:
            raise Refused("Parquet cannot be written to standard output: its index is at the end. Give --out FILE.")
        if importlib.util.find_spec("duckdb") is None:
            raise Refused(
                "Parquet is written by DuckDB, which is not installed: pip install 'killreport[parquet]' into "
                f"{sys.prefix}, or choose --format csv or jsonl."
            )
    if path != STDOUT and path.exists():
        raise Conflict(f"{path} exists; nothing was written.")


async def export_view(settings: Settings, name: str, wanted: ExportRequest) -> Written:
    """Write the rows of a view into the file, which is not there before it is whole.

    Raises Permanent where DuckDB cannot write it, Refused where the disk or the folder cannot take it.
    """
    from killreport.db.view_export import Form, list_days, read_view, write_days

    began, rows = time.monotonic(), 0
    async with open_ready_database(settings, process="export") as database, database.apart() as connection:
        view = await read_view(connection, name)
        days = await list_days(connection, wanted.first, wanted.last)
        form = Form.RAW if wanted.form is FileForm.PARQUET else Form(wanted.form.value)
        with progress_bar(
            TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeRemainingColumn()
        ) as progress:
            task = progress.add_task(name, total=len(days))
            async with _destination(wanted.path, wanted.form, view) as file:
                async for of_day in write_days(connection, view, days, form, file.write):
                    rows += of_day
                    progress.advance(task)
                file.expected_rows = rows
    return Written(len(days), rows, file.bytes, time.monotonic() - began)


class Destination:
    """Where rows go. expected_rows: how many it was given, set before the file is called whole."""

    def __init__(self, put: Write) -> None:
        self._put = put
        self.bytes = self.expected_rows = 0

    async def write(self, data: bytes) -> None:
        """Take a piece."""
        self.bytes += len(data)
        await self._put(data)


@asynccontextmanager
async def _destination(path: Path, form: FileForm, view: View) -> AsyncIterator[Destination]:
    """Lend what writes; the file has its name once the block is done."""
    if path == STDOUT:
        yield Destination(lambda data: asyncio.to_thread(_put, sys.stdout.buffer, data))
        await asyncio.to_thread(sys.stdout.buffer.flush)
        return
    # Beside it, so that the renaming is one step; hidden, since it is not whole.
    fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if form is FileForm.PARQUET:
            async with _parquet(fresh, view) as destination:
                yield destination
        else:
            with fresh.open("wb") as file:
                yield Destination(lambda data: asyncio.to_thread(_put, file, data))
        await asyncio.to_thread(_name, fresh, path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {in_words(error)}.") from None
    finally:
        fresh.unlink(missing_ok=True)


def _put(file: BinaryIO | RawIOBase, data: bytes) -> None:
    """Write all of it, which a pipe takes in pieces."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _name(fresh: Path, path: Path) -> None:
    """Give the file its name, once it is on the disk."""
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(path)


@asynccontextmanager
async def _parquet(path: Path, view: View) -> AsyncIterator[Destination]:
    """Lend what fills DuckDB's process. Raises Permanent with its last words where it fails."""
    described = json.dumps([[column.name, column.type] for column in view.columns])
    # A pipe of our own: asyncio's is a pair of sockets, which nobody can open by its name.
    source, drain = os.pipe()
    with os.fdopen(drain, "wb", buffering=0) as pipe:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "killreport.db.parquet", str(path), described),
                env=passed_on_environment(*_PASSED_ON),
                stdin=source,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        finally:
            # The other process has it alone, so that writing to it ends with it.
            os.close(source)
        try:
            destination = Destination(lambda data: _fill(process, pipe, data))
            yield destination
            pipe.close()
            output, errors = await process.communicate()
            if process.returncode != 0:
                raise _words(errors)
            if int(output) != destination.expected_rows:
                raise Permanent(f"DuckDB wrote {int(output)} rows of {destination.expected_rows}.")
            destination.bytes = path.stat().st_size  # noqa: ASYNC240 - of a file just written
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _fill(process: asyncio.subprocess.Process, pipe: RawIOBase, data: bytes) -> None:
    try:
        await asyncio.to_thread(_put, pipe, data)
    except BrokenPipeError:
        raise await _failure(process) from None


async def _failure(process: asyncio.subprocess.Process) -> Permanent:
    assert process.stderr is not None
    return _words(await process.stderr.read())


def _words(errors: bytes) -> Permanent:
    last = (errors.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    return Permanent(f"DuckDB could not write the file: {last[:_MAX_REASON]}")
