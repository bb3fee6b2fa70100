"""`killreport`: the table of commands, and how every error leaves the program as one sentence."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperGroup

from killreport.cli.fleet.pm2_words import INSTEAD
from killreport.errors import BadSetting, KillreportError, NotFound, in_words
from killreport.terminal import in_lines


@dataclass(frozen=True)
class CommandRow:
    """One command of the root: its name, where it is defined as `module:attribute`, and its line in the help.

    kind: a `group` has commands of its own, whose Typer is the attribute; a `command` is a function or a Typer of one.
    is_hidden: not for people, so not in the help.
    """

    name: str
    target: str
    kind: Literal["group", "command"]
    summary: str
    is_hidden: bool = False


COMMANDS: tuple[CommandRow, ...] = (
    CommandRow("demo", "killreport.cli.processes.demo:demo", "command", "Run a demo: no set-up, no network."),
    CommandRow("up", "killreport.cli.processes.up:up", "command", "Run the whole fleet in this terminal."),
    CommandRow("start", "killreport.cli.fleet.verbs:start", "command", "Start the fleet, or processes of it."),
    CommandRow("stop", "killreport.cli.fleet.verbs:stop", "command", "Stop processes."),
    CommandRow("restart", "killreport.cli.fleet.verbs:restart", "command", "Stop and start processes."),
    CommandRow(
        "reload", "killreport.cli.fleet.verbs:reload", "command", "Replace processes without dropping a request."
    ),
    CommandRow(
        "delete", "killreport.cli.fleet.verbs:delete", "command", "Stop processes and remove them from the list."
    ),
    CommandRow("scale", "killreport.cli.fleet.verbs:scale", "command", "Run several instances of a worker."),
    CommandRow("trigger", "killreport.cli.fleet.verbs:trigger", "command", "Run a scheduled job now."),
    CommandRow("list", "killreport.cli.fleet.listing:list_processes", "command", "List the processes and their state."),
    CommandRow("show", "killreport.cli.fleet.listing:show", "command", "Show everything about processes."),
    CommandRow("jlist", "killreport.cli.fleet.listing:jlist", "command", "The list in PM2's shape, for scripts."),
    CommandRow("monit", "killreport.cli.fleet.monit:monit", "command", "Watch the fleet on one live screen."),
    CommandRow("logs", "killreport.cli.fleet.logs:logs", "command", "Follow what the processes write."),
    CommandRow("flush", "killreport.cli.fleet.logs:flush", "command", "Empty the logs."),
    CommandRow("status", "killreport.cli.fleet.listing:list_processes", "command", "The same as list.", True),
    CommandRow("ls", "killreport.cli.fleet.listing:list_processes", "command", "The same as list.", True),
    CommandRow("l", "killreport.cli.fleet.listing:list_processes", "command", "The same as list.", True),
    CommandRow("ps", "killreport.cli.fleet.listing:list_processes", "command", "The same as list.", True),
    CommandRow("describe", "killreport.cli.fleet.listing:show", "command", "The same as show.", True),
    CommandRow("desc", "killreport.cli.fleet.listing:show", "command", "The same as show.", True),
    CommandRow("info", "killreport.cli.fleet.listing:show", "command", "The same as show.", True),
    CommandRow("prettylist", "killreport.cli.fleet.listing:jlist", "command", "The same as jlist.", True),
    CommandRow("dump", "killreport.cli.fleet.verbs:save", "command", "The same as save.", True),
    CommandRow("del", "killreport.cli.fleet.verbs:delete", "command", "The same as delete.", True),
    CommandRow("gracefulReload", "killreport.cli.fleet.verbs:reload", "command", "The same as reload.", True),
    CommandRow("dash", "killreport.cli.fleet.monit:monit", "command", "The same as monit.", True),
    CommandRow("dashboard", "killreport.cli.fleet.monit:monit", "command", "The same as monit.", True),
    CommandRow("imonit", "killreport.cli.fleet.monit:monit", "command", "The same as monit.", True),
    CommandRow(
        "reloadLogs", "killreport.cli.fleet.logs:reload_logs", "command", "Logs are reopened by themselves.", True
    ),
    CommandRow("pid", "killreport.cli.fleet.listing:pid", "command", "Print the pids of processes, for scripts."),
    CommandRow("runs", "killreport.cli.fleet.listing:runs", "command", "List the last runs of a job."),
    CommandRow("ping", "killreport.cli.fleet.listing:ping", "command", "Tell whether the supervisor answers."),
    CommandRow("save", "killreport.cli.fleet.verbs:save", "command", "Save which processes are started."),
    CommandRow("resurrect", "killreport.cli.fleet.verbs:resurrect", "command", "Start the saved processes."),
    CommandRow("startup", "killreport.cli.fleet.startup:startup", "command", "Have systemd start the fleet at boot."),
    CommandRow("unstartup", "killreport.cli.fleet.startup:unstartup", "command", "Remove what startup installed."),
    CommandRow("kill", "killreport.cli.fleet.verbs:kill", "command", "Stop every process and the supervisor."),
    CommandRow(
        "export",
        "killreport.cli.export:app",
        "group",
        "Write the fleet for another manager, or what is stored.",
    ),
    CommandRow("supervise", "killreport.cli.fleet.verbs:supervise", "command", "Run the supervisor in this terminal."),
    CommandRow("fleet", "killreport.cli.fleet.overrides:app", "group", "Override the fleet table on this machine."),
    CommandRow(
        "run", "killreport.cli.processes.run:run", "command", "Run one process of the fleet until it is told to stop."
    ),
    CommandRow(
        "template",
        "killreport.cli.processes.template:template",
        "command",
        "What the supervisor forks processes from.",
        True,
    ),
    CommandRow(
        "import", "killreport.cli.data.importing:import_paths", "command", "Store killmails from files and archives."
    ),
    CommandRow(
        "history", "killreport.cli.data.history:app", "group", "Compare stored days with zKillboard's and fill them."
    ),
    CommandRow(
        "quarantine", "killreport.cli.data.quarantine:app", "group", "List, retry and purge what could not be stored."
    ),
    CommandRow("killmail", "killreport.cli.data.killmail:app", "group", "Remove killmails by hand."),
    CommandRow("queue", "killreport.cli.queue.verbs:app", "group", "Inspect queues and manage dead letters."),
    CommandRow("sde", "killreport.cli.data.sde:app", "group", "Bring EVE's static data up to date."),
    CommandRow("db", "killreport.cli.data.db:app", "group", "Upgrade, inspect, open, save and reset the database."),
    CommandRow("config", "killreport.cli.config:app", "group", "Show and check the settings."),
    CommandRow("sim", "killreport.cli.processes.sim:sim", "command", "Serve New Eden's public APIs from this machine."),
)


class LazyGroup(TyperGroup):
    """A group that knows its commands by the table above and imports one only when it is used.

    Without this, `--help` would import every database driver and web server of the product.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return [row.name for row in COMMANDS if not row.is_hidden]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, imported, or None where no row has that name."""
        del ctx
        for row in COMMANDS:
            if row.name == cmd_name:
                return load_command(row)
        return None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of `args`; the base class looks for what was meant among `commands`, so name them there.

        Raises NotFound for a word of PM2's that has none here, with what to type instead.
        """
        if args and args[0].lower() in INSTEAD and self.get_command(ctx, args[0]) is None:
            raise NotFound(INSTEAD[args[0].lower()])
        self.commands = cast(Any, dict.fromkeys(self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands from the table, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.summary) for row in COMMANDS if not row.is_hidden])


