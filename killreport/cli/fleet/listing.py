"""Verbs that show what runs: list, show, jlist, runs, ping."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from killreport.cli.context import load_home
from killreport.cli.fleet.names import JobName, Names, Only, SomeNames
from killreport.cli.fleet.supervisor import (
    about_supervisor,
    chosen_names,
    rows_in_force,
    tell_differences,
    wanted_names,
)
from killreport.cli.output.columns import Cell, TableColumn, print_columns
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_table
from killreport.clock import span, utc_now
from killreport.config import load_settings
from killreport.errors import BadSetting, NotFound
from killreport.fleet.disk import disk_warning
from killreport.fleet.override_keys import MASK
from killreport.fleet.table import ProcessRow, find_process
from killreport.supervisor.client import ANSWER_SECONDS, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import Request
from killreport.supervisor.state import ProcessState
from killreport.terminal import printable

STATUS_COLOURS = {
    "running": "green",
    "scheduled": "green",
    "errored": "red",
    "waiting": "red",
    "stopped": "dim",
    "disabled": "dim",
}
# What PM2 calls them; a job that waits for its time is to it a program that has ended.
_PM2_STATUS = {"running": "online", "scheduled": "stopped", "starting": "launching", "waiting": "waiting restart"}


def list_processes(names: Names = None, only: Only = None, as_json: AsJson = False) -> None:
    """List the processes: state, pid, restarts, CPU, memory, next run. Example: killreport list --json | jq .[].name

    status and ls do the same.
    """
    folder = _folder()
    states = _states(folder, chosen_names(names, only))
    if as_json:
        print(json.dumps(msgspec.to_builtins(states)))
        return
    if not states:
        print(_nothing(folder, names, only))
        return
    now = utc_now()
    print_columns(_COLUMNS, [_cells(state, now) for state in states])
    for state in states:
        if state.waits_for:
            print(f"{state.name}: {printable(state.waits_for)}")
    try:
        loaded = load_settings()
    except BadSetting:  # was said
        return
    settings = loaded.settings
    tell_differences(loaded, folder)
    if (warning := disk_warning(settings.home, settings.disk_warning_mb)) is not None:
        print(warning, file=sys.stderr)


_COLUMNS = (
    TableColumn("process"),
    TableColumn("kind", 7),
    TableColumn("status"),
    TableColumn("pid", 4, is_right=True),
    TableColumn("restarts", 6, is_right=True),
    TableColumn("up", 3, is_right=True),
    TableColumn("CPU", 5, is_right=True),
    TableColumn("memory", 2, is_right=True),
    TableColumn("next run", 1, is_right=True),
)


def _cells(state: ProcessState, now: datetime) -> list[Cell]:
    return [
        state.name if state.number == 0 else f"{state.name} {state.number}",
        state.kind,
        Text(state.status, STATUS_COLOURS.get(state.status, "yellow")),
        str(state.pid or ""),
        str(state.restarts) if state.kind != "job" else "",
        span((now - state.started_at).total_seconds()) if state.started_at else "",
        f"{state.cpu_percent:.0f}%" if state.pid else "",
        f"{state.memory_bytes / 1e6:.0f} MB" if state.memory_bytes else "",
        f"in {span((state.next_run_at - now).total_seconds())}" if state.next_run_at else "",
    ]


def _nothing(folder: FleetFolder, names: Sequence[str] | None, only: Sequence[str] | None) -> str:
    wanted = wanted_names(names, only)
    if not wanted or not _states(folder):
        return "Nothing was started yet: killreport start starts everything."
    said = " ".join(wanted)
    return f"{said} was not started, or was deleted: killreport start {said} starts it."


def show(names: SomeNames, as_json: AsJson = False) -> None:
    """Show everything about processes. Example: killreport show worker-redisq

    said is what the process last told of itself; describe does the same as show.
    """
    chosen = chosen_names(names)
    folder = _folder()
    states = _states(folder, chosen)
    for name in chosen:
        if name in wanted_names(names) and all(state.name != name for state in states):
            raise NotFound(f"{name} is not started: run killreport start {name}.")
    rows = {row.name: row for row in rows_in_force(folder)}
    described = [_described(state, rows[state.name], folder) for state in states]
    if as_json:
        print(json.dumps(msgspec.to_builtins(described)))
        return
    for place, fields in enumerate(described):
        print("\n" * (place > 0), end="")
        for field, value in fields.items():
            print(f"{field + ':':22}{'' if value is None else _shown(value)}")


def jlist() -> None:
    """Print the processes in the shape of PM2's jlist, without environment. Example: killreport jlist | jq length"""
    folder = _folder()
    print(json.dumps([_pm2_fields(number, state, folder) for number, state in enumerate(_states(folder))]))


