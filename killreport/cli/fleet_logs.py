"""`killreport logs` and `flush`: what the processes write, of several in the order of time."""

from __future__ import annotations

import heapq
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from killreport.cli.context import load
from killreport.cli.names import AsJson, Names, Only
from killreport.cli.supervisor import chosen_names
from killreport.clock import utc_now
from killreport.errors import Refused
from killreport.supervisor.folder import FleetFolder

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
_POLL_SECONDS = 0.2
# How much of the end of a log is read for its last lines: a hundred lines of a hundred bytes, many times over.
_TAIL_BYTES = 4_000_000
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line of a log. at: as written, which sorts as time does."""

    at: str
    process: str
    stream: str
    text: str

    @property
    def is_trouble(self) -> bool:
        """Tell whether it is a warning or worse, or no line of the product's own log, as of a traceback."""
        if self.stream != "error":
            return False
        try:
            level = json.loads(self.text).get("level")
        except (ValueError, AttributeError):
            return True
        return level not in ("debug", "info")


class LogTail:
    """One log that is read on as it grows, over rotations and truncations."""

    def __init__(self, folder: FleetFolder, process: str, stream: str) -> None:
        self._process = process
        self._stream = stream
        self._path = folder.log(process, stream)
        self._inode = 0
        self._offset = 0

    def last_lines(self) -> list[Line]:
        """Return the end of the log; `new_lines` goes on after it."""
        try:
            with self._path.open("rb") as file:
                self._inode = os.fstat(file.fileno()).st_ino
                size = file.seek(0, os.SEEK_END)
                start = max(0, size - _TAIL_BYTES)
                file.seek(start)
                content = file.read()
        except FileNotFoundError:
            return []
        self._offset = start + content.rfind(b"\n") + 1
        if start:
            content = content.partition(b"\n")[2]
        return self._parse(content[: content.rfind(b"\n") + 1])

    def new_lines(self) -> list[Line]:
        """Return what was written since."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._offset:
                    self._inode, self._offset = status.st_ino, 0
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return self._parse(whole)

    def _parse(self, content: bytes) -> list[Line]:
        pairs = [line.partition(" ") for line in content.decode(errors="replace").splitlines()]
        return [Line(at, self._process, self._stream, text) for at, _space, text in pairs]


def logs(  # noqa: PLR0917 - the command line's own: all but the names are options
    names: Names = None,
    only: Only = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines first.")] = 20,
    err: Annotated[bool, typer.Option("--err", help="Only warnings, errors and tracebacks.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Only lines since then: 90s, 10m, 2h, 1d, or a time as 2026-11-24T12:00.")
    ] = None,
    follow: Annotated[bool, typer.Option(help="Go on with what is written from now on.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Show the last lines and follow. Example: killreport logs worker-redisq --lines 100 --no-follow"""
    folder = FleetFolder.at(load().home)
    tails = [LogTail(folder, name, stream) for name in chosen_names(names, only) for stream in ("out", "error")]
    earliest = _instant(since, utc_now()) if since else ""
    show = _Printer(as_json=as_json)
    # All logs are read before the first line is shown: what is written meanwhile comes after.
    found = [line for line in heapq.merge(*(tail.last_lines() for tail in tails)) if line.at >= earliest]
    found = [line for line in found if line.is_trouble] if err else found
    for line in found[len(found) - min(lines, len(found)) :] if not since else found:
        show(line)
    while follow:
        time.sleep(_POLL_SECONDS)
        for line in heapq.merge(*(tail.new_lines() for tail in tails)):
            if line.is_trouble or not err:
                show(line)


def flush(
    names: Names = None,
    only: Only = None,
    as_json: AsJson = False,
) -> None:
    """Empty the logs, and delete those of before. Example: killreport flush worker-redisq"""
    folder = FleetFolder.at(load().home)
    chosen = chosen_names(names, only)
    for path in (path for name in chosen for stream in ("out", "error") for path in _files(folder.log(name, stream))):
        if path.suffix == ".log":
            os.truncate(path, 0)
        else:
            path.unlink()
    print(json.dumps({"flushed": chosen}) if as_json else f"Logs of {len(chosen)} processes emptied.")


def printable(text: str) -> str:
    """Return the text with no control character left: what a process writes is not ours, and a terminal obeys."""
    return "".join(sign if sign.isprintable() or sign == "\t" else "�" for sign in text)


class _Printer:
    """Writes lines with a coloured name before each, or as JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(soft_wrap=True)
        self._colours: dict[str, str] = {}

    def __call__(self, line: Line) -> None:
        if self._as_json:
            fields = {"at": line.at, "process": line.process, "stream": line.stream, "line": line.text}
            print(json.dumps(fields), flush=True)
            return
        colour = self._colours.setdefault(line.process, _COLOURS[len(self._colours) % len(_COLOURS)])
        prefix = Text(f"{line.process:28} ", colour)
        self._console.print(prefix + Text(f"{line.at} ", "dim") + Text(printable(line.text)), highlight=False)
        sys.stdout.flush()


def _files(path: Path) -> Iterator[Path]:
    yield from sorted(path.parent.glob(f"{path.name}*"))


def _instant(text: str, now: datetime) -> str:
    """Return the instant as logs have it. Raises Refused for what is neither a span nor a time."""
    if text[-1:] in _UNITS and text[:-1].isdigit():
        instant = now - timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])
    else:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise Refused(
                f"--since {text} is neither a span such as 10m nor a time such as 2026-11-24T12:00."
            ) from None
        instant = instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"
