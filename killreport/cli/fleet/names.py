"""How commands take the names of processes, and how a shell completes them."""

from __future__ import annotations

from typing import Annotated

import typer

from killreport.fleet.table import FLEET


def complete_processes(incomplete: str) -> list[str]:
    """Return the names that begin so, for a shell."""
    return [row.name for row in FLEET if row.name.startswith(incomplete)]


def complete_jobs(incomplete: str) -> list[str]:
    """Return the names of jobs that begin so, for a shell."""
    return [row.name for row in FLEET if row.kind == "job" and row.name.startswith(incomplete)]


def complete_workers(incomplete: str) -> list[str]:
    """Return the names of workers that begin so, for a shell."""
    return [row.name for row in FLEET if row.kind == "worker" and row.name.startswith(incomplete)]


Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Processes, also patterns such as 'worker-*'; none: all.",
        metavar="[NAME]…",
        autocompletion=complete_processes,
    ),
]
SomeNames = Annotated[
    list[str],
    typer.Argument(
        help="Processes, also patterns such as 'worker-*'.", metavar="NAME…", autocompletion=complete_processes
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", help="The same as a NAME; several as a,b.", metavar="NAME", autocompletion=complete_processes
    ),
]
WorkerName = Annotated[str, typer.Argument(help="Name of the worker.", metavar="NAME", autocompletion=complete_workers)]
JobName = Annotated[
    str,
    typer.Argument(help="Name of the job; `killreport list` shows all.", metavar="JOB", autocompletion=complete_jobs),
]
