"""What the verbs of the fleet share: where the supervisor is, how one is started, which processes are meant."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from killreport.cli.fleet.pm2_words import instead_of_file
from killreport.clock import monotonic
from killreport.config import PREFIX, LoadedSettings, Settings
from killreport.environment import fleet_environment, plain_environment
from killreport.errors import BadSetting, KillreportError, NotFound, Refused, Unavailable
from killreport.fleet.overrides import FILE_NAME, fleet_rows, overridden, read_overrides, write_overrides
from killreport.fleet.snapshot import differences, read_snapshot, row_settings, settings_text, warm_settings
from killreport.fleet.table import FLEET, ProcessRow, find_process
from killreport.supervisor.client import ANSWER_SECONDS, NoSupervisor, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.logs.stamped_log import MAX_BYTES
from killreport.supervisor.process.progress import ProcessProgress
from killreport.supervisor.protocol import About, ControlReply, Request, Verb

if TYPE_CHECKING:
    from killreport.supervisor.main import Supervisor
    from killreport.supervisor.observer import Observer
    from killreport.supervisor.process.program import Program
    from killreport.supervisor.process.template import Template

# How long a supervisor that is starting may stand still.
START_SECONDS = 15.0
# After so long whoever waits is told what takes the time, and again after twice as long each time.
TELL_SECONDS = 5.0
MAX_TELL_SECONDS = 60.0
_DIGITS = re.compile(r"\d+")
_LOOK_SECONDS = 0.02
NO_LIMIT_MB = 1 << 40
# In the home of a demo, for as long as it exists.
DEMO_LOCK = "demo.lock"


def apply_overrides(settings: Settings, folder: FleetFolder) -> tuple[Program, ...]:
    """Return the programs of the fleet as `fleet.toml` wants them, and keep that as what is in force.

    Processes read the kept copy: a file that is being edited does no harm to one that is started again meanwhile.
    Raises BadSetting; then nothing has changed.
    """
    overrides = read_overrides(settings.home / FILE_NAME).require()
    write_overrides(folder.applied, overrides.text)
    return _programs(settings, folder, overridden(FLEET, overrides))


def first_programs(settings: Settings, folder: FleetFolder) -> tuple[Program, ...]:
    """Return the programs that a supervisor starts with: of `fleet.toml`, or where that has a mistake, those in force.

    A machine that restarts with a file half edited shall run what it ran before. Raises BadSetting where nothing was in
    force.
    """
    try:
        return apply_overrides(settings, folder)
    except BadSetting as error:
        if not folder.applied.exists():
            raise
        structlog.get_logger().error("overrides_not_applied", reason=str(error), in_force=str(folder.applied))
        return _programs(settings, folder, fleet_rows(settings.home, folder.applied))


def rows_in_force(folder: FleetFolder) -> tuple[ProcessRow, ...]:
    """Return the fleet's rows as the supervisor has them, or as the next one will."""
    return fleet_rows(folder.path.parent, folder.applied if folder.applied.exists() else None)


def _programs(settings: Settings, folder: FleetFolder, rows: Sequence[ProcessRow]) -> tuple[Program, ...]:
    from killreport.supervisor.process.program import fleet_programs

    limit_mb = settings.memory_limit_mb
    ports = {"api_port": settings.api_port, "web_port": settings.web_port}
    options = ("--split-log", "--overrides", str(folder.applied))
    # None of them watches its own memory: the supervisor does, and replaces it without a gap.
    shared = {**plain_environment(), "KILLREPORT_HOME": str(folder.path.parent), "KILLREPORT_MEMORY_LIMIT_MB": "0"}

    def environment(row: ProcessRow) -> dict[str, str]:
        return {**shared, "KILLREPORT_CONFIG": str(folder.settings_of(row.name))}

    programs = fleet_programs(rows, environment, settings.host, ports, options)
    if limit_mb is None:
        return programs
    # As in a process that watches itself, 0 is no limit; the supervisor compares, so it needs a number.
    limit_mb = limit_mb or NO_LIMIT_MB
    return tuple(replace(program, row=replace(program.row, memory_limit_mb=limit_mb)) for program in programs)


