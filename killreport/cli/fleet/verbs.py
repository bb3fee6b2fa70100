"""Verbs that change what runs: start, stop, restart, reload, delete, scale, trigger, save, resurrect, kill."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from killreport.cli.context import fleet_folder, load, tell_contact
from killreport.cli.fleet.ending import end_fleet
from killreport.cli.fleet.logs import last_error
from killreport.cli.fleet.names import JobName, Names, Only, WorkerName
from killreport.cli.fleet.supervisor import (
    chosen_names,
    ensure_supervisor,
    settings_in_force,
    startable_names,
    supervised_fleet,
    tell_differences,
    tell_each,
)
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer
from killreport.clock import utc_now
from killreport.config import load_settings
from killreport.environment import is_systemd_service
from killreport.errors import KillreportError
from killreport.fleet.notify import notify_ready
from killreport.fleet.overrides import fleet_rows
from killreport.fleet.systemd import KILLED_STATUS
from killreport.fleet.table import ProcessRow, find_process
from killreport.supervisor.client import ANSWER_SECONDS, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import ControlReply, Request, Verb
from killreport.terminal import printable

# What a process wrote before it ended has to come through its pipe.
LAST_WORDS_LOOKS = 10
LAST_WORDS_PAUSE_SECONDS = 0.1

_DONE = {"start": "up", "restart": "up", "reload": "up", "stop": "stopped", "delete": "deleted"}


def start(
    names: Names = None,
    only: Only = None,
    foreground: Annotated[
        bool,
        typer.Option(
            "--foreground", help="Stay in the foreground; the processes end with this command. For containers."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start processes, schedule jobs, and wait until all are ready. Example: killreport start 'worker-*'

    Changes of `killreport fleet edit` are applied first, as with restart, reload, scale and trigger. If no supervisor
    is running, one is started in the background, and takes over processes that are still running.
    """
    if foreground:
        chosen_names(names, only)
        settings = load()
        rows = fleet_rows(settings.home)
        _stay(startable_names(names, only, rows, settings.home), rows)
        return
    chosen, folder = _startable(names, only, tells=not as_json)
    if not as_json and (sentence := tell_contact(load())) is not None:
        print(sentence, file=sys.stderr)
    _tell("start", chosen, folder, as_json=as_json)


def stop(names: Names = None, only: Only = None, as_json: AsJson = False) -> None:
    """Stop processes and unschedule jobs; they stay in the list. Example: killreport stop worker-redisq"""
    _tell("stop", chosen_names(names, only), fleet_folder(), as_json=as_json)


def restart(names: Names = None, only: Only = None, as_json: AsJson = False) -> None:
    """Stop processes and start them again, with a gap. Example: killreport restart worker-characters"""
    _tell("restart", *_startable(names, only, tells=not as_json), as_json=as_json)


def reload(names: Names = None, only: Only = None, as_json: AsJson = False) -> None:
    """Replace processes: the old one ends when the new one is ready. Example: killreport reload killreport-backend

    No request is dropped. If the new process does not get ready, the old one keeps running and the command fails. A
    job that is running finishes first. Without names, stopped processes stay stopped.
    """
    chosen, folder = _startable(names, only, tells=not as_json)
    if not (names or only) or "all" in (*(names or ()), *(only or ())):
        states = ask(folder, Request(verb="list"), ANSWER_SECONDS).states
        running = {state.name for state in states if state.status not in ("stopped", "disabled")}
        chosen = [name for name in chosen if name in running]
    _tell("reload", chosen, folder, as_json=as_json)


def delete(names: Names = None, only: Only = None, as_json: AsJson = False) -> None:
    """Stop processes and remove them from the list. Example: killreport delete update-prices"""
    _tell("delete", chosen_names(names, only), fleet_folder(), as_json=as_json)


def scale(
    name: WorkerName,
    count: Annotated[int, typer.Argument(metavar="COUNT", help="How many instances.", min=1, max=1_000)],
    as_json: AsJson = False,
) -> None:
    """Run several instances of a worker. Example: killreport scale worker-characters 2"""
    folder = _startable([find_process(name).name], None, tells=not as_json)[1]
    answer = ask(folder, Request(verb="scale", name=name, count=count))
    print_answer({"name": name, "instances": count}, f"{name}: {len(answer.states)} running.", as_json=as_json)


