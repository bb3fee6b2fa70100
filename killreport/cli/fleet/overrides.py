"""`killreport fleet`: the file of overrides of the fleet table."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from killreport.cli.fleet.names import Names, Only
from killreport.cli.fleet.supervisor import chosen_names
from killreport.cli.output.columns import TableColumn, print_rows
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer
from killreport.config import load_settings
from killreport.environment import editor
from killreport.errors import NotFound, Refused
from killreport.fleet.override_keys import KEYS, MASK
from killreport.fleet.overrides import FILE_NAME, check_overrides, overridden, read_overrides, write_overrides
from killreport.fleet.table import FLEET, ProcessRow
from killreport.home import refuse_anothers_home

app = typer.Typer(
    no_args_is_help=True, help="Override the fleet table on this machine: limits, schedules, environment."
)
_APPLY = "killreport start applies it; killreport reload does too, and has what runs replaced."


@app.command()
def edit() -> None:
    """Open fleet.toml in your editor (VISUAL, EDITOR), check it, and put it in place. Example: killreport fleet edit

    A mistake is shown with its line and the file stays unchanged; in a terminal you may edit again.
    """
    path = _path()
    before = read_overrides(path).text if path.exists() else first_text()
    draft = path.with_name("fleet.draft.toml")
    write_overrides(draft, before)
    try:
        text = _edited(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    if text == before:
        print("Nothing was changed.")
        return
    write_overrides(path, text)
    print(f"Written: {path}; {_APPLY}")


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check fleet.toml and print every mistake; exit status 1 if any. Example: killreport fleet check --json"""
    overrides = read_overrides(_path())
    if as_json:
        print_answer({"path": str(overrides.path), "problems": list(overrides.problems)}, "", as_json=True)
    else:
        for problem in overrides.problems:
            print(problem, file=sys.stderr)
        if not overrides.problems:
            count = len(overrides.changes)
            print(f"{overrides.path}: {count} process{'es' if count != 1 else ''} overridden, no mistakes.")
    if overrides.problems:
        raise typer.Exit(1)


@app.command()
def show(names: Names = None, only: Only = None, as_json: AsJson = False) -> None:
    """Show the fleet with its overrides, which are marked ←. Example: killreport fleet show 'worker-*'"""
    chosen = chosen_names(names, only)
    overrides = read_overrides(_path()).require()
    rows = [row for row in overridden(FLEET, overrides) if row.name in chosen]
    changed = {key: {name for name, of in overrides.changes.items() if KEYS[key].field in of} for key in _HEADINGS}

    def column(key: str, rank: int) -> TableColumn[ProcessRow]:
        def cell(row: ProcessRow) -> Text:
            return _cell(row.name in changed[key], _described(row, ())[key])

        return TableColumn(_HEADINGS[key], cell, rank)

    # In a narrow terminal the last columns go first, and what is overridden here goes last.
    ranks = {
        key: place + (0 if changed[key].intersection(chosen) else len(_HEADINGS))
        for place, key in enumerate(_HEADINGS, start=1)
    }
    columns = [TableColumn[ProcessRow]("process", lambda row: row.name), *(column(*rank) for rank in ranks.items())]
    left_out = print_rows(
        columns, rows, lambda row: _described(row, overrides.changes.get(row.name, ())), as_json=as_json
    )
    if left_out:
        print(f"\nNo room for {', '.join(left_out)}: a wider terminal or --json has them.")


_HEADINGS = {
    "enabled": "enabled",
    "schedule": "schedule",
    "memory_limit_mb": "memory MB",
    "prefetch": "prefetch",
    "instances": "instances",
    "attempts": "attempts",
    "environment": "environment",
    "kill_timeout": "kill s",
    "ready_timeout": "ready s",
    "watchdog": "watchdog",
}


def first_text() -> str:
    """Return what somebody who has no file yet begins with: every key, explained, as a comment."""
    keys = "\n".join(f"# {name:16} {key.description}" for name, key in KEYS.items())
    return f"""\
# Overrides of killreport's fleet table on this machine: one table a process, with only what differs.
# Times are seconds, or "90s", "5m". Names of processes: killreport fleet show. Mistakes: killreport fleet check.
#
{keys}
#
# [worker-characters]
# prefetch = 20
# instances = 2
#
# [worker-characters.environment]
# KILLREPORT_LOG_LEVEL = "debug"
#
# [queue-alliances]
# schedule = "30 3 * * 0"
#
# [worker-user-killmails]
# enabled = false
"""


def _path() -> Path:
    home = load_settings().settings.home.absolute()
    refuse_anothers_home(home)
    home.mkdir(parents=True, exist_ok=True)
    return home / FILE_NAME


def _edited(draft: Path, path: Path) -> str:
    """Return what was made of the draft. Raises Refused for a mistake that stays."""
    command = shlex.split(editor())
    while True:
        try:
            status = subprocess.run([*command, str(draft)], check=False).returncode  # noqa: S603 - the user's own
        except OSError:
            raise NotFound(f"There is no editor {command[0]}; VISUAL or EDITOR names another.") from None
        if status != 0:
            raise Refused(f"{command[0]} ended with status {status}; {path} stays as it was.")
        text = draft.read_text(encoding="utf-8", errors="replace")
        problems = check_overrides(path, text).problems
        if not problems:
            return text
        for problem in problems:
            print(problem, file=sys.stderr)
        if not (sys.stdin.isatty() and typer.confirm("Edit again?", default=True)):
            raise Refused(f"{path} stays as it was.")


def _described(row: ProcessRow, changed: Collection[str]) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "enabled": row.is_enabled,
        "schedule": row.schedule,
        "memory_limit_mb": row.memory_limit_mb,
        "queue": row.queue,
        "prefetch": row.prefetch if row.queue else None,
        "attempts": row.attempts if row.queue else None,
        "instances": row.instances,
        "restarts": row.restarts,
        "restart_delay": row.restart_delay.total_seconds(),
        "kill_timeout": row.kill_timeout.total_seconds(),
        "ready_timeout": row.ready_timeout.total_seconds() if row.kind != "job" else None,
        "watchdog": row.watchdog.total_seconds() if row.kind != "job" else None,
        "environment": dict.fromkeys(row.environment, MASK),
        "overridden": [name for name, key in KEYS.items() if key.field in changed],
    }


def _cell(is_changed: bool, value: object) -> Text:
    match value:
        case None:
            shown = ""
        case bool():
            shown = "yes" if value else "no"
        case float():
            shown = f"{value:g}"
        case dict():
            shown = " ".join(f"{name}={text}" for name, text in value.items())
        case _:
            shown = str(value)
    return Text(f"{shown} ←", "bold yellow") if is_changed else Text(shown)
