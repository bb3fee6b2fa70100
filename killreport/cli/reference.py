"""The generated files of docs/reference: every command, setting, process and address, from the code that has them.

`make docs` writes them; a test fails while one is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from killreport.api.door.guard.page import costs_page
from killreport.api.reference import graphql_page
from killreport.api.rest.openapi import openapi_text
from killreport.api.rest.table import endpoints
from killreport.api.schema import build_schema
from killreport.cli.config import shown_value
from killreport.cli.main import COMMANDS, app, load_command
from killreport.config import FILE_NAME, PREFIX, Settings
from killreport.fleet.override_keys import KEYS, OverrideKey
from killreport.fleet.table import FLEET, ProcessRow

WIDTH = 100
_ORIGIN = "<!-- Written by `make docs`; edits here are lost. -->"


def reference_pages() -> dict[str, str]:
    """Return the text of every generated file, by name."""
    return {
        "cli.md": cli_page(),
        "settings.md": settings_page(),
        "processes.md": processes_page(),
        "openapi.json": openapi_text(endpoints()),
        "graphql.md": graphql_page(_ORIGIN),
        "api-costs.md": costs_page(build_schema(), _ORIGIN),
    }


def cli_page() -> str:
    """Return the help of every command and subcommand."""
    parts = [_ORIGIN, "# The command line", "What `killreport --help` and its commands say.", *_helps()]
    return "\n\n".join(parts) + "\n"


def _helps() -> Iterator[str]:
    yield from _help_of(typer.main.get_command(app), "killreport")
    for row in COMMANDS:
        if row.is_hidden:
            continue
        yield from _helps_below(load_command(row), f"killreport {row.name}")


def _helps_below(command: Any, path: str) -> Iterator[str]:
    yield from _help_of(command, path)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps_below(inner, f"{path} {name}")


def _help_of(command: Any, path: str) -> Iterator[str]:
    context = typer.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
    context.help_option_names = ["-h", "--help"]
    yield f"## {path}"
    yield f"```text\n{command.get_help(context).rstrip()}\n```"


def settings_page() -> str:
    """Return every setting with its default and what it is for."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(name)} | {Settings.model_fields[name].description} |"
        for name in Settings.model_fields
    ]
    return "\n".join(
        [
            _ORIGIN,
            "",
            "# Settings",
            "",
            "From the environment, else from one TOML file (`name = value`, the name in lower case and without",
            f"`{PREFIX}`), else the default. The file is the one `{PREFIX}CONFIG` names, else `{FILE_NAME}` in the",
            "home folder.",
            "An unknown name or a value that cannot be used stops the start with a sentence.",
            "`killreport config show` prints what is in force and where it came from.",
            "",
            "| setting | default | what it is for |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _default(name: str) -> str:
    if name == "home":  # differs from user to user
        return "`/var/lib/killreport` for root, else `killreport` in the user's data folder"
    value = shown_value(Settings.model_fields[name].default)
    return "unset" if value in (None, "") else f"`{value}`"


def processes_page() -> str:
    """Return every process of the fleet, and what an operator may override."""
    rows = [
        f"| `{row.name}` | {row.kind} | {_source(row)} | {row.memory_limit_mb} MB | {row.description} |"
        for row in FLEET
    ]
    keys = [f"| `{name}` | {_owners(key)} | {key.description} |" for name, key in KEYS.items()]
    return "\n".join(
        [
            _ORIGIN,
            "",
            "# Processes",
            "",
            "`killreport run NAME` runs one in the foreground. SIGTERM or Ctrl-C lets it finish what it has in hand, a",
            "second one ends it at once. A process manager hears READY by sd_notify when it does its work.",
            "",
            "| process | kind | queue (prefetch), or schedule in UTC | memory limit | what it does |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "## What `fleet.toml` may override",
            "",
            "A table a process, as `[worker-characters]`, in the home folder; `killreport fleet edit` opens it.",
            "",
            "| key | of | what it is |",
            "| --- | --- | --- |",
            *keys,
            "",
        ]
    )


def _source(row: ProcessRow) -> str:
    if row.schedule is not None:
        return f"`{row.schedule}`"
    return f"`{row.queue}` ({row.prefetch})" if row.queue is not None else ""


def _owners(key: OverrideKey) -> str:
    """Return for which processes a key is, in as few words as it takes."""
    refused = [row for row in FLEET if key.refuse(row) is not None]
    if not refused:
        return "all"
    kinds = [
        kind for kind in ("service", "worker", "job") if any(row.kind == kind for row in FLEET if row not in refused)
    ]
    partly = any(row.kind in kinds for row in refused)
    return f"{' and '.join(f'{kind}s' for kind in kinds)}{', not all' if partly else ''}"


def write_reference(folder: Path) -> None:
    """Write every generated page into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
