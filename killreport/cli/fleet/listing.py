"""Verbs that show what runs: list, show, jlist, runs, ping."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.text import Text

from killreport.cli.context import fleet_folder
from killreport.cli.fleet.names import JobName, Names, Only, SomeNames
from killreport.cli.fleet.supervisor import (
    about_supervisor,
    chosen_names,
    rows_in_force,
    tell_differences,
    wanted_names,
)
from killreport.cli.output.columns import TableColumn, print_rows
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer, print_fields
from killreport.clock import span, utc_now
from killreport.config import load_settings
from killreport.errors import BadSetting, NotFound
from killreport.fleet.disk import disk_warning
from killreport.fleet.override_keys import MASK
from killreport.fleet.table import ProcessRow, find_process
from killreport.supervisor.client import ANSWER_SECONDS, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import Request
from killreport.supervisor.runs import JobRecord
from killreport.supervisor.state import ProcessState
from killreport.terminal import printable

_STATUS_COLOURS = {
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

    Also called status, ls and ps.
    """
    folder = fleet_folder()
    states = _states(folder, chosen_names(names, only))
    empty = "" if states else _nothing(folder, names, only)
    print_rows(_COLUMNS, states, lambda state: state, as_json=as_json, empty=empty)
    if as_json or not states:
        return
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


def _between(begin: datetime, end: datetime) -> str:
    return span((end - begin).total_seconds())


# What is shown of a process wherever processes are listed.
NAME = TableColumn[ProcessState](
    "process", lambda state: state.name if state.number == 0 else f"{state.name} {state.number}"
)
STATUS = TableColumn[ProcessState](
    "status", lambda state: Text(state.status, _STATUS_COLOURS.get(state.status, "yellow"))
)
RESTARTS = TableColumn[ProcessState](
    "restarts", lambda state: state.restarts if state.kind != "job" else None, 6, is_right=True
)
UP = TableColumn[ProcessState](
    "up", lambda state: _between(state.started_at, utc_now()) if state.started_at else None, 3, is_right=True
)
CPU = TableColumn[ProcessState](
    "CPU", lambda state: f"{state.cpu_percent:.0f}%" if state.pid else None, 5, is_right=True
)
MEMORY = TableColumn[ProcessState](
    "memory", lambda state: f"{state.memory_bytes / 1e6:.0f} MB" if state.memory_bytes else None, 2, is_right=True
)
_COLUMNS = (
    NAME,
    TableColumn[ProcessState]("kind", lambda state: state.kind, 7),
    STATUS,
    TableColumn[ProcessState]("pid", lambda state: state.pid, 4, is_right=True),
    RESTARTS,
    UP,
    CPU,
    MEMORY,
    TableColumn[ProcessState](
        "next run",
        lambda state: f"in {_between(utc_now(), state.next_run_at)}" if state.next_run_at else None,
        1,
        is_right=True,
    ),
)


def _nothing(folder: FleetFolder, names: Sequence[str] | None, only: Sequence[str] | None) -> str:
    wanted = wanted_names(names, only)
    if not wanted or not _states(folder):
        return "Nothing was started yet: killreport start starts everything."
    said = " ".join(wanted)
    return f"{said} was not started, or was deleted: killreport start {said} starts it."


def show(names: SomeNames, as_json: AsJson = False) -> None:
    """Show everything about processes. Example: killreport show worker-redisq

    The field `said` is the last status message of the process itself. Also called describe and info.
    """
    chosen = chosen_names(names)
    folder = fleet_folder()
    states = _states(folder, chosen)
    for name in chosen:
        if name in wanted_names(names) and all(state.name != name for state in states):
            raise NotFound(f"{name} is not started: run killreport start {name}.")
    rows = {row.name: row for row in rows_in_force(folder)}
    described = [_described(state, rows[state.name], folder) for state in states]
    if as_json:
        print_answer(described, "", as_json=True)
        return
    for place, fields in enumerate(described):
        print("\n" * (place > 0), end="")
        print_fields(fields, as_json=False)


def jlist() -> None:
    """Print the processes in the format of PM2's jlist, without environment. Example: killreport jlist | jq length"""
    folder = fleet_folder()
    print(json.dumps([_pm2_fields(number, state, folder) for number, state in enumerate(_states(folder))]))


def pid(names: Names = None, only: Only = None) -> None:
    """Print the pids of running processes, one per line. Example: kill -s SIGUSR2 $(killreport pid worker-redisq)"""
    for state in _states(fleet_folder(), chosen_names(names, only)):
        if state.pid is not None:
            print(state.pid)


def runs(name: JobName, as_json: AsJson = False) -> None:
    """List the last runs of a job, the newest first. Example: killreport runs queue-alliances"""
    find_process(name)
    records = ask(fleet_folder(), Request(verb="runs", name=name), ANSWER_SECONDS).records[::-1]
    print_rows(_RUN_COLUMNS, records, lambda record: record, as_json=as_json, empty=f"{name} has not run yet.")


def _seconds_of(record: JobRecord) -> str:
    return f"{(record.ended_at - record.started_at).total_seconds():.1f}" if record.ended_at else "running"


_RUN_COLUMNS: tuple[TableColumn[JobRecord], ...] = (
    TableColumn("started", lambda record: f"{record.started_at:%Y-%m-%d %H:%M:%S}"),
    TableColumn("seconds", _seconds_of),
    TableColumn("status", lambda record: record.status),
    TableColumn("cause", lambda record: record.cause),
    TableColumn("report", lambda record: record.last_line, is_text=True),
)


def ping(as_json: AsJson = False) -> None:
    """Tell whether the supervisor answers. Example: killreport ping --json"""
    about = about_supervisor(fleet_folder())
    up = (utc_now() - about.started_at).total_seconds()
    told = {"pid": about.pid, "version": about.version, "uptime_seconds": round(up, 1)}
    text = f"The supervisor answers: pid {about.pid}, version {about.version}, up {span(up)}."
    print_answer(told, text, as_json=as_json)


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