def template_of(settings: Settings, folder: FleetFolder) -> Template | None:
    """Return what the fleet's processes are forked from; None where the settings do not want it."""
    from killreport.supervisor.process.template import Template

    if not settings.warm_start:
        return None
    command = (sys.executable, "-m", "killreport", "template")
    own = {"KILLREPORT_HOME": str(folder.path.parent), "KILLREPORT_CONFIG": str(folder.settings_of("template"))}
    return Template(command, plain_environment() | own, folder.logs / "supervisor.log")


@asynccontextmanager
async def supervised_fleet(
    settings: Settings,
    folder: FleetFolder,
    stop: asyncio.Event,
    *,
    observer: Observer | None = None,
    changed: Callable[[Sequence[Program]], Sequence[Program]] = tuple,
) -> AsyncIterator[Supervisor]:
    """Supervise the fleet with these settings, which its processes are to find in the folder, during the block.

    stop: set when somebody says `kill`. changed: returns the programs as this fleet is to have them. Raises Conflict
    where another supervisor runs it, BadSetting where `fleet.toml` has a mistake and nothing was in force.
    """
    from killreport.supervisor.main import supervising

    async with supervising(
        changed(first_programs(settings, folder)),
        folder,
        stop,
        read_programs=lambda: changed(apply_overrides(settings, folder)),
        template=template_of(settings, folder),
        disk_warning_mb=settings.disk_warning_mb,
        observer=observer,
    ) as supervisor:
        yield supervisor


def settings_in_force(settings: Settings, folder: FleetFolder) -> Settings:
    """Return the settings that the fleet runs with from now on, and keep them where its processes read them.

    What still runs, as after a crash of its supervisor, keeps its settings, and so does all that is started beside it:
    one set for the whole fleet. Raises Unavailable where they cannot be written.
    """
    from killreport.supervisor.process.slot import ProcessSlot

    if any(not ProcessSlot(path).is_free() for path in folder.slots.glob("*.*.?")):
        settings = read_snapshot(folder.settings, settings.home) or settings
    keep_settings(settings, folder)
    return settings


def keep_settings(settings: Settings, folder: FleetFolder) -> None:
    """Write the settings to where the fleet's processes read them. Raises Unavailable where that cannot be."""
    files = {folder.settings_of(row.name): row_settings(settings, row) for row in FLEET}
    files |= {folder.settings_of("template"): warm_settings(settings), folder.settings: settings_text(settings)}
    for path, text in files.items():
        write_overrides(path, text)


def tell_differences(loaded: LoadedSettings, folder: FleetFolder) -> None:
    """Tell on stderr which settings are others here than in what runs, and how the fleet gets them; never a value."""
    if is_demo(folder.path.parent):
        return  # it has its own on purpose, and what starts it again is killreport demo
    running = read_snapshot(folder.settings, loaded.settings.home)
    found = {} if running is None else differences(loaded, running)
    if not found:
        return
    where = {"environment": "this shell", "default": "set only where the fleet was started"}
    named = ", ".join(f"{PREFIX}{name.upper()} ({where.get(source, source)})" for name, source in found.items())
    print(
        f"What runs has other settings than this command: {named}. "
        "killreport kill, then killreport start, has the fleet take those of here.",
        file=sys.stderr,
    )


def chosen_names(names: Sequence[str] | None, only: Sequence[str] | None = None) -> list[str]:
    """Return the names that are meant, in the fleet's order; none given, or `all`: every one.

    A name may be a pattern such as `worker-*`. Raises NotFound for one that fits nothing.
    """
    wanted = wanted_names(names, only)
    if not wanted or "all" in wanted:
        return [row.name for row in FLEET]
    chosen = set()
    for name in wanted:
        fitting = [row.name for row in FLEET if fnmatchcase(row.name, name)]
        if not fitting and (sentence := instead_of_file(name)) is not None:
            raise NotFound(sentence)
        if not fitting and any(sign in name for sign in "*?["):
            raise NotFound(f"No process fits {name}.")
        chosen.update(fitting or [find_process(name).name])
    return [row.name for row in FLEET if row.name in chosen]


def wanted_names(names: Sequence[str] | None, only: Sequence[str] | None = None) -> list[str]:
    """Return each name that was given, of those given as `a,b` too."""
    return [part for name in (*(names or ()), *(only or ())) for part in name.split(",") if part]


