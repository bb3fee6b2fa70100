"""`killreport logs` and `flush`: what the processes write, of several in the order of time."""

from __future__ import annotations

import heapq
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from killreport.cli.context import fleet_folder
from killreport.cli.fleet.names import Names, Only
from killreport.cli.fleet.supervisor import chosen_names
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer
from killreport.clock import log_stamp, utc_now
from killreport.errors import Refused
from killreport.ids import read_whole
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.logs.log_reader import LinePosition, LogReader
from killreport.terminal import printable

# Cyan, magenta, green, yellow, blue and red, as terminals number them.
_COLOURS = ("36", "35", "32", "33", "34", "31")
_POLL_SECONDS = 0.2
# Of a line of the product's own log, what is said by other means.
_KNOWN_FIELDS = frozenset(("event", "level", "timestamp", "process", "exception"))
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True, order=True)
class LogLine:
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
        self._reader = LogReader(folder.log(process, stream))

    def backwards(self) -> Iterator[tuple[LogLine, LinePosition]]:
        """Return the lines of all kept files, the newest first."""
        for line, place in self._reader.backwards():
            yield self._parsed(line), place

    def forwards(self, place: LinePosition | None) -> Iterator[LogLine]:
        """Return the lines from a place on, None: of none; `new_lines` goes on after them."""
        return map(self._parsed, self._reader.forwards(place or self._reader.end))

    def since(self, earliest: str) -> Iterator[LogLine]:
        """Return the lines that are not older than this instant; `new_lines` goes on after them."""
        lines = self.forwards(self._reader.place_of(earliest.encode()))
        return (line for line in lines if line.at >= earliest)

    def new_lines(self) -> Iterator[LogLine]:
        """Return what was written since."""
        return map(self._parsed, self._reader.news())

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    def _parsed(self, line: bytes) -> LogLine:
        at, _space, text = line.decode(errors="replace").removesuffix("\n").partition(" ")
        return LogLine(at, self._process, self._stream, text)


def last_lines(tails: Sequence[LogTail], count: int, *, only_trouble: bool = False) -> Iterator[LogLine]:
    """Return the last lines of all these logs together, the oldest first; each log goes on after them.

    Looked for backwards from the ends, and then read forwards, so that nothing is held whatever the number.
    """
    places: dict[int, LinePosition] = {}
    newest = heapq.merge(*(_numbered(number, tail) for number, tail in enumerate(tails)), key=_time_of, reverse=True)
    for line, place, number in newest if count else ():
        if line.is_trouble or not only_trouble:
            places[number] = place
            count -= 1
        if not count:
            break
    return heapq.merge(*(tail.forwards(places.get(number)) for number, tail in enumerate(tails)))


def _numbered(number: int, tail: LogTail) -> Iterator[tuple[LogLine, LinePosition, int]]:
    return ((line, place, number) for line, place in tail.backwards())


def _time_of(found: tuple[LogLine, LinePosition, int]) -> str:
    return found[0].at


def logs(  # noqa: PLR0917 - the command line's own: all but the names are options
    names: Names = None,
    only: Only = None,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines", "-n", min=0, max=10_000_000, help="How many of the last lines to show first; 20 if omitted."
        ),
    ] = None,
    err: Annotated[bool, typer.Option("--err", help="Only warnings, errors and tracebacks.")] = False,
    out: Annotated[
        bool, typer.Option("--out", help="Only standard output: what went well, and the reports of jobs.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(help="Only lines since then: 90s, 10m, 2h, 1d, or a time such as 2026-11-24T12:00.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", "-f", " /--nostream", help="Keep printing new lines.")
    ] = True,
    raw: Annotated[bool, typer.Option("--raw", help="Print the lines only, without name and time.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")] = False,
) -> None:
    """Show the end of the logs, and follow them. Example: killreport logs worker-redisq --lines 100 --nostream"""
    folder = fleet_folder()
    streams = [stream for stream, other in (("out", err), ("error", out)) if not other or err == out]
    only_trouble = err and not out
    show = LinePrinter(as_json=as_json, raw=raw)
    with ExitStack() as stack:
        tails = [LogTail(folder, name, stream) for name in chosen_names(names, only) for stream in streams]
        for tail in tails:
            stack.callback(tail.close)
        if since is not None and lines is None:
            earliest = _instant(since, utc_now())
            found: Iterator[LogLine] = heapq.merge(*(tail.since(earliest) for tail in tails))
        else:
            earliest = _instant(since, utc_now()) if since else ""
            found = last_lines(tails, 20 if lines is None else lines, only_trouble=only_trouble)
        show(line for line in found if line.at >= earliest and (line.is_trouble or not only_trouble))
        while follow:
            time.sleep(_POLL_SECONDS)
            news = heapq.merge(*(tail.new_lines() for tail in tails))
            show(line for line in news if line.is_trouble or not only_trouble)