def trigger(
    name: JobName,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, and print the report.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a scheduled job now. Example: killreport trigger queue-alliances --wait"""
    folder = _startable([find_process(name).name], None, tells=not as_json)[1]
    answer = ask(folder, Request(verb="trigger", name=name, waits=wait))
    if not wait:
        print_answer({"name": name, "started": True}, f"{name} started.", as_json=as_json)
        return
    record = answer.records[0]
    told = {"name": name, "status": record.status, "report": record.last_line}
    text = printable(record.last_line) or f"ended with status {record.status}."
    print_answer(told, f"{name}: {text}", as_json=as_json)
    if record.status != 0:
        raise typer.Exit(1)


def save(as_json: AsJson = False) -> None:
    """Save which processes are started, for `resurrect`. Example: killreport save"""
    count = ask(fleet_folder(), Request(verb="save"), ANSWER_SECONDS).count
    print_answer({"saved": count}, f"{count} processes saved.", as_json=as_json)


def resurrect(as_json: AsJson = False) -> None:
    """Start the processes saved by `save`, for example after a reboot. Example: killreport resurrect"""
    states = ask(ensure_supervisor(load()), Request(verb="resurrect")).states
    running = [state.name for state in states if state.status != "stopped"]
    print_answer({"started": running}, f"{len(running)} processes are started.", as_json=as_json)


def kill(as_json: AsJson = False) -> None:
    """Stop every process and the supervisor. Example: killreport kill

    Which processes were started is remembered, and the next supervisor starts them again. If the supervisor is gone or
    does not answer, the processes it left running are stopped too.
    """
    outcome = end_fleet(fleet_folder())
    print_answer({"killed": outcome.is_killed, "ended": outcome.names}, outcome.sentence, as_json=as_json)
    if outcome.is_back:
        raise typer.Exit(1)


def supervise() -> None:
    """Run the supervisor in this terminal; `start` runs it in the background. Example: killreport supervise

    SIGTERM ends the supervisor and leaves the processes running; the next supervisor takes them over.
    """
    _supervise(ends_processes=False)


def _startable(names: list[str] | None, only: list[str] | None, *, tells: bool) -> tuple[list[str], FleetFolder]:
    """Return the names that may be started, and the folder of a supervisor that has applied `fleet.toml`."""
    chosen_names(names, only)  # a name that nobody has is said first
    settings = load()
    found = startable_names(names, only, fleet_rows(settings.home), settings.home)
    folder = ensure_supervisor(settings, _tell_on_stderr if tells else None)
    ask(folder, Request(verb="apply"))
    tell_differences(load_settings(), folder)
    return found, folder


def _stay(names: list[str], rows: Sequence[ProcessRow]) -> None:
    """Run the supervisor in this process, with these processes started."""
    from msgspec.structs import replace

    from killreport.supervisor.wanted import WantedState, read_wanted, write_wanted

    folder = FleetFolder.make(load().home)
    kept = read_wanted(folder.wanted)
    counts = {row.name: row.instances for row in rows}
    usual = {name: WantedState(is_started=True, instances=counts[name], row_instances=counts[name]) for name in names}
    wanted = {name: replace(kept.get(name, usual[name]), is_started=True) for name in names}
    write_wanted(folder.wanted, kept | wanted)
    _supervise(ends_processes=True)


def _supervise(*, ends_processes: bool) -> None:
    from killreport.cli.signals import stop_on_signals

    loaded = load(process="supervisor")
    folder = FleetFolder.make(loaded.home)
    settings = settings_in_force(loaded, folder)

    async def work() -> bool:
        with stop_on_signals() as stop:
            async with supervised_fleet(settings, folder, stop) as supervisor:
                notify_ready()
                await stop.wait()
                if ends_processes:
                    await supervisor.verbs.stop_all()
                return supervisor.control.is_told_to_end

    if asyncio.run(work()) and is_systemd_service():
        raise typer.Exit(KILLED_STATUS)


def _tell_on_stderr(said: str) -> None:
    print(said, file=sys.stderr)


def _last_words(folder: FleetFolder, name: str, began: datetime) -> str:
    """Return what a process that failed said last, "" for nothing. It is on its way to the log for a moment."""
    for _ in range(LAST_WORDS_LOOKS):
        if words := last_error(folder, name, began):
            return words
        time.sleep(LAST_WORDS_PAUSE_SECONDS)
    return ""


def _tell(verb: Verb, names: list[str], folder: FleetFolder, *, as_json: bool) -> None:
    outcomes: dict[str, dict[str, Any]] = {}

    def on_done(name: str, outcome: ControlReply | KillreportError) -> None:
        if isinstance(outcome, KillreportError):
            last_words = _last_words(folder, name, began)
            outcomes[name] = {"name": name, "error": str(outcome), "last_line": last_words}
            if not as_json:
                print(f"  {name:28} failed: {printable(str(outcome))}", file=sys.stderr)
                if last_words:
                    print(f"      {last_words}", file=sys.stderr)
            return
        pids = [state.pid for state in outcome.states if state.pid is not None]
        outcomes[name] = {"name": name, "error": None, "pids": pids}
        if not as_json:
            word = "scheduled" if _DONE[verb] == "up" and find_process(name).kind == "job" else _DONE[verb]
            print(f"  {name:28} {word}{'  pid ' + ', '.join(map(str, pids)) if pids and word == 'up' else ''}")

    began = utc_now()
    ask(folder, Request(verb="ping"), ANSWER_SECONDS)
    is_well = tell_each(folder, verb, names, on_done, tell=None if as_json else _tell_on_stderr)
    if as_json:
        print_answer([outcomes[name] for name in names], "", as_json=True)
    if not is_well:
        raise typer.Exit(1)