def pid(names: Names = None, only: Only = None) -> None:
    """Print the pids of processes that run, one a line. Example: kill -s SIGUSR2 $(killreport pid worker-redisq)"""
    for state in _states(_folder(), chosen_names(names, only)):
        if state.pid is not None:
            print(state.pid)


def runs(name: JobName, as_json: AsJson = False) -> None:
    """List the last runs of a job, the newest first. Example: killreport runs queue-alliances"""
    find_process(name)
    records = ask(_folder(), Request(verb="runs", name=name), ANSWER_SECONDS).records[::-1]
    if as_json:
        print(json.dumps(msgspec.to_builtins(records)))
        return
    table = Table("started", "seconds", "status", "cause", "report", box=None)
    for record in records:
        seconds = f"{(record.ended_at - record.started_at).total_seconds():.1f}" if record.ended_at else "running"
        status = "" if record.status is None else str(record.status)
        table.add_row(_shown(record.started_at), seconds, status, record.cause, printable(record.last_line))
    print_table(table if records else f"{name} has not run yet.")


def ping(as_json: AsJson = False) -> None:
    """Tell whether the supervisor answers. Example: killreport ping --json"""
    about = about_supervisor(_folder())
    up = (utc_now() - about.started_at).total_seconds()
    if as_json:
        print(json.dumps({"pid": about.pid, "version": about.version, "uptime_seconds": round(up, 1)}))
        return
    print(f"The supervisor answers: pid {about.pid}, version {about.version}, up {span(up)}.")


def _states(folder: FleetFolder, names: Sequence[str] | None = None) -> list[ProcessState]:
    states = ask(folder, Request(verb="list"), ANSWER_SECONDS).states
    return [state for state in states if names is None or state.name in names]


def _described(state: ProcessState, row: ProcessRow, folder: FleetFolder) -> dict[str, Any]:
    return msgspec.structs.asdict(state) | {
        "description": row.description,
        "queue": row.queue,
        "prefetch": row.prefetch if row.queue else None,
        "instances": row.instances,
        "environment": dict.fromkeys(row.environment, MASK),
        "log": str(folder.log(row.name, "out")),
        "error_log": str(folder.log(row.name, "error")),
    }


def _folder() -> FleetFolder:
    return FleetFolder.at(load_home())


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={printable(str(text))}" for name, text in value.items())
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else printable(str(value))


def _pm2_fields(number: int, state: ProcessState, folder: FleetFolder) -> dict[str, Any]:
    started_ms = int(state.started_at.timestamp() * 1000) if state.started_at else 0
    return {
        "pid": state.pid or 0,
        "name": state.name,
        "pm_id": number,
        "monit": {"memory": state.memory_bytes, "cpu": state.cpu_percent},
        "pm2_env": {
            "name": state.name,
            "pm_id": number,
            "status": _PM2_STATUS.get(state.status, state.status),
            "pm_uptime": started_ms,
            "restart_time": state.restarts,
            "unstable_restarts": 0,
            "exec_mode": "fork_mode",
            "instances": 1,
            "cron_restart": state.schedule or 0,
            "autorestart": state.kind != "job",
            "max_memory_restart": state.memory_limit_bytes,
            "created_at": started_ms,
            "pm_cwd": str(folder.path.parent),
            "pm_out_log_path": str(folder.log(state.name, "out")),
            "pm_err_log_path": str(folder.log(state.name, "error")),
        },
    }