def flush(
    names: Names = None,
    only: Only = None,
    as_json: AsJson = False,
) -> None:
    """Empty the logs and delete rotated ones. Example: killreport flush worker-redisq"""
    folder = fleet_folder()
    chosen = chosen_names(names, only)
    for path in (path for name in chosen for stream in ("out", "error") for path in _files(folder.log(name, stream))):
        if path.suffix == ".log":
            os.truncate(path, 0)
        else:
            path.unlink()
    print_answer({"flushed": chosen}, f"Logs of {len(chosen)} processes emptied.", as_json=as_json)


def last_error(folder: FleetFolder, process: str, earliest: datetime) -> str:
    """Return in words what a process wrote last since then where troubles go; "" for nothing."""
    for line, _place in LogTail(folder, process, "error").backwards():
        if line.at < f"{earliest:%Y-%m-%dT%H:%M:%S}":
            break
        if line.text.strip():
            return printable(in_words(line.text))
    return ""


def in_words(text: str) -> str:
    """Return a line of the product's own log as a person reads it; any other line as it is."""
    try:
        fields = json.loads(text)
        event, level = fields["event"], fields["level"]
    except (ValueError, TypeError, KeyError):
        return text.removeprefix("killreport: ")
    rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in _KNOWN_FIELDS)
    return f"{level}: {event} {rest}".rstrip()


def reload_logs() -> None:
    """Say that there is nothing to do: a log that was moved away is begun anew. Example: killreport reloadLogs"""
    print("Nothing to do: a log that was moved away or deleted is begun anew by itself.")


class LinePrinter:
    """Writes lines with a coloured name before each, or alone, or as JSON."""

    def __init__(self, *, as_json: bool, raw: bool) -> None:
        self._as_json = as_json
        self._raw = raw
        self._is_coloured = Console().color_system is not None
        self._colours: dict[str, str] = {}

    def __call__(self, lines: Iterable[LogLine]) -> None:
        """Write lines as they come; all are out at the end."""
        for line in lines:
            sys.stdout.write(self._shown(line) + "\n")
        sys.stdout.flush()

    def _shown(self, line: LogLine) -> str:
        if self._as_json:
            return json.dumps({"at": line.at, "process": line.process, "stream": line.stream, "line": line.text})
        text = printable(line.text)
        if self._raw:
            return text
        if not self._is_coloured:
            return f"{line.process:28} {line.at} {text}"
        colour = self._colours.setdefault(line.process, _COLOURS[len(self._colours) % len(_COLOURS)])
        return f"\x1b[{colour}m{line.process:28}\x1b[0m \x1b[2m{line.at}\x1b[0m {text}"


def _files(path: Path) -> Iterator[Path]:
    yield from sorted(path.parent.glob(f"{path.name}*"))


def _instant(text: str, now: datetime) -> str:
    """Return the instant as logs have it. Raises Refused for what is neither a span nor a time."""
    count = read_whole(text[:-1])
    try:
        if text[-1:] in _UNITS and count is not None:
            instant = now - timedelta(seconds=count * _UNITS[text[-1]])
        else:
            instant = datetime.fromisoformat(text)
            instant = instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except ValueError:
        raise Refused(
            f"--since {text[:40]} is neither a span such as 10m nor a time such as 2026-11-24T12:00."
        ) from None
    except OverflowError:
        raise Refused(f"--since {text[:40]} lies outside the calendar.") from None
    return log_stamp(instant)
