"""`killreport`: the table of commands, and how every error leaves the program as one sentence."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperGroup

from killreport.cli.fleet.pm2_words import INSTEAD
from killreport.errors import BadSetting, KillreportError, NotFound, in_words, innermost
from killreport.terminal import in_lines


@dataclass(frozen=True)
class CommandRow:
    """One command of the root: its name, where it is defined, and its line in the help.

    target: `module:attribute`, below `killreport.cli`.
    kind: a `group` has commands of its own, whose Typer is the attribute; a `command` is a function or a Typer of one.
    is_hidden: not for people, so not in the help.
    """

    name: str
    target: str
    summary: str
    kind: Literal["group", "command"] = "command"
    is_hidden: bool = False


_COMMANDS = (
    CommandRow("demo", "processes.demo:demo", "Run a demo: no set-up, no network."),
    CommandRow("up", "processes.up:up", "Run all processes in this terminal."),
    CommandRow("start", "fleet.verbs:start", "Start the fleet, or processes of it."),
    CommandRow("stop", "fleet.verbs:stop", "Stop processes."),
    CommandRow("restart", "fleet.verbs:restart", "Stop and start processes."),
    CommandRow("reload", "fleet.verbs:reload", "Replace processes without dropping a request."),
    CommandRow("delete", "fleet.verbs:delete", "Stop processes and remove them from the list."),
    CommandRow("scale", "fleet.verbs:scale", "Run several instances of a worker."),
    CommandRow("trigger", "fleet.verbs:trigger", "Run a scheduled job now."),
    CommandRow("list", "fleet.listing:list_processes", "List the processes and their state."),
    CommandRow("show", "fleet.listing:show", "Show everything about one or more processes."),
    CommandRow("jlist", "fleet.listing:jlist", "Print the list in PM2's format, for scripts."),
    CommandRow("monit", "fleet.monit:monit", "Watch the fleet on one live screen."),
    CommandRow("logs", "fleet.logs:logs", "Show and follow the logs."),
    CommandRow("flush", "fleet.logs:flush", "Empty the logs."),
    CommandRow("reloadLogs", "fleet.logs:reload_logs", "Logs are reopened by themselves.", is_hidden=True),
    CommandRow("pid", "fleet.listing:pid", "Print the pids of processes, for scripts."),
    CommandRow("runs", "fleet.listing:runs", "List the last runs of a job."),
    CommandRow("ping", "fleet.listing:ping", "Tell whether the supervisor answers."),
    CommandRow("save", "fleet.verbs:save", "Save which processes are started."),
    CommandRow("resurrect", "fleet.verbs:resurrect", "Start the saved processes."),
    CommandRow("startup", "fleet.startup:startup", "Have systemd start the fleet at boot."),
    CommandRow("unstartup", "fleet.startup:unstartup", "Remove what startup installed."),
    CommandRow("kill", "fleet.verbs:kill", "Stop every process and the supervisor."),
    CommandRow("export", "export:app", "Export the fleet for another manager, or the stored data.", "group"),
    CommandRow("supervise", "fleet.verbs:supervise", "Run the supervisor in this terminal."),
    CommandRow("fleet", "fleet.overrides:app", "Override settings of processes on this machine.", "group"),
    CommandRow("run", "processes.run:run", "Run one process of the fleet until it is told to stop."),
    CommandRow("template", "processes.template:template", "What the supervisor forks processes from.", is_hidden=True),
    CommandRow("import", "data.importing:import_paths", "Store killmails from files and archives."),
    CommandRow(
        "history", "data.history:app", "Compare stored days with zKillboard and fetch what is missing.", "group"
    ),
    CommandRow(
        "quarantine", "data.quarantine:app", "List, retry and purge killmails that could not be stored.", "group"
    ),
    CommandRow("killmail", "data.killmail:app", "Remove killmails by hand.", "group"),
    CommandRow("queue", "queue.verbs:app", "Inspect queues and manage dead letters.", "group"),
    CommandRow("sde", "data.sde:app", "Bring EVE's static data up to date.", "group"),
    CommandRow("db", "data.db:app", "Upgrade, inspect, open, save and reset the database.", "group"),
    CommandRow("config", "config:app", "Show and check the settings.", "group"),
    CommandRow("sim", "processes.sim:sim", "Run a simulator of EVE's public APIs."),
)
# Other names that PM2 has for some of them.
_ALIASES = {
    "list": ("status", "ls", "l", "ps"),
    "show": ("describe", "desc", "info"),
    "jlist": ("prettylist",),
    "save": ("dump",),
    "delete": ("del",),
    "reload": ("gracefulReload",),
    "monit": ("dash", "dashboard", "imonit"),
}
COMMANDS: tuple[CommandRow, ...] = _COMMANDS + tuple(
    replace(row, name=alias, summary=f"The same as {row.name}.", is_hidden=True)
    for row in _COMMANDS
    for alias in _ALIASES.get(row.name, ())
)


_EXAMPLES = re.compile(r"\s*\bExamples?:\s*")


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
    found = getattr(import_module(f"killreport.cli.{module}"), attribute)
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
    _list_examples(command)
    return command


def _list_examples(command: Any) -> None:
    """Have the examples of a help, which stand where they fit in its sentences, in lines of their own at its end."""
    for inner in getattr(command, "commands", {}).values():
        _list_examples(inner)
    examples: list[str] = []
    paragraphs = []
    for paragraph in (command.help or "").split("\n\n"):
        said, _, shown = _EXAMPLES.sub("\0", paragraph, count=1).partition("\0")
        examples += [" ".join(line.split()) for line in shown.split(";") if line.strip()]
        paragraphs += [said] if said else []
    if examples:
        # As they are, without a line broken in the middle of one.
        paragraphs.append("\n  ".join(["\b\nExample:" if len(examples) == 1 else "\b\nExamples:", *examples]))
    command.help = "\n\n".join(paragraphs)


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
        return _explain(_cause(error))
    except BaseException as error:
        from asyncio import CancelledError  # only here: most commands need no event loop

        # A second signal cancelled what was still being stopped.
        if not isinstance(error, CancelledError):
            raise
        return 130
    return 0


def _cause(error: Exception) -> Exception:
    """Return the one error inside a task group's wrapping; of several that were all foreseen, the first to come.

    Where a part of a demo or fleet cannot start, others that need it may fail before they are stopped.
    """
    error = innermost(error)
    if isinstance(error, ExceptionGroup):
        parts = [_cause(part) for part in error.exceptions]
        if all(isinstance(part, KillreportError) for part in parts):
            return parts[0]
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