def load_command(row: CommandRow) -> Any:
    """Import what the row names and return it as a command that can be invoked."""
    module, _, attribute = row.target.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name=row.name)(found)
        found = single
    found.rich_markup_mode = None
    # A Typer of one command would otherwise collapse into that command: `sde update` into `sde`.
    make = typer.main.get_group if row.kind == "group" else typer.main.get_command
    found._add_completion = False
    command = make(found)
    command.name = row.name
    return command


def _show_version(wanted: bool) -> None:
    if wanted:
        from killreport.cli.version import version_line

        typer.echo(version_line())
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def killreport(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Follow every ship loss in EVE Online, explain it, and serve it as a GraphQL API and a web site."""
    del version


def main() -> None:
    """Run the command line of this process and exit.

    0: done. 1: an error of ours, told in a sentence. 2: a wrong option or a bad setting. 130: stopped by Ctrl-C, or by
    a second signal while it was stopping.
    """
    _open_standard_streams()
    status = status_of(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone, as in `| head`: what is left in the buffer must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _open_standard_streams() -> None:
    """Have somewhere to read from and write to, where one was started with any of the three closed (`>&-`).

    Without, Python has None in its place, and the next file or connection that is opened gets its number, with what is
    written to that.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, so the one that is missing
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))


def status_of(arguments: list[str]) -> int:
    """Run the command line with these arguments and return the status that `main` describes."""
    try:
        typer.main.get_command(app).main(arguments, prog_name="killreport")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # the last resort of the whole program: nothing may end in a traceback
        return _explain(_innermost(error))
    except BaseException as error:
        from asyncio import CancelledError  # only here: most commands need no event loop

        # A second signal cancelled what was still being stopped.
        if not isinstance(error, CancelledError):
            raise
        return 130
    return 0


def _innermost(error: BaseException) -> BaseException:
    """Return the one error inside a task group's wrapping; the group itself where it holds several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _explain(error: BaseException) -> int:
    if isinstance(error, KillreportError):
        sentence = f"{error}{_demo_beside(error)}"
    elif isinstance(error, OSError) and error.strerror:
        sentence = in_words(error) if error.filename else f"{in_words(error)}."
    else:
        sentence = (
            f"An error nobody expected: {type(error).__name__}: {in_words(error)}. "
            "KILLREPORT_LOG_LEVEL=debug shows where it happened."
        )
    if _wants_traceback():
        import traceback

        print(in_lines("".join(traceback.format_exception(error))), file=sys.stderr)
    print(f"killreport: {in_lines(sentence)}", file=sys.stderr)
    return 2 if isinstance(error, BadSetting) else 1


def _demo_beside(error: KillreportError) -> str:
    """Return where a demo runs, for whoever is told that no supervisor does; "" where none does."""
    from killreport.supervisor.client import ANSWER_SECONDS, NoSupervisor, ask
    from killreport.supervisor.folder import FleetFolder
    from killreport.supervisor.protocol import Request

    if not isinstance(error, NoSupervisor):
        return ""
    from killreport.config import find_home

    try:
        home = find_home()[0] / "demo"
        ask(FleetFolder.at(home), Request(verb="ping"), ANSWER_SECONDS)
    except (KillreportError, OSError):
        return ""
    return f" A demo runs in {home}: KILLREPORT_HOME={home} killreport list shows it."


def _wants_traceback() -> bool:
    from killreport.config import load_settings

    try:
        return load_settings().settings.log_level == "debug"
    except BadSetting:
        return False