def startable_names(
    names: Sequence[str] | None, only: Sequence[str] | None, rows: Sequence[ProcessRow], home: Path
) -> list[str]:
    """Return the names that are meant and are not disabled. Raises Refused for one that is called by name and is."""
    disabled = {row.name for row in rows if not row.is_enabled}
    for name in wanted_names(names, only):
        if name in disabled:
            raise Refused(f"{name} is disabled in {home / FILE_NAME}; killreport fleet edit opens it.")
    return [name for name in chosen_names(names, only) if name not in disabled]


def is_demo(home: Path) -> bool:
    """Tell whether `killreport demo` was run in this home: its data is not real."""
    return (home / DEMO_LOCK).exists()


def about_supervisor(folder: FleetFolder) -> About:
    """Return who runs the fleet. Raises NoSupervisor."""
    about = ask(folder, Request(verb="ping"), ANSWER_SECONDS).about
    assert about is not None
    return about


def ensure_supervisor(settings: Settings, tell: Callable[[str], None] | None = None) -> FleetFolder:
    """Return the fleet's folder, with a supervisor at work in it: started in the background if there is none.

    tell: told what takes the time. Raises Refused for a home of the demo's: its made-up data is not mixed with real.
    """
    folder = FleetFolder.make(settings.home)
    with contextlib.suppress(NoSupervisor):
        about_supervisor(folder)
        return folder
    if is_demo(settings.home):
        raise Refused(f"{settings.home} is the home of a demo, with made-up data: start it with killreport demo.")
    path = folder.logs / "supervisor.log"
    if path.exists() and path.stat().st_size > MAX_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    with path.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "killreport", "supervise"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=fleet_environment(settings.home),
            start_new_session=True,
        )
    progress, began = ProcessProgress(process.pid), monotonic()
    # As long as it gets on, it is waited for: on a machine with a tenth of a core this takes half a minute.
    while process.poll() is None and not progress.is_over(START_SECONDS):
        with contextlib.suppress(NoSupervisor):
            about_supervisor(folder)
            return folder
        time.sleep(_LOOK_SECONDS)
        progress.look(_LOOK_SECONDS)
        if tell is not None and monotonic() - began >= TELL_SECONDS:
            tell(f"  the supervisor is starting: {progress}")
            began = monotonic()
    with contextlib.suppress(NoSupervisor):  # somebody else was quicker, and ours had nothing to do
        about_supervisor(folder)
        return folder
    raise Unavailable(f"The supervisor did not start; its log: {path}")


def tell_each(
    folder: FleetFolder,
    verb: Verb,
    names: Sequence[str],
    on_done: Callable[[str, ControlReply | KillreportError], None],
    *,
    tell: Callable[[str], None] | None = None,
) -> bool:
    """Tell the supervisor to do the verb to each process, all at once; returns whether all went well.

    on_done: called as each is done, with the answer or with why not. tell: told what takes the time until then.
    """
    is_well = True
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as threads:
        asked = {threads.submit(ask, folder, Request(verb=verb, name=name)): name for name in names}
        waiting, pause, told = set(asked), TELL_SECONDS, ""
        while waiting:
            done, waiting = wait(waiting, timeout=pause, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    on_done(asked[future], future.result())
                except KillreportError as error:
                    is_well = False
                    on_done(asked[future], error)
            if tell is not None and not done:
                pause = min(2 * pause, MAX_TELL_SECONDS)
                if (said := _what_takes_time(folder, {asked[future] for future in waiting})) != told:
                    tell(told := said)
    return is_well


def _what_takes_time(folder: FleetFolder, names: Set[str]) -> str:
    """Return a line for each thing that processes of these names say while they are waited for."""
    try:
        states = [state for state in ask(folder, Request(verb="list"), ANSWER_SECONDS).states if state.name in names]
    except Unavailable as error:
        return f"  waiting: {error}"
    saying: dict[str, tuple[str, list[str]]] = {}
    for state in states:
        sentence = f"{state.status}: {state.said}" if state.said else state.status
        # Who says the same but for a number, such as since when, is told of together.
        saying.setdefault(_DIGITS.sub("#", sentence), (sentence, []))[1].append(state.name)
    return "\n".join(f"  {_few(others):28} {sentence}" for sentence, others in saying.values())


def _few(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
