"""Overrides of the fleet table: `fleet.toml` in the home folder, a table a process.

Checked as a whole before anything of it is used; each mistake is a sentence with its line and what would be right.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from killreport.errors import BadSetting, Unavailable
from killreport.files import write_whole
from killreport.fleet.override_keys import KEYS, variable_problem
from killreport.fleet.table import FLEET, ProcessRow, what_was_meant

FILE_NAME = "fleet.toml"
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Overrides:
    """A file, checked. changes: by process, then by field of its row. problems: sentences; then nothing is usable."""

    path: Path
    text: str
    changes: Mapping[str, Mapping[str, Any]]
    problems: Sequence[str] = ()

    def require(self) -> Overrides:
        """Return itself where it is usable. Raises BadSetting with the first mistake."""
        if not self.problems:
            return self
        more = len(self.problems) - 1
        rest = f" There {'is' if more == 1 else 'are'} {more} more: killreport fleet check." if more else ""
        raise BadSetting(self.problems[0] + rest)


def overridden(rows: Sequence[ProcessRow], overrides: Overrides) -> tuple[ProcessRow, ...]:
    """Return the rows as the overrides want them."""
    return tuple(replace(row, **overrides.changes.get(row.name, {})) for row in rows)


def fleet_rows(home: Path, path: Path | None = None) -> tuple[ProcessRow, ...]:
    """Return the fleet table as `fleet.toml` of this home, or the file at `path`, wants it.

    Raises BadSetting with the first mistake.
    """
    return overridden(FLEET, read_overrides(path or home / FILE_NAME).require())


def read_overrides(path: Path) -> Overrides:
    """Return what the file says; a missing one says nothing, one that cannot be read is a problem."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Overrides(path, "", {})
    except (OSError, UnicodeDecodeError) as error:
        return Overrides(path, "", {}, [f"{path} cannot be read: {error}."])
    return check_overrides(path, text)


def write_overrides(path: Path, text: str) -> None:
    """Have the file hold this text, for its owner alone: an environment may hold secrets.

    One that does so already is not touched: what changes nothing needs no room on the disk. Raises Unavailable.
    """
    content = text.encode()
    try:
        if not path.exists() or path.read_bytes() != content:
            write_whole(path, content)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}.") from error


def check_overrides(path: Path, text: str) -> Overrides:
    """Return what the text says. path: named in the sentences."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line = place[1] if place and place[1] else text.count("\n") + 1
        return Overrides(path, text, {}, [f"{path}, line {line}: not valid TOML: {_PLACE.sub('', str(error))}."])
    found: dict[str, dict[str, Any]] = {}
    problems: list[tuple[int, str]] = []
    for name, table in tables.items():
        row = next((row for row in FLEET if row.name == name), None)
        if row is None:
            problem = f"there is no process called {name}; {what_was_meant(name, [row.name for row in FLEET])}"
            problems.append((_line_of(text, (name,)), problem))
        elif not isinstance(table, dict):
            problem = f"{name} must be a table: [{name}], with its overrides below it."
            problems.append((_line_of(text, (name,)), problem))
        else:
            found[name], mistakes = _check_table(row, table)
            problems += [(_line_of(text, (name, *where)), problem) for where, problem in mistakes]
    sentences = [f"{path}, line {line}: {problem}" for line, problem in sorted(problems)]
    return Overrides(path, text, {} if sentences else found, sentences)


def _check_table(row: ProcessRow, table: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[tuple[str, ...], str]]]:
    """Return the row's changes, and the mistakes with the keys that lead to them."""
    changes: dict[str, Any] = {}
    problems: list[tuple[tuple[str, ...], str]] = []
    for name, value in table.items():
        key = KEYS.get(name)
        if key is None:
            problems.append(((name,), f"{row.name} has no {name}; {what_was_meant(name, list(KEYS))}"))
            continue
        refusal = key.refuse(row)
        if refusal is not None:
            problems.append(((name,), f"{row.name} can have no {name}: {refusal}"))
            continue
        try:
            changes[key.field] = key.parse(value)
        except ValueError as error:
            problems.append(((name,), f"{name} of {row.name} {error}"))
            continue
        if name == "environment":
            for variable, text in changes[key.field].items():
                problem = variable_problem(variable, text)
                if problem is not None:
                    problems.append(((name, variable), f"{variable} of {row.name} {problem}"))
    return changes, problems


def _line_of(text: str, keys: Sequence[str]) -> int:
    """Return the line at which the value that the keys lead to is complete.

    tomllib tells no lines: the beginning of the file that is TOML and has the value is looked for.
    """
    lines = text.splitlines()
    for number in range(1, len(lines) + 1):
        try:
            value: Any = tomllib.loads("\n".join(lines[:number]) + "\n")
        except tomllib.TOMLDecodeError:
            continue  # inside of a value of several lines
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return number
    return max(1, len(lines))
